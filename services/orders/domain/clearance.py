"""Clearance: what stands between an order version and its warehouses, and the deadline that comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.orders.domain import changes, order
from services.orders.domain.changes import AGREED, AWAITING_CUSTOMER, AWAITING_WAREHOUSE, ChangeOrder
from services.orders.domain.order import Order
from services.orders.domain.reviews import CHANGES_REQUESTED, Review
from services.orders.domain.waiting import Asked, WaitingFor

WAITING = "waiting"
CLEARED = "cleared"
REJECTED = "rejected"
EXPIRED = "expired"
ENDED = "ended"

REMIND = "remind"
ESCALATE = "escalate"
EXPIRE_REVIEW = "expire_review"
EXPIRE_CONSENT = "expire_consent"
RESUME_RELEASE = "resume_release"
ESCALATE_RECALL = "escalate_recall"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that happens by itself unless somebody acts before.

    `what` is remind, escalate, expire_review, expire_consent, resume_release: what a change holds back goes to the warehouses, or
    escalate_recall: a warehouse has not said whether it gives units back.

    `subject_id` is the step or the change it belongs to, `about` says which, as people read it: "manager approval".
    """

    at: datetime
    what: str
    subject_id: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Clearance:
    """What the order's workflow must know: may it go on, is there an agreed change to settle, and when to look again.

    `state`: waiting, cleared, rejected, expired, or ended in another way. `change_id` names a change that is agreed and not
    settled; it comes before everything else. `waiting_for` says in words whom a waiting order waits for and for what: roles,
    never names. `withholding_change_id` names a change that holds back lines of an accepted order.
    """

    state: str
    change_id: str = ""
    deadline: Deadline | None = None
    waiting_for: str = ""
    withholding_change_id: str = ""


def clearance(subject: Order, asked: Asked, waiting: WaitingFor | None, *, is_held: bool = False) -> Clearance:
    """Derived from what is stored; the phase is moved in the transaction of each decision, so it is the truth here.

    `waiting` is whom the order waits for, as its standing says. An accepted order that `is_held` by what has changed since waits
    too: nothing more of it goes to a warehouse.
    """
    change = asked.change
    withholding = change.change_id if change is not None and change.is_withholding else ""
    agreed = change.change_id if change is not None and change.state == AGREED else ""
    state = {
        order.RECEIVED: WAITING,
        order.IN_REVIEW: WAITING,
        order.ACCEPTED: WAITING if is_held else CLEARED,
        order.REJECTED: REJECTED,
        order.EXPIRED: EXPIRED,
    }.get(subject.phase, ENDED)
    if subject.has_ended:
        return Clearance(state)
    words = waiting.text if waiting is not None and state == WAITING else ""
    return Clearance(state, agreed, next_deadline(asked.reviews, change), words, withholding)


def next_deadline(reviews: Sequence[Review], change: ChangeOrder | None) -> Deadline | None:
    """The earliest of everything that is due; an order whose change waits for the customer is not reviewed meanwhile."""
    pending = change if change is not None and change.state in changes.PENDING else None
    is_with_customer = pending is not None and pending.state == AWAITING_CUSTOMER
    due = [*(_of_change(pending) if pending is not None else ()), *(() if is_with_customer else _of_steps(reviews))]
    return min(due, key=lambda one: (one.at, one.subject_id), default=None)


def _of_change(pending: ChangeOrder) -> Iterator[Deadline]:
    """The end of its withholding comes before the end of its consent where both are due at once: people are told of it."""
    if pending.is_withholding and pending.withholds_until:
        yield Deadline(pending.withholds_until, RESUME_RELEASE, pending.change_id, "change that is pending")
    if pending.state == AWAITING_CUSTOMER and pending.consent_expires_at:
        yield Deadline(pending.consent_expires_at, EXPIRE_CONSENT, pending.change_id, "answer to the change")
    if pending.state == AWAITING_WAREHOUSE and pending.answer_due_at:
        yield Deadline(pending.answer_due_at, ESCALATE_RECALL, pending.change_id, "answer to the recall")


def _of_steps(reviews: Sequence[Review]) -> Iterator[Deadline]:
    for review in reviews:
        if review.state == CHANGES_REQUESTED:
            yield from _of_unanswered(review)
            continue
        for step in review.open_steps() if review.is_open else ():
            if step.remind_at and not step.reminded_at and not step.escalated_at:
                yield Deadline(step.remind_at, REMIND, step.step_id, step.question)
            elif step.escalate_at and not step.escalated_at:
                yield Deadline(step.escalate_at, ESCALATE, step.step_id, step.question)
            elif step.expires_at:
                yield Deadline(step.expires_at, EXPIRE_REVIEW, step.step_id, step.question)


def _of_unanswered(review: Review) -> Iterator[Deadline]:
    """Whoever was asked for changes has until the end that the step would have had."""
    for step in review.steps:
        if step.state == CHANGES_REQUESTED and step.expires_at:
            yield Deadline(step.expires_at, EXPIRE_REVIEW, step.step_id, "changes that the review asked for")
