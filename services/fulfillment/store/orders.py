"""Orders as the floor knows them: who may write, and whether they were cancelled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text, update
from sqlmodel import Session, col

from services.fulfillment.models import OrderRow

_CLAIM = text(
    "INSERT INTO floor_order (order_id, revision, cancel_reason) VALUES (:order_id, 1, '') "
    "ON CONFLICT (order_id) DO UPDATE SET revision = floor_order.revision + 1 RETURNING cancelled_at"
)


def claim(session: Session, order_id: str) -> bool:
    """Become the only writer of this order until the transaction ends; whether the order was cancelled.

    A writer of the same order waits here, and then reads what this transaction wrote: counts over the order's shipments are
    never computed from half of them.
    """
    # the column, not "cancelled_at IS NOT NULL": SQLite 3.40 answers that expression wrongly in RETURNING
    return session.execute(_CLAIM, {"order_id": order_id}).scalar_one() is not None


def mark_cancelled(session: Session, order_id: str, reason: str, now: datetime) -> None:
    """Remember that nothing more may be released; the first reason stays. The order must be claimed."""
    untouched = update(OrderRow).where(col(OrderRow.order_id) == order_id, col(OrderRow.cancelled_at).is_(None))
    session.execute(untouched.values(cancelled_at=now, cancel_reason=reason))
