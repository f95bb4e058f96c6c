"""A review's life around its decisions: planned from a evaluation, opened, void, bound to a new version, asked again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.kernel.ids import new_id
from services.orders.approvals import assignees
from services.orders.approvals.assignees import EligibleApprovers, renewed
from services.orders.approvals.enough_people import raise_shortfall, reassign
from services.orders.domain.mails import Contacts
from services.orders.domain.order import Order
from services.orders.domain.owners import owner_of
from services.orders.domain.policies import PlannedHold
from services.orders.domain.review_plan import due_to_open, is_passed, keeps_asking, plan_steps, still_suffices
from services.orders.domain.reviews import APPROVED, EXPIRED, OPEN, REJECTED, VOID, WAITING, WITHDRAWN, Review, Step
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_asked
from services.orders.order.reviews import end_review
from services.orders.policies import versions
from services.orders.policies.evaluate import Evaluation, window_minor
from services.orders.store import reviews as store

POLICY = Actor("policy", "service")


def plan(
    session: Session,
    order: Order,
    evaluation: Evaluation,
    now: datetime,
    change_id: str = "",
    holds: Sequence[PlannedHold] = (),
) -> Review | None:
    """The review that an order version needs, not stored; None when nobody is asked.

    `order` is the version that is reviewed, as it is or as the change will make it. `holds` are those that a change to an
    accepted order calls for: they ask their owner role instead of holding what is under way.
    """
    if not evaluation.hits and not holds:
        return None
    policy = evaluation.policy
    review = Review(
        review_id=new_id("rev"),
        order_id=order.order_id,
        order_version=order.version,
        policy_version=policy.version,
        state=OPEN,
        opened_at=now,
        cumulative_minor=order.totals.total.minor + window_minor(session, policy, order),
        currency=order.currency,
        change_id=change_id,
    )
    sales_rep = assignees.sales_rep_of(session, order)
    steps = plan_steps(evaluation.hits, review, lambda: new_id("step"), holds, lambda role: owner_of(role, sales_rep))
    return replace(review, steps=steps)


def open_review(
    session: Session, aggregate: OrderAggregate, review: Review, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """Keep a planned review and ask its first levels; the caller restates."""
    store.add(session, review)
    after = open_next(session, refreshed(session, aggregate), contacts, now)
    raise_shortfall(session, after, now)
    more = {
        "review_id": review.review_id,
        "asks": [step.asks for step in review.steps],
        "version": review.order_version,
    }
    note_event(session, aggregate, after, POLICY, "review_opened", now, why=_codes(review.steps), more=more)
    return after


def open_next(session: Session, aggregate: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    """Open every level of the standing review that nothing keeps any more, and tell whom it asks."""
    review = aggregate.asked.review
    waiting = due_to_open(review.steps) if review is not None and review.state == OPEN else ()
    if review is None or not waiting:
        return aggregate
    policy = versions.policy_of(session, review.policy_version)
    eligible = assignees.eligible_of(session, aggregate.order, now)
    for step in waiting:
        opened = assignees.open_step(eligible, policy, step, now)
        names = ("state", "opened_at", "needed", "remind_at", "escalate_at", "expires_at")
        values: dict[str, Any] = {name: getattr(opened, name) for name in names}
        values |= {"escalated_to": list(opened.escalated_to)} if opened.escalated_to else {}
        asked_on = opened.asked_on.isoformat() if opened.asked_on else ""
        store.change_steps(session, [step.step_id], {**values, "asked_on": asked_on})
        assignees.notify_opened(session, eligible, policy, opened, contacts, now)
    return refreshed(session, aggregate)


def void_review(session: Session, aggregate: OrderAggregate, now: datetime, why: str) -> OrderAggregate:
    """Nothing that was decided on an order in review, or on a change to it, counts any more; the caller restates.

    Standing, approved and expired reviews become void with their steps and decisions; who decides on them is told 409.
    """
    alive = [
        review
        for review in store.of_order(session, aggregate.order_id)
        if review.state not in (VOID, WITHDRAWN, REJECTED)
    ]
    if not alive:
        return aggregate
    for review in alive:
        end_review(session, review.review_id, VOID, now)
        store.change_steps(session, [step.step_id for step in review.steps], {"state": VOID, "decided_at": now})
        store.void_decisions(session, [step.step_id for step in review.steps])
    after = refreshed(session, aggregate)
    approvals = sum(len(step.decisions) for review in alive for step in review.steps)
    more = {"void_decisions": approvals, "version": aggregate.order.version}
    note_event(session, aggregate, after, POLICY, "review_voided", now, why=why, more=more)
    return after


def rebind_review(
    session: Session, aggregate: OrderAggregate, planned: Review | None, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """After a change that is not material: what was decided stays decided where the new version still asks it.

    `aggregate.order` is the new version already. Steps that it asks no longer become void, those that it asks again are added: also
    what was decided by who has changed the order, or within a limit that no longer covers what is left to it.
    """
    review = _last_alive(store.of_order(session, aggregate.order_id))
    if review is None:
        return open_review(session, aggregate, planned, contacts, now) if planned else refreshed(session, aggregate)
    if planned is None:
        return void_review(session, aggregate, now, "the new version asks nobody")
    wanted = planned.steps
    kept = _kept(assignees.eligible_of(session, aggregate.order, now), review, planned, now)
    dropped = [step for step in review.steps if step not in kept and step.state != VOID]
    added = [asked for asked in wanted if not any(keeps_asking(step, asked) for step in kept)]
    version = aggregate.order.version
    store.rebind(session, review.review_id, [step.step_id for step in kept], version)
    store.change_steps(session, [step.step_id for step in dropped], {"state": VOID, "decided_at": now})
    store.void_decisions(session, [step.step_id for step in dropped])
    store.add_steps(session, [replace(step, review_id=review.review_id, order_version=version) for step in added])
    _close_behind(session, (*kept, *added))
    is_done = all(is_passed(step) for step in kept) and not added
    store.change_review(session, review.review_id, {"cumulative_minor": planned.cumulative_minor})
    if is_done:
        end_review(session, review.review_id, APPROVED, review.decided_at or now)
    else:
        store.change_review(session, review.review_id, {"state": OPEN, "decided_at": None})
    after = reassign(session, open_next(session, refreshed(session, aggregate), contacts, now), contacts, now)
    raise_shortfall(session, after, now)
    more = {"kept": len(kept), "voided": len(dropped), "added": len(added), "version": version}
    note_event(session, aggregate, after, POLICY, "review_rebound", now, why=_codes(kept), more=more)
    return after


def reopen_review(session: Session, aggregate: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    """Ask the last review of this version again: nothing that was decided before counts; nothing without such a review."""
    version = aggregate.order.version
    earlier = [
        review
        for review in store.of_order(session, aggregate.order_id)
        if review.order_version == version and not review.change_id
    ]
    if not earlier or aggregate.asked.review is not None:
        return aggregate
    last = earlier[-1]
    policy = versions.policy_in_force(session)
    review_id = new_id("rev")
    cumulative = aggregate.order.totals.total.minor + window_minor(session, policy, aggregate.order)
    fresh = replace(
        last,
        review_id=review_id,
        policy_version=policy.version,
        state=OPEN,
        opened_at=now,
        cumulative_minor=cumulative,
        decided_at=None,
        steps=tuple(renewed(step, review_id, new_id("step")) for step in last.steps),
    )
    return open_review(session, aggregate, fresh, contacts, now)


def _close_behind(session: Session, steps: Sequence[Step]) -> None:
    """Open steps wait again where a lower level of their chain is asked again."""
    behind = [
        step.step_id
        for step in steps
        if step.is_open
        and any(not is_passed(one) for one in steps if one.chain == step.chain and one.level < step.level)
    ]
    unasked = ("opened_at", "remind_at", "escalate_at", "expires_at", "reminded_at", "escalated_at")
    store.change_steps(session, behind, {"state": WAITING, **dict.fromkeys(unasked), "escalated_to": []})


def _kept(eligible: EligibleApprovers, review: Review, planned: Review, now: datetime) -> list[Step]:
    """The steps of a review that answer what a plan for a new version asks."""
    limits = {person.sub: person.limit(planned.currency) for person in (*eligible.staff, *eligible.buyers)}
    return [
        step
        for step in review.steps
        if step.state != VOID
        and any(keeps_asking(step, asked) for asked in planned.steps)
        and not _by_party(step, eligible.out(step, now))
        and still_suffices(step, planned.steps, limits, planned.cumulative_minor)
    ]


def _by_party(step: Step, out: Collection[str]) -> bool:
    """Whether somebody decided it who may not decide on the new version: whoever changed it, or stands in for them."""
    return any(not one.is_void and {one.decided_by, one.acting_for} & set(out) for one in step.decisions)


def refreshed(session: Session, aggregate: OrderAggregate) -> OrderAggregate:
    """The aggregate with what is asked now."""
    return replace(aggregate, asked=read_asked(session, aggregate.order_id))


def _last_alive(reviews: Sequence[Review]) -> Review | None:
    ended = (VOID, WITHDRAWN, REJECTED, EXPIRED)
    return next((one for one in reversed(reviews) if one.state not in ended and not one.change_id), None)


def _codes(steps: Sequence[Step]) -> str:
    return ", ".join(sorted({code for step in steps for code in step.codes}))
