"""The change orders of an order, as they stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session

from services.orders.domain.changes import ChangeOrder
from services.orders.domain.withholding import touched_lines
from services.orders.store import changes as store
from services.orders.store import orders


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that is on its way, and the ids of the order's lines that it touches."""

    change: ChangeOrder
    line_ids: frozenset[str]


def change_orders_of(session: Session, order_id: str) -> tuple[ChangeOrder, ...]:
    """Every change that was asked of the order, oldest first."""
    return store.of_order(session, order_id)


def find_change(session: Session, order_id: str, change_id: str) -> ChangeOrder:
    """One change of the order; NotFound for a change that it does not have."""
    return store.find(session, order_id, change_id)


def pending_of_orders(session: Session, order_ids: Collection[str]) -> dict[str, PendingChange]:
    """Order id → its change that is on its way; orders without one are missing."""
    found = store.pending_of(session, sorted(order_ids))
    if not found:
        return {}
    return {
        order.order_id: PendingChange(found[order.order_id], touched_lines(order, found[order.order_id]))
        for order in orders.load_many(session, sorted(found))
    }
