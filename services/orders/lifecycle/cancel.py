"""Cancelling a whole order: what it would do, and the request that the workflow settles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.domain import cancellation as domain
from services.orders.domain.access import Scope
from services.orders.domain.cancellation import REQUESTED, Cancellation, CancellationPreview
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, check_version, note_event, read, read_for_change
from services.orders.store import holds as store


@dataclass(frozen=True, slots=True)
class Requested:
    """A stored request to cancel, what it will do, and the outbox row that hands it over if the caller cannot."""

    cancellation: Cancellation
    preview: CancellationPreview
    intent_id: str


def preview(session: Session, order_id: str, scope: Scope, committed: int | None) -> CancellationPreview:
    """What cancelling now would do; nothing changes. `committed` is what billing holds of the customer's credit for it, in
    minor units, and None when billing did not say.
    """
    aggregate = read(session, order_id, scope)
    is_pending = _pending(session, order_id) is not None
    return domain.preview(aggregate.order, aggregate.progress, committed, is_pending=is_pending)


def request(
    session: Session,
    order_id: str,
    caller: Caller,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
    *,
    committed: int | None = None,
) -> Requested:
    """Store a request to cancel the whole order, to be handed to the workflow as `CancelOrder(cancellation_id, reason)`.

    `committed` is as in `preview`.
    Refused ORDER_HAS_ENDED, ALREADY_SHIPPED, CANCELLATION_PENDING or VERSION_STALE. The workflow has the last word: the
    warehouse may have been quicker.
    """
    aggregate = read_for_change(session, order_id, caller.scope)
    check_version(aggregate, expected_version)
    is_pending = _pending(session, order_id) is not None
    domain.check(aggregate.order, aggregate.progress, is_pending=is_pending)
    asked = Cancellation(
        cancellation_id=new_id("can"),
        order_id=order_id,
        state=REQUESTED,
        reason=reason,
        requested_by=caller.principal.sub,
        requested_role=caller.role,
        requested_at=now,
    )
    intent_id = outbox.cancel(session, asked, now)
    store.add_cancellation(session, asked, intent_id)
    actor = Actor(caller.principal.sub, caller.role)
    note_event(session, aggregate, aggregate, actor, "cancellation_requested", now, why=reason)
    consequences = domain.preview(aggregate.order, aggregate.progress, committed, is_pending=False)
    return Requested(asked, consequences, intent_id)


def get(session: Session, order_id: str, cancellation_id: str, scope: Scope) -> Cancellation | None:
    """A request to cancel as it stands; None when the order has no such request."""
    read(session, order_id, scope)
    found = (one for one in store.cancellations_of(session, order_id) if one.cancellation_id == cancellation_id)
    return next(found, None)


def decline(session: Session, order_id: str, reason: str, now: datetime) -> None:
    """Settle the open request as declined: the workflow refused it before it entered its history."""
    before = read_for_change(session, order_id)
    if _pending(session, order_id) is None:
        return
    store.settle_cancellation(session, order_id, domain.DECLINED, reason, now)
    note_event(session, before, before, Actor("workflow", "service"), "cancellation_declined", now, why=reason)


def _pending(session: Session, order_id: str) -> Cancellation | None:
    return next((one for one in store.cancellations_of(session, order_id) if one.state == REQUESTED), None)
