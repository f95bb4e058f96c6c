"""Recording what a turn of the saga came to: the milestone, and what people are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, Refused
from services.kernel.invoicing import AT_ORDER
from services.orders.approvals import holds, manufacturing, promise_ledger
from services.orders.domain import mails
from services.orders.domain.cancellation import DECLINED, DONE, REQUESTED
from services.orders.domain.exceptions import (
    UNDELIVERABLE_ADDRESS,
    WORKFLOW_LOST,
    interruption,
    undeliverable_reason,
)
from services.orders.domain.holds import remaining
from services.orders.domain.mails import Contacts, Promise
from services.orders.domain.order import ACCEPTED, CANCELLED
from services.orders.domain.projection import is_complete
from services.orders.domain.promise_ledger import ACCEPTANCE, CHANGE, FILL, SOURCING
from services.orders.domain.promises import heard
from services.orders.order import exceptions, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, advance, note_event, read_for_change, restate
from services.orders.order.charged_fees import ChargedFee, charged_fee, has_fee
from services.orders.store import holds as hold_store
from services.orders.store import masterdata, orders

WORKFLOW = Actor("workflow", "service")
_HAS_LEFT = "a shipment has left meanwhile: cancel again what has not shipped, and ask for a return of the rest"


@dataclass(frozen=True, slots=True)
class Milestone:
    """What the saga reached; `promises` only with accepted, allocated and sourced_again, a `reason` with undeliverable, failed, interrupted, sourced_again."""

    name: str
    version: int
    reason: str = ""
    subject_id: str = ""
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A milestone on its way into the order: where, what, when."""

    session: Session
    aggregate: OrderAggregate
    milestone: Milestone
    contacts: Contacts
    now: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """The status word now shown, whether nothing more is to be delivered, invoiced or paid, whether it is invoiced before it ships, and
    what cancelling it costs. It `frees_money` where some was kept for a fee until this was recorded.
    """

    status: str
    is_complete: bool
    is_invoiced_at_order: bool = False
    fee: ChargedFee | None = None
    frees_money: bool = False


def record(session: Session, order_id: str, milestone: Milestone, contacts: Contacts, now: datetime) -> Recorded:
    """Store a milestone. An unknown one is InvalidArgument, one that the order's phase forbids Refused ILLEGAL_TRANSITION."""
    act = MILESTONES.get(milestone.name)
    if act is None:
        known = ", ".join(MILESTONES)
        raise InvalidArgument("MILESTONE_UNKNOWN", f"{milestone.name[:40]!r} is no milestone: one of {known}")
    before = read_for_change(session, order_id)
    if milestone.version and milestone.version != before.order.version:
        sentence = f"the order is at version {before.order.version}, the turn worked on {milestone.version}"
        raise Refused("VERSION_STALE", sentence, version=str(before.order.version))
    asked = _pending_reason(session, order_id) if milestone.name == "cancelled" else ""
    after = restate(session, act(Turn(session, before, milestone, contacts, now)), now)
    more = {"subject_id": milestone.subject_id} if milestone.subject_id else {}
    why = _why(milestone, after, asked)
    note_event(session, before, after, WORKFLOW, _event(milestone, after), now, why=why, more=more)
    after = notify_backorders(session, after, contacts, now)
    is_at_order = after.order.invoicing == AT_ORDER
    fee = charged_fee(session, after.order) if after.order.phase == CANCELLED else None
    frees_money = milestone.name == "cancelled" and after.order.accepted_at is None and has_fee(session, after.order_id)
    return Recorded(after.standing.status, is_complete(after.order, after.progress), is_at_order, fee, frees_money)


def _event(milestone: Milestone, after: OrderAggregate) -> str:
    if milestone.name == "cancelled" and after.order.phase != CANCELLED:
        return "cancellation_declined"
    return _EVENTS.get(milestone.name, f"order_{milestone.name}")


def _why(milestone: Milestone, after: OrderAggregate, asked: str) -> str:
    """What people read in the log: a reason, never an id, and nothing where the event says it all."""
    if milestone.name == "cancelled":
        return asked if after.order.phase == CANCELLED else f"the order is {after.order.phase} already"
    if milestone.name == "cancel_refused":
        return _HAS_LEFT
    return milestone.reason if milestone.name in ("failed", "undeliverable", "interrupted", "sourced_again") else ""


def _allocated(turn: Turn) -> OrderAggregate:
    session, aggregate = turn.session, turn.aggregate
    given = turn.milestone.promises or aggregate.promises
    promises = promise_ledger.dated(session, aggregate, given, turn.now)
    return replace(aggregate, promises=manufacturing.with_plant_days(session, aggregate.order, promises))


def _filled(turn: Turn) -> OrderAggregate:
    return promise_ledger.promise(turn.session, _allocated(turn), FILL, turn.contacts, turn.now)


def _changed(turn: Turn) -> OrderAggregate:
    """The customer has read of the change itself."""
    aggregate = _allocated(turn)
    aggregate = replace(aggregate, promises=heard(aggregate.promises))
    return promise_ledger.promise(turn.session, aggregate, CHANGE, None, turn.now)


def _sourced_again(turn: Turn) -> OrderAggregate:
    return promise_ledger.promise(turn.session, _allocated(turn), SOURCING, turn.contacts, turn.now)


def _accepted(turn: Turn) -> OrderAggregate:
    """Keep the promises and send e-mail 2, once."""
    session, aggregate, now = turn.session, _allocated(turn), turn.now
    if aggregate.order.phase != ACCEPTED:
        raise Refused("ILLEGAL_TRANSITION", f"an order that is {aggregate.order.phase} cannot be recorded as accepted")
    if aggregate.order.accepted_at is not None:
        return aggregate
    orders.change(session, aggregate.order_id, {"accepted_at": now})
    aggregate = replace(aggregate, order=replace(aggregate.order, accepted_at=now))
    customer = masterdata.customer(session, aggregate.order.customer_id)
    outbox.mail(session, aggregate.order, mails.order_accepted(aggregate.order, customer, aggregate.promises), now)
    return promise_ledger.promise(session, aggregate, ACCEPTANCE, None, now)


def _undeliverable(turn: Turn) -> OrderAggregate:
    """No carrier serves the address: support holds a cleared order until that has changed, before anything is promised."""
    session, order, now = turn.session, turn.aggregate.order, turn.now
    if order.accepted_at is not None:
        raise Refused("ILLEGAL_TRANSITION", "an order whose dates are promised is held no more: change or cancel it")
    happened = undeliverable_reason(order.ship_to)
    reason = f"{happened[:-1]}: enter a rate for its zone, and the order goes on by itself, or change the address."
    aggregate = advance(session, turn.aggregate, "hold", WORKFLOW, now)
    aggregate = holds.place(session, aggregate, "CARRIER_MISSING", "ship_to", "support", reason, now)
    [placed] = set(aggregate.holds) - set(turn.aggregate.holds)
    exceptions.open_exception(session, order.order_id, UNDELIVERABLE_ADDRESS, placed.hold_id, happened, now)
    holds.notify_owners(session, aggregate, remaining(aggregate.holds), turn.contacts, now)
    return aggregate


def _cancelled(turn: Turn) -> OrderAggregate:
    """Cancel it, unless people or the clock were quicker: then it has ended as they said, and the request is declined."""
    phase = turn.aggregate.order.phase
    if turn.aggregate.order.has_ended:
        state, why = (DONE, "") if phase == CANCELLED else (DECLINED, f"the order is {phase} already")
        hold_store.settle_cancellation(turn.session, turn.aggregate.order_id, state, why, turn.now)
        return turn.aggregate
    asked = _pending_reason(turn.session, turn.aggregate.order_id)
    aggregate = advance(turn.session, turn.aggregate, "cancel", WORKFLOW, turn.now, asked)
    hold_store.settle_cancellation(turn.session, aggregate.order_id, DONE, "", turn.now)
    customer = masterdata.customer(turn.session, aggregate.order.customer_id)
    outbox.mail(turn.session, aggregate.order, mails.order_cancelled(customer, asked), turn.now)
    return aggregate


def _cancel_refused(turn: Turn) -> OrderAggregate:
    hold_store.settle_cancellation(turn.session, turn.aggregate.order_id, DECLINED, _HAS_LEFT, turn.now)
    return turn.aggregate


def _closed(turn: Turn) -> OrderAggregate:
    hold_store.settle_cancellation(turn.session, turn.aggregate.order_id, DECLINED, "the order is complete", turn.now)
    return advance(turn.session, turn.aggregate, "close", WORKFLOW, turn.now)


def _failed(turn: Turn) -> OrderAggregate:
    """A saga that breaks off after its order has ended changes nothing of it."""
    if turn.aggregate.order.has_ended:
        return turn.aggregate
    hold_store.settle_cancellation(turn.session, turn.aggregate.order_id, DECLINED, "the order failed", turn.now)
    return advance(turn.session, turn.aggregate, "fail", WORKFLOW, turn.now, turn.milestone.reason)


def _interrupted(turn: Turn) -> OrderAggregate:
    """The order stays as it is: what its workflow could not do, the next run goes on with."""
    order_id, why = turn.aggregate.order_id, interruption(turn.milestone.reason)
    exceptions.open_exception(turn.session, order_id, WORKFLOW_LOST, order_id, why, turn.now)
    return turn.aggregate


def _pending_reason(session: Session, order_id: str) -> str:
    """Why all of it is to be cancelled; a request for units of it ends with the order."""
    found = hold_store.cancellations_of(session, order_id)
    asked = [one for one in found if one.state == REQUESTED and not one.change_id]
    return asked[0].reason if asked else ""


MILESTONES: dict[str, Callable[[Turn], OrderAggregate]] = {
    "undeliverable": _undeliverable,
    "accepted": _accepted,
    "allocated": _filled,
    "changed": _changed,
    "sourced_again": _sourced_again,
    "cancelled": _cancelled,
    "cancel_refused": _cancel_refused,
    "closed": _closed,
    "failed": _failed,
    "interrupted": _interrupted,
}
_EVENTS = {
    "undeliverable": "order_held",
    "interrupted": "workflow_interrupted",
    "changed": "change_settled",
    "cancel_refused": "cancellation_declined",
}


def notify_backorders(session: Session, aggregate: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    """Tell customer, sales representative and warehouse manager of units that wait, once, and never before the acceptance.

    The milestone and inventory's fact race each other: whichever comes second finds both true.
    """
    order = aggregate.order
    waiting = mails.waiting_units(order, aggregate.progress)
    if order.is_backorder_notified or order.accepted_at is None or order.has_ended or not waiting:
        return aggregate
    orders.change(session, order.order_id, {"is_backorder_notified": True})
    customer = masterdata.customer(session, order.customer_id)
    outbox.mail(session, order, mails.backorder_created(order, customer, contacts, waiting, aggregate.promises), now)
    return replace(aggregate, order=replace(order, is_backorder_notified=True))
