"""Cancelling or closing what of an order has not shipped: what it would do, and the request that the workflow settles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import Conflict, NotFound, NotPermitted, Refused
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.approvals import production
from services.orders.changes import cancel_units, consent
from services.orders.changes.propose import actor_of, check_changeable
from services.orders.domain import cancellation as domain
from services.orders.domain.access import Scope
from services.orders.domain.amendment import Obstacle
from services.orders.domain.cancellation import REQUESTED, Cancellation, CancellationPreview
from services.orders.domain.cancelled_units import LineToCancel
from services.orders.domain.changes import AWAITING_WAREHOUSE
from services.orders.domain.mails import Contacts
from services.orders.order import outbox
from services.orders.order.acts import act_of
from services.orders.order.aggregate import (
    Actor,
    OrderAggregate,
    check_version,
    note_event,
    read,
    read_for_change,
    restate,
)
from services.orders.store import holds as store

WITHDRAWN = "the cancellation was withdrawn"
_NOT_WAITING = "no warehouse is waited for: the cancellation is settled, or being carried out; reload the order"
_PENDING = Obstacle(
    "CANCELLATION_PENDING",
    "a cancellation or closing is being carried out: wait for its outcome, or withdraw it while a warehouse has not answered",
)


@dataclass(frozen=True, slots=True)
class Requested:
    """A stored request to cancel, what it will do, and the outbox row that hands it over if the caller cannot."""

    cancellation: Cancellation
    preview: CancellationPreview
    intent_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked to go: these lines, without any all that has not shipped; whether as closed, why without a fee, and whether what was paid stays on account."""

    lines: Sequence[LineToCancel]
    is_closing: bool = False
    waived_reason: str = ""
    keeps_cash: bool = False


def _check_waiver(caller: Caller, asked: Asked) -> None:
    if asked.waived_reason and caller.reach == "own":
        raise NotPermitted("FEE_NOT_WAIVED", "only our staff waive a cancellation fee: ask them")


def _check_exchange(caller: Caller, aggregate: OrderAggregate) -> None:
    if aggregate.order.is_exchange and caller.reach == "own":
        raise NotPermitted(
            "EXCHANGE_NOT_CANCELLED", "it replaces goods that you returned: ask our staff, who credit those instead"
        )


ALL = Asked(())
"""All that has not shipped."""


def preview(
    session: Session, order_id: str, caller: Caller, committed: int | None, asked: Asked, now: datetime
) -> CancellationPreview:
    """What cancelling or closing this now would do; nothing changes. NotPermitted as `request`.

    `committed` is what billing holds of the customer's credit for the order, in minor units, and None when billing did not say.
    """
    domain.check_refund(actor_of(caller).role, keeps_cash=asked.keeps_cash)
    _check_waiver(caller, asked)
    found = read(session, order_id, caller.scope)
    _check_exchange(caller, found)
    return _previewed(session, found, committed, asked, now)


def request(
    session: Session,
    order_id: str,
    caller: Caller,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
    *,
    committed: int | None = None,
    asked: Asked = ALL,
) -> Requested:
    """Store a request to cancel or to close, for the workflow: all of an order as `CancelOrder(cancellation_id, reason)`, else by its change.

    `committed` is as in `preview`. NotPermitted FEE_NOT_WAIVED for a customer who waives a fee, EXCHANGE_NOT_CANCELLED for one who cancels what replaces returned goods, REFUND_IS_OWED for who may not keep cash.
    Refused ORDER_HAS_ENDED, ALREADY_SHIPPED, CANCELLATION_PENDING, VERSION_STALE, or by
    what stands against the lines; a part also CHANGE_PENDING and TOO_MANY_CHANGES, and a closing NOT_ACCEPTED and NOTHING_SHIPPED. The warehouses have the last word: they may have
    been quicker.
    """
    domain.check_refund(actor_of(caller).role, keeps_cash=asked.keeps_cash)
    before = read_for_change(session, order_id, caller.scope)
    check_version(before, expected_version)
    _check_waiver(caller, asked)
    _check_exchange(caller, before)
    previewed = _previewed(session, before, committed, asked, now)
    _refuse(previewed.obstacles)
    change_id, intent_id = "", ""
    if previewed.becomes is not None:
        actor = actor_of(caller)
        _, change, intent_id = cancel_units.put_on_its_way(session, before, previewed, actor, reason, now)
        change_id = change.change_id
    stored = Cancellation(
        cancellation_id=new_id("can"),
        order_id=order_id,
        state=REQUESTED,
        reason=reason,
        requested_by=caller.principal.sub,
        requested_role=caller.role,
        requested_at=now,
        change_id=change_id,
        consequence=previewed.consequence,
    )
    if not change_id:
        intent_id = outbox.cancel(session, stored, now)
        actor = Actor(caller.principal.sub, caller.role)
        note_event(session, before, before, actor, "cancellation_requested", now, why=reason)
    store.add_cancellation(session, stored, intent_id)
    return Requested(stored, previewed, intent_id)


def _previewed(
    session: Session, aggregate: OrderAggregate, committed: int | None, asked: Asked, now: datetime
) -> CancellationPreview:
    found = _possible(session, aggregate, committed, asked, now)
    consequence = replace(found.consequence, keeps_cash=asked.keeps_cash)
    return replace(found, consequence=consequence, shipped=domain.shipped_units(aggregate.progress))


def _possible(
    session: Session, aggregate: OrderAggregate, committed: int | None, asked: Asked, now: datetime
) -> CancellationPreview:
    order, progress = aggregate.order, aggregate.progress
    lines, is_closing = asked.lines, asked.is_closing
    fees = production.fee_terms(session, aggregate, asked.waived_reason, now)
    against = (_PENDING,) if store.open_cancellation(session, order.order_id) else ()
    found = domain.preview(order, progress, lines, committed, against, is_closing=is_closing, fees=fees)
    if found.becomes is None:
        return found
    try:
        check_changeable(session, aggregate)
    except (Refused, Conflict) as refusal:
        against = (Obstacle(refusal.reason, refusal.message),)
        return domain.preview(order, progress, lines, committed, against, is_closing=is_closing)
    return found


def _refuse(obstacles: Sequence[Obstacle]) -> None:
    """Refuse by the first obstacle's code, with every one in words; Conflict while the order is being validated."""
    if not obstacles:
        return
    first = obstacles[0]
    if first.code == "ORDER_BEING_VALIDATED":
        raise Conflict(first.code, first.sentence)
    raise Refused(first.code, "; ".join(one.sentence for one in obstacles))


def withdraw(
    session: Session, order_id: str, cancellation_id: str, note: str, caller: Caller, contacts: Contacts, now: datetime
) -> tuple[Cancellation, str]:
    """Take a request back while a warehouse has not answered it; gives it as it stands and the intent that shows it to the workflow.

    Units that were given back meanwhile go to the warehouses again. NotFound CANCELLATION_UNKNOWN; NotPermitted CANCELLATION_NOT_YOURS for a
    customer where our side asked; Refused CANCELLATION_NOT_WAITING for one that is settled, or being carried out because all warehouses have answered.
    """
    before = read_for_change(session, order_id, caller.scope)
    asked = _of(session, order_id, cancellation_id)
    if asked is None:
        raise NotFound("CANCELLATION_UNKNOWN", "the order has no such cancellation: reload it")
    domain.check_withdrawal(caller.reach, asked)
    change = before.asked.change
    if change is None or change.change_id != asked.change_id or change.state != AWAITING_WAREHOUSE:
        raise Refused("CANCELLATION_NOT_WAITING", _NOT_WAITING, state=asked.state)
    actor = actor_of(caller)
    why = f"{WITHDRAWN}: {note}" if note else WITHDRAWN
    after = consent.end(session, before, change, "call_off", why, actor, contacts, now, customer_reason=WITHDRAWN)
    restate(session, after, now)
    act = act_of(session, actor, before.order, "withdrew the cancellation")
    intent_id = outbox.refresh(session, order_id, "amend", change.change_id, act, now)
    return _of(session, order_id, cancellation_id) or asked, intent_id


def get(session: Session, order_id: str, cancellation_id: str, scope: Scope) -> Cancellation | None:
    """A request to cancel as it stands; None when the order has no such request."""
    read(session, order_id, scope)
    return _of(session, order_id, cancellation_id)


def _of(session: Session, order_id: str, cancellation_id: str) -> Cancellation | None:
    found = (one for one in store.cancellations_of(session, order_id) if one.cancellation_id == cancellation_id)
    return next(found, None)


def decline(session: Session, order_id: str, cancellation_id: str, reason: str, now: datetime) -> None:
    """Settle a request as declined: the workflow refused it before it entered its history. One that was settled before stays so."""
    before = read_for_change(session, order_id)
    if store.open_cancellation(session, order_id) != cancellation_id:
        return
    store.settle_cancellation(session, order_id, domain.DECLINED, reason, now)
    note_event(session, before, before, Actor("workflow", "service"), "cancellation_declined", now, why=reason)
