"""Deciding a step of a review: one transaction on the locked order, bound to its version; every refusal is kept."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from services.kernel.clock import Clock
from services.kernel.errors import InvalidArgument, NotFound, NotPermitted, Refused
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.approvals import deciders, limits, manufacturing
from services.orders.approvals.enough_people import raise_shortfall
from services.orders.approvals.holds import clear_if_still_right
from services.orders.approvals.plan_review import open_next, refreshed
from services.orders.changes import consent, ready_date
from services.orders.domain import mails
from services.orders.domain.cases import Authority
from services.orders.domain.mails import Contacts
from services.orders.domain.order import Order
from services.orders.domain.people import both_names
from services.orders.domain.review_plan import MANUFACTURING, is_passed
from services.orders.domain.reviews import (
    APPROVE,
    APPROVED,
    BUYER,
    CHANGES_REQUESTED,
    DECISIONS,
    OPEN,
    REJECT,
    REJECTED,
    REQUEST_CHANGES,
    VOID,
    WAITING,
    Decision,
    Review,
    Step,
    move_review,
)
from services.orders.domain.segregation_of_duties import authority, given_since, handed_since
from services.orders.order import outbox
from services.orders.order.acts import act_of, decided
from services.orders.order.aggregate import Actor, OrderAggregate, advance, note_event, read, read_for_change, restate
from services.orders.order.reviews import end_review
from services.orders.store import events, masterdata, people
from services.orders.store import reviews as store
from services.runtime.db import Database

_EVENTS = {APPROVE: "step_approved", REJECT: "step_rejected", REQUEST_CHANGES: "changes_requested"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody decides on a step, and the order's version that they saw.

    `ready_on` is the plant's own day; without it an approval of the plant confirms the day that its calendar allows.
    """

    step_id: str
    decision: str
    version: int
    note: str = ""
    ready_on: date | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The order after a decision, and the outbox row that lets its workflow look if the caller cannot hand it over."""

    aggregate: OrderAggregate
    decision: Decision
    intent_id: str


def take_decision(
    database: Database, order_id: str, wanted: Wanted, caller: Caller, contacts: Contacts, clock: Clock
) -> Decided:
    """Decide in one transaction; a refusal changes nothing but the event log, which names who wanted what and why not."""
    with keeping_refusals(database, order_id, wanted, caller, clock), database.transaction() as session:
        return decide(session, order_id, wanted, caller, contacts, clock())


@contextmanager
def keeping_refusals(
    database: Database, order_id: str, wanted: Wanted, caller: Caller, clock: Clock
) -> Generator[None]:
    """Around the transaction of a decide(): a refusal is kept in a transaction of its own, and goes on."""
    try:
        yield
    except (NotPermitted, Refused, NotFound) as refusal:
        with database.transaction() as session:
            _keep_refusal(session, order_id, wanted, caller, refusal, clock())
        raise


def decide(
    session: Session, order_id: str, wanted: Wanted, caller: Caller, contacts: Contacts, now: datetime
) -> Decided:
    """Take a decision on the order as it is at this moment; use take_decision() where a refusal must be kept.

    InvalidArgument for words that say nothing, NotFound for a step or an order that the caller may not know of, NotPermitted for
    the wrong person, Refused with the current state for a stale version or a step that is not open.
    """
    _check_note(wanted)
    before = read_for_change(session, order_id, caller.scope)
    review, step = _find(session, order_id, wanted.step_id)
    case = deciders.case_of(session, before, review, step, now)
    decider = limits.decider_in(session, deciders.decider_of(session, caller), review.currency, now)
    right = authority(case, decider, wanted.decision, wanted.version)
    _check_spoken(step, caller, wanted)
    decision = _decision(session, before, step, wanted, caller, right, now)
    actor = Actor(caller.principal.sub, caller.acting_as(step.role))
    act = act_of(session, actor, before.order, decided(wanted.decision, step), acting_for=right.acting_for)
    intent_id = outbox.refresh(session, order_id, "decide", decision.decision_id, act, now)
    store.add_decision(session, decision, step, intent_id)
    take = {APPROVE: _approve, REJECT: _reject, REQUEST_CHANGES: _request_changes}[wanted.decision]
    after = take(session, refreshed(session, before), decision, actor, contacts, now)
    after = restate(session, after, now)
    raise_shortfall(session, after, now)
    more = {
        "step": step.asks,
        "step_id": step.step_id,
        "version": decision.order_version,
        "acting_for": decision.acting_for,
        "ready_on": decision.ready_on.isoformat() if decision.ready_on else "",
    }
    if giver := given_since(right.person, review.opened_at) or handed_since(right.delegation, review.opened_at):
        more["authority_given_by"] = giver  # both names, where a right is younger than what it decides
    note_event(session, before, after, actor, _EVENTS[wanted.decision], now, why=wanted.note, more=more)
    return Decided(after, decision, intent_id)


def _check_note(wanted: Wanted) -> None:
    if wanted.decision not in DECISIONS:
        raise InvalidArgument("DECISION_UNKNOWN", f"a decision is one of {', '.join(DECISIONS)}")
    if wanted.decision != APPROVE and not wanted.note.strip():
        raise InvalidArgument("NOTE_MISSING", "say why in a note: somebody has to act on it")


def _check_spoken(step: Step, caller: Caller, wanted: Wanted) -> None:
    """Who of ours answers for a buyer says who of the customer spoke."""
    if step.chain == BUYER and not caller.principal.has("customer") and not wanted.note.strip():
        raise InvalidArgument("NOTE_MISSING", "say in the note who of the customer answered, and how")


def _find(session: Session, order_id: str, step_id: str) -> tuple[Review, Step]:
    for review in store.of_order(session, order_id):
        for step in review.steps:
            if step.step_id == step_id:
                return review, step
    raise NotFound("STEP_UNKNOWN", "the order has no such step: reload it")


def _decision(
    session: Session,
    aggregate: OrderAggregate,
    step: Step,
    wanted: Wanted,
    caller: Caller,
    right: Authority,
    now: datetime,
) -> Decision:
    ready_on = None
    if step.role == MANUFACTURING and wanted.decision == APPROVE:
        ready_on = manufacturing.ready_day(session, aggregate, step, wanted.ready_on, now)
    elif wanted.ready_on is not None:
        raise InvalidArgument("READY_DAY_NOT_ASKED", "only an approval of the plant names a day: leave ready_on out")
    return Decision(
        decision_id=new_id("dec"),
        step_id=step.step_id,
        order_id=aggregate.order_id,
        order_version=step.order_version,
        decided_by=caller.principal.sub,
        acting_for=right.acting_for,
        role=step.role,
        decision=wanted.decision,
        note=wanted.note,
        decided_at=now,
        ready_on=ready_on,
    )


def _standing(aggregate: OrderAggregate, decision: Decision) -> tuple[Review, Step]:
    review = aggregate.asked.review
    if review is None:
        raise Refused("STEP_NOT_OPEN", "the review has ended: reload the order")
    return review, next(step for step in review.steps if step.step_id == decision.step_id)


def _approve(
    session: Session, aggregate: OrderAggregate, decision: Decision, actor: Actor, contacts: Contacts, now: datetime
) -> OrderAggregate:
    review, step = _standing(aggregate, decision)
    approvals = [one for one in step.decisions if one.decision == APPROVE and not one.is_void]
    if len(approvals) < step.needed:
        return aggregate
    store.change_steps(session, [step.step_id], {"state": APPROVED, "decided_at": now})
    after = open_next(session, refreshed(session, aggregate), contacts, now)
    if step.role == MANUFACTURING:
        after = manufacturing.answered(session, after, step, decision, contacts, now)
        after = ready_date.propose_ready_date(session, after, actor, contacts, now)
    return _finish(session, after, review, actor, contacts, now)


def _finish(
    session: Session, aggregate: OrderAggregate, review: Review, actor: Actor, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """Approve the review when its last step is passed, and let the order go on when nothing else keeps it."""
    steps = next(one.steps for one in aggregate.asked.reviews if one.review_id == review.review_id)
    if not all(is_passed(step) for step in steps if step.state != VOID):
        return aggregate
    change = aggregate.asked.change
    state = move_review(review.state, "approve")
    end_review(session, review.review_id, state, now)
    if review.change_id and change is not None:
        return consent.approve_change(session, refreshed(session, aggregate), change, actor, now)
    return clear_if_still_right(session, refreshed(session, aggregate), actor, contacts, now)


def _reject(
    session: Session, aggregate: OrderAggregate, decision: Decision, actor: Actor, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """The order is rejected, or the change to it; what the plant refuses of an order is sales' to solve, so it is a hold."""
    review, step = _standing(aggregate, decision)
    store.change_steps(session, [step.step_id], {"state": REJECTED, "decided_at": now})
    if review.change_id:
        return _reject_change(session, aggregate, review, decision, actor, now)
    if step.role == MANUFACTURING:
        after = open_next(session, refreshed(session, aggregate), contacts, now)
        after = manufacturing.answered(session, after, step, decision, contacts, now)
        return _finish(session, after, review, actor, contacts, now)
    _end(session, review, decision, move_review(review.state, "reject"), now)
    after = advance(session, refreshed(session, aggregate), "reject", actor, now, decision.note)
    customer = masterdata.customer(session, after.order.customer_id)
    mail = mails.order_rejected(customer, [f"{step.asks} ({_by(session, decision, step)}): {decision.note}"])
    outbox.mail(session, after.order, mail, now)
    return after


def _request_changes(
    session: Session, aggregate: OrderAggregate, decision: Decision, actor: Actor, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """The review waits for sales, or for the buyer's own people, to change the order; a change is proposed again."""
    review, step = _standing(aggregate, decision)
    store.change_steps(session, [step.step_id], {"state": CHANGES_REQUESTED, "decided_at": now})
    if review.change_id:
        # sales read below what is wished, if it is theirs to change
        after = _reject_change(session, aggregate, review, decision, actor, now, is_sales_notified=step.chain == BUYER)
    else:
        _end(session, review, decision, move_review(review.state, "request_changes"), now)
        after = refreshed(session, aggregate)
    _notify_wish(session, after.order, step, decision, contacts, now)
    return after


def _reject_change(
    session: Session,
    aggregate: OrderAggregate,
    review: Review,
    decision: Decision,
    actor: Actor,
    now: datetime,
    *,
    is_sales_notified: bool = True,
) -> OrderAggregate:
    """Only the change comes to an end: the order that it would have changed goes on as it is."""
    change = aggregate.asked.change
    _end(session, review, decision, move_review(review.state, "reject"), now)
    after = refreshed(session, aggregate)
    if change is None:
        return after
    return consent.reject_change(session, after, change, actor, decision.note, now, is_sales_notified=is_sales_notified)


def _notify_wish(
    session: Session, order: Order, step: Step, decision: Decision, contacts: Contacts, now: datetime
) -> None:
    customer = masterdata.customer(session, order.customer_id)
    is_buyers = step.chain == BUYER
    link = (mails.own_order_page if is_buyers else mails.order_page)(contacts, order.number)
    readers = mails.buyer(customer) if is_buyers else mails.of_sales(customer, contacts)
    by = _by(session, decision, step)
    mail = mails.changes_requested(readers, by=by, note=decision.note, link=link, chain=step.chain)
    outbox.mail(session, order, mail, now)


def _by(session: Session, decision: Decision, step: Step) -> str:
    """By name, and for whom; whoever the directory does not know is named by what was asked, never by a login."""
    known = people.of_subs(session, [decision.decided_by, decision.acting_for])
    if decision.decided_by not in known:
        return f"the {step.asks}"
    return both_names(decision.decided_by, decision.acting_for, known)


def _end(session: Session, review: Review, decision: Decision, state: str, now: datetime) -> None:
    """The review has its outcome by one decision: what was not answered yet is not asked any more."""
    end_review(session, review.review_id, state, now)
    rest = [step for step in review.steps if step.step_id != decision.step_id]
    unanswered: Sequence[str] = [step.step_id for step in rest if step.state in (OPEN, WAITING)]
    store.close_steps(session, unanswered, now)


def _keep_refusal(
    session: Session, order_id: str, wanted: Wanted, caller: Caller, refusal: Exception, now: datetime
) -> None:
    """Note a refusal in the log of an order that exists, whether or not the caller may see it."""
    if not events.exists(session, order_id):
        return
    aggregate = read(session, order_id)
    reason = refusal.reason if isinstance(refusal, (NotPermitted, Refused, NotFound)) else type(refusal).__name__
    more = {"step_id": wanted.step_id[:64], "decision": wanted.decision, "version": wanted.version, "refusal": reason}
    actor = Actor(caller.principal.sub, caller.role)
    why = "the order is not theirs to see" if reason == "ORDER_UNKNOWN" else str(refusal)
    note_event(session, aggregate, aggregate, actor, "decision_refused", now, why=why, more=more)
