"""Reviews and the people there are: what nobody can finish is raised at once, what asks nobody any more goes to who acts for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count

from sqlmodel import Session

from services.orders.approvals import assignees
from services.orders.approvals.assignees import EligibleApprovers
from services.orders.domain.cases import Case, Parties
from services.orders.domain.changes import ChangeOrder
from services.orders.domain.mails import Contacts
from services.orders.domain.matrix import Hit, ReviewRule
from services.orders.domain.owners import SALES
from services.orders.domain.policies import Policy
from services.orders.domain.review_people import Shortfall, asks_of, shortfall
from services.orders.domain.review_plan import plan_steps
from services.orders.domain.reviews import OPEN, SELLER, Review, Step
from services.orders.order import exceptions
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_asked, read_for_change
from services.orders.policies import examples, versions
from services.orders.store import changes, orders, people, waiting
from services.orders.store import reviews as store

DIRECTORY = Actor("directory", "service")


def raise_shortfall(session: Session, aggregate: OrderAggregate, now: datetime) -> None:
    """Open an exception for the standing review when nobody can finish it; resolve the one there is when somebody can."""
    review = aggregate.asked.review
    if review is None or review.state != OPEN:
        return
    eligible = assignees.eligible_of(session, aggregate.order, now)
    standing = exceptions.short_of_people(session, [review.review_id]).get(review.review_id, "")
    _raise(session, eligible, review, shortfall_of(eligible, review, aggregate.asked.change, now), standing, now)


def _raise(
    session: Session,
    eligible: EligibleApprovers,
    review: Review,
    missing: Shortfall | None,
    standing: str,
    now: datetime,
) -> None:
    """`standing` is the reason of the exception that stands for the review; empty without one."""
    if missing is not None:
        names = {person.sub: person.name for person in (*eligible.staff, *eligible.buyers) if person.name}
        sentence = missing.sentence(names)
        exceptions.note_short_of_people(session, review.order_id, review.review_id, sentence, standing, now)
    elif standing:
        exceptions.resolve_short_of_people(session, [review.review_id], "There are enough people now.", now)


def shortfall_of(
    eligible: EligibleApprovers, review: Review, change: ChangeOrder | None, now: datetime
) -> Shortfall | None:
    """Whom a review lacks; None when the people there are can finish it."""

    def case_of(step: Step) -> Case:
        return assignees.case_of(eligible, review, step, change, now)

    everybody = (*eligible.staff, *eligible.buyers)
    asks = asks_of(review, case_of, everybody, lambda step: len(eligible.asked(step, now)))
    # a company without people of its own in the directory knows them by their tokens, which answer for knowledge and decide nothing
    return shortfall(asks if eligible.staff else [ask for ask in asks if ask.is_exclusive])


def recheck(session: Session, contacts: Contacts, now: datetime, customer_id: str = "") -> None:
    """After people, delegations or who sells to a customer changed: look at every open review, or at those of one customer.

    A step that asks nobody any more goes to who acts for them, and they are told. Only orders with something to do are taken.
    """
    for eligible, review, change, standing in _reviewed(session, customer_id, now):
        _raise(session, eligible, review, shortfall_of(eligible, review, change, now), standing, now)
        if any(_new_substitutes(eligible, step, now) for step in review.open_steps()):
            reassign(session, read_for_change(session, review.order_id), contacts, now)


def _reviewed(
    session: Session, customer_id: str, now: datetime
) -> Iterator[tuple[EligibleApprovers, Review, ChangeOrder | None, str]]:
    """Open reviews by order with what is asked about them: whom they may ask, the pending change, the reason of their exception."""
    last = ""
    while order_ids := waiting.reviewed_orders(session, after=last, customer_id=customer_id):
        last = order_ids[-1]
        loaded = orders.load_many(session, order_ids)
        eligible = assignees.eligible_by_order(session, loaded, now)
        pending = changes.pending_of(session, order_ids)
        found = [one for each in store.of_orders(session, order_ids).values() for one in each if one.state == OPEN]
        standing = exceptions.short_of_people(session, [review.review_id for review in found])
        for review in sorted(found, key=lambda each: each.order_id):
            order_id = review.order_id
            yield eligible[order_id], review, pending.get(order_id), standing.get(review.review_id, "")


def _new_substitutes(eligible: EligibleApprovers, step: Step, now: datetime) -> tuple[str, ...]:
    """Who acts for a step that asks nobody any more and was not given to them yet."""
    found = (person.sub for person in eligible.substitutes(step, now))
    return tuple(sub for sub in found if sub not in step.escalated_to)


def reassign(session: Session, before: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    """Open steps of a locked order that ask nobody any more go to who acts for them, who are told; the caller restates."""
    review = before.asked.review
    if review is None or review.state != OPEN:
        return before
    eligible = assignees.eligible_of(session, before.order, now)
    given = {step: subs for step in review.open_steps() if (subs := _new_substitutes(eligible, step, now))}
    for step, subs in given.items():
        _give(session, eligible, review, replace(step, escalated_to=(*step.escalated_to, *subs)), contacts, now)
    after = replace(before, asked=read_asked(session, before.order_id)) if given else before
    for step, subs in given.items():
        more = {"step_id": step.step_id, "step": step.asks, "to": list(subs)}
        why = f"nobody who was asked for the {step.question} may decide it any more"
        note_event(session, before, after, DIRECTORY, "review_reassigned", now, why=why, more=more)
    return after


def _give(
    session: Session, eligible: EligibleApprovers, review: Review, step: Step, contacts: Contacts, now: datetime
) -> None:
    store.change_steps(session, [step.step_id], {"escalated_to": list(step.escalated_to)})
    policy = versions.policy_of(session, review.policy_version)
    assignees.notify_opened(session, eligible, policy, step, contacts, now)


def short_rows(session: Session, policy: Policy, now: datetime) -> tuple[str, ...]:
    """What to know of a policy before it asks anybody: rows that the people there are could never finish, whatever the amount.

    Rows of buyers' chains and steps of sales ask other people for each customer, so nothing is said of them.
    """
    staff = people.of_company(session, "")
    names = {person.sub: person.name for person in staff if person.name}
    delegations = people.standing_delegations(session, now)
    order = examples.example_order()
    found = []
    for rule in policy.reviews:
        review = _example(rule, policy, order.currency, now)
        eligible = EligibleApprovers(order, Parties(""), delegations, staff, ())
        missing = shortfall_of(eligible, review, None, now)
        if missing is not None:
            found.append(f"{rule.code}: {missing.sentence(names)}")
    return tuple(found)


def _example(rule: ReviewRule, policy: Policy, currency: str, now: datetime) -> Review:
    """The review of an order that falls under one row alone and costs nothing."""
    review = Review("", "", 1, policy.version, OPEN, now, 0, currency)
    numbers = count(1)
    steps = plan_steps([Hit(rule)] if rule.chain == SELLER else (), review, lambda: str(next(numbers)))
    return replace(review, steps=tuple(step for step in steps if step.role != SALES))
