"""The change orders of an order, as they stand."""

from __future__ import annotations

from sqlmodel import Session

from services.orders.domain.changes import ChangeOrder
from services.orders.store import changes as store


def change_orders_of(session: Session, order_id: str) -> tuple[ChangeOrder, ...]:
    """Every change that was asked of the order, oldest first."""
    return store.of_order(session, order_id)


def find_change(session: Session, order_id: str, change_id: str) -> ChangeOrder:
    """One change of the order; NotFound for a change that it does not have."""
    return store.find(session, order_id, change_id)
