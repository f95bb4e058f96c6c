"""Deadlines that pass: remind, escalate, expire, go on without a change, unless somebody was quicker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.approvals import assignees, holds
from services.orders.approvals.assignees import EligibleApprovers
from services.orders.approvals.clearance import of_aggregate
from services.orders.approvals.enough_people import raise_shortfall, reassign
from services.orders.approvals.plan_review import refreshed
from services.orders.changes import consent, overtaken, silence
from services.orders.domain import clearance, mails
from services.orders.domain.clearance import Clearance
from services.orders.domain.mails import Contacts
from services.orders.domain.matrix import REJECT_ON_EXPIRY
from services.orders.domain.people import Person
from services.orders.domain.policies import Policy
from services.orders.domain.review_plan import stands_above
from services.orders.domain.reviews import BUYER, CHANGES_REQUESTED, EXPIRED, OPEN, WAITING, Review, Step, move_review
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, OrderAggregate, advance, note_event, read_for_change, restate
from services.orders.order.reviews import end_review
from services.orders.policies import versions
from services.orders.store import masterdata as master_store
from services.orders.store import reviews as store
from services.runtime.roles import AUTHORITY_ROLES

CLOCK = Actor("clock", "service")
REVIEW_EXPIRED = "REVIEW_EXPIRED"
_STORED_AT = {clearance.REMIND: "remind_at", clearance.ESCALATE: "escalate_at", clearance.EXPIRE_REVIEW: "expires_at"}


@dataclass(frozen=True, slots=True)
class Late:
    """A step whose deadline has passed, with the review and the policy it belongs to."""

    aggregate: OrderAggregate
    review: Review
    step: Step
    policy: Policy
    eligible: EligibleApprovers
    contacts: Contacts
    now: datetime


def pass_deadline(
    session: Session, order_id: str, what: str, subject_id: str, at: datetime, now: datetime, contacts: Contacts
) -> Clearance:
    """Do what is due, if it still is, and give the clearance afterwards; an answered question changes nothing.

    `at` is the instant that passed by the workflow's clock, which alone decides that it has: it must be the one stored.
    """
    aggregate = read_for_change(session, order_id)
    if what == clearance.EXPIRE_CONSENT:
        return of_aggregate(_expire_consent(session, aggregate, subject_id, at, contacts, now))
    if what == clearance.RESUME_RELEASE:
        return of_aggregate(_resume_release(session, aggregate, subject_id, at, contacts, now))
    if what == clearance.ESCALATE_RECALL:
        return of_aggregate(restate(session, silence.escalate(session, aggregate, subject_id, at, contacts, now), now))
    late = _late(session, aggregate, what, subject_id, at, contacts, now)
    if late is None:
        return of_aggregate(aggregate)
    act = {clearance.REMIND: _remind, clearance.ESCALATE: _escalate, clearance.EXPIRE_REVIEW: _expire}[what]
    return of_aggregate(act(session, late))


def _expire_consent(
    session: Session, aggregate: OrderAggregate, change_id: str, at: datetime, contacts: Contacts, now: datetime
) -> OrderAggregate:
    change = aggregate.asked.change
    if change is None or change.change_id != change_id or change.consent_expires_at != at:
        return aggregate
    return restate(session, consent.expire_consent(session, aggregate, change, contacts, now), now)


def _resume_release(
    session: Session, aggregate: OrderAggregate, change_id: str, at: datetime, contacts: Contacts, now: datetime
) -> OrderAggregate:
    change = aggregate.asked.change
    is_due = change is not None and change.is_withholding and change.withholds_until == at
    if change is None or change.change_id != change_id or not is_due:
        return aggregate
    return restate(session, overtaken.resume_release(session, aggregate, change, contacts, now), now)


def _late(
    session: Session,
    aggregate: OrderAggregate,
    what: str,
    step_id: str,
    at: datetime,
    contacts: Contacts,
    now: datetime,
) -> Late | None:
    review = aggregate.asked.review
    if review is None or aggregate.order.has_ended or what not in _STORED_AT:
        return None
    # a review that asked for changes is neither reminded of nor escalated, but it ends
    waiting = OPEN if review.state == OPEN or what != clearance.EXPIRE_REVIEW else CHANGES_REQUESTED
    step = next((step for step in review.steps if step.step_id == step_id and step.state == waiting), None)
    if step is None or getattr(step, _STORED_AT[what]) != at or _is_done(what, step):
        return None
    policy = versions.policy_of(session, review.policy_version)
    return Late(aggregate, review, step, policy, assignees.eligible_of(session, aggregate.order, now), contacts, now)


def _is_done(what: str, step: Step) -> bool:
    reminded, escalated = step.reminded_at is not None, step.escalated_at is not None
    return {clearance.REMIND: reminded or escalated, clearance.ESCALATE: escalated}.get(what, False)


def _remind(session: Session, late: Late) -> OrderAggregate:
    step, now = late.step, late.now
    store.change_steps(session, [step.step_id], {"reminded_at": now})
    notified = late.eligible.notified(late.eligible.asked(step, now), step, now)
    readers = assignees.readers_of(step, notified, late.contacts)
    question = assignees.question(late.eligible, late.policy, step, late.contacts, now)
    mail = mails.approval_reminder(late.aggregate.order, readers, question, now - (step.opened_at or now))
    outbox.mail(session, late.aggregate.order, mail, now)
    return _noted(session, late, refreshed(session, late.aggregate), "review_reminded", "")


def _escalate(session: Session, late: Late) -> OrderAggregate:
    """To the managers of those who were asked, else to everybody above them; they decide with their own limit."""
    step, now = late.step, late.now
    asked = late.eligible.asked(step, now)
    above = _above(late, asked)
    subs = [person.sub for person in above]
    store.change_steps(session, [step.step_id], {"escalated_at": now, "escalated_to": subs})
    names = ", ".join(person.name or step.asks for person in asked) or step.asks
    readers = assignees.readers_of(step, above, late.contacts)
    question = assignees.question(late.eligible, late.policy, step, late.contacts, now)
    waited = now - (step.opened_at or now)
    mail = mails.approval_escalated(late.aggregate.order, readers, question, waited, names)
    outbox.mail(session, late.aggregate.order, mail, now)
    return _noted(session, late, refreshed(session, late.aggregate), "review_escalated", ", ".join(subs))


def _above(late: Late, asked: tuple[Person, ...]) -> tuple[Person, ...]:
    eligible, step = late.eligible, late.step
    everybody = eligible.buyers if step.chain == BUYER else eligible.staff
    out = eligible.out(step, late.now) | {person.sub for person in asked}
    free = [person for person in everybody if person.sub not in out and stands_above(person.roles, step)]
    managers = {person.manager for person in asked if person.manager}
    found = [person for person in free if person.sub in managers]
    if found:
        return tuple(found)
    currency = late.review.currency
    reach = max((person.limit(currency) for person in asked), default=0)
    return tuple(person for person in free if AUTHORITY_ROLES & set(person.roles) and person.limit(currency) > reach)


def _expire(session: Session, late: Late) -> OrderAggregate:
    """Nobody decided: the order is rejected as expired, or support holds it; a change to an accepted order is rejected."""
    review, step, now = late.review, late.step, late.now
    state = move_review(review.state, "expire")
    end_review(session, review.review_id, state, now)
    store.change_steps(session, [step.step_id], {"state": EXPIRED, "decided_at": now})
    rest = [other.step_id for other in review.steps if other.state in (OPEN, WAITING) and other != step]
    store.close_steps(session, rest, now)
    after = refreshed(session, late.aggregate)
    what = "answered what was asked in" if step.state == CHANGES_REQUESTED else "decided"
    why = f"nobody {what} the {step.question} in time"
    if review.change_id:
        return _noted(session, late, _reject_change(session, late, after, why), "review_expired", why)
    end = _reject if late.policy.deadlines.on_expiry == REJECT_ON_EXPIRY else _hold
    return _noted(session, late, end(session, late, after, why), "review_expired", why)


def _reject(session: Session, late: Late, aggregate: OrderAggregate, why: str) -> OrderAggregate:
    after = advance(session, aggregate, "expire", CLOCK, late.now, why)
    customer = master_store.customer(session, after.order.customer_id)
    outbox.mail(session, after.order, mails.order_expired(customer, why), late.now)
    return after


def _reject_change(session: Session, late: Late, aggregate: OrderAggregate, why: str) -> OrderAggregate:
    change = aggregate.asked.change
    return aggregate if change is None else consent.reject_change(session, aggregate, change, CLOCK, why, late.now)


def _hold(session: Session, late: Late, aggregate: OrderAggregate, why: str) -> OrderAggregate:
    reason = f"{why[0].upper()}{why[1:]}; releasing this hold asks again."
    after = holds.place(session, aggregate, REVIEW_EXPIRED, holds.REVIEW_EXPIRED, "support", reason, late.now)
    placed = [hold for hold in after.holds if hold not in aggregate.holds]
    holds.notify_owners(session, after, placed, late.contacts, late.now)
    return after


def _noted(session: Session, late: Late, aggregate: OrderAggregate, what: str, why: str) -> OrderAggregate:
    after = restate(session, reassign(session, aggregate, late.contacts, late.now), late.now)
    raise_shortfall(session, after, late.now)
    more = {"step_id": late.step.step_id, "step": late.step.asks}
    note_event(session, late.aggregate, after, CLOCK, what, late.now, why=why, more=more)
    return after
