"""Orders as the warehouse knows them: who may write, and whether they were cancelled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text, update
from sqlmodel import Session, col

from services.fulfillment.models import OrderRow
from services.fulfillment.store import shipments

_CLAIM = text(
    "INSERT INTO warehouse_order (order_id, revision, cancel_reason) VALUES (:order_id, 1, '') "
    "ON CONFLICT (order_id) DO UPDATE SET revision = warehouse_order.revision + 1 RETURNING cancelled_at"
)
_CANCELLED_AT = text("SELECT cancelled_at FROM warehouse_order WHERE order_id = :order_id")
_CLAIM_OF_SHIPMENT = text(
    "UPDATE warehouse_order SET revision = revision + 1 "
    "WHERE order_id = (SELECT order_id FROM shipment WHERE shipment_id = :shipment_id) RETURNING order_id"
)
_CLAIM_OF_PARCEL = text(
    "UPDATE warehouse_order SET revision = revision + 1 WHERE order_id = "
    "(SELECT order_id FROM shipment JOIN package ON package.shipment_id = shipment.shipment_id "
    "WHERE package.tracking_number = :tracking_number AND shipment.carrier = :carrier) RETURNING order_id"
)


def claim(session: Session, order_id: str) -> bool:
    """Become the only writer of this order until the transaction ends; whether the order was cancelled.

    A writer of the same order waits here, and then reads what this transaction wrote: counts over the order's shipments are
    never computed from half of them.
    """
    # the column, not "cancelled_at IS NOT NULL": SQLite 3.40 answers that expression wrongly in RETURNING
    return session.execute(_CLAIM, {"order_id": order_id}).scalar_one() is not None


def claim_of_shipment(session: Session, shipment_id: str) -> str:
    """Claim the order that a shipment belongs to, which never changes, and give its id. Raises NotFound."""
    order_id = session.execute(_CLAIM_OF_SHIPMENT, {"shipment_id": shipment_id}).scalar_one_or_none()
    if order_id is None:
        raise shipments.unknown(shipment_id)
    return str(order_id)


def claim_of_parcel(session: Session, carrier: str, tracking_number: str) -> str:
    """Claim the order that the carrier's parcel belongs to, and give its id. Raises NotFound."""
    parcel = {"carrier": carrier, "tracking_number": tracking_number}
    order_id = session.execute(_CLAIM_OF_PARCEL, parcel).scalar_one_or_none()
    if order_id is None:
        raise shipments.unknown_parcel(carrier, tracking_number)
    return str(order_id)


def is_cancelled(session: Session, order_id: str) -> bool:
    """Whether nothing more of the order is released."""
    return session.execute(_CANCELLED_AT, {"order_id": order_id}).scalar_one_or_none() is not None


def mark_cancelled(session: Session, order_id: str, reason: str, now: datetime) -> None:
    """Remember that nothing more may be released; the first reason stays. The order must be claimed."""
    untouched = update(OrderRow).where(col(OrderRow.order_id) == order_id, col(OrderRow.cancelled_at).is_(None))
    session.execute(untouched.values(cancelled_at=now, cancel_reason=reason))
