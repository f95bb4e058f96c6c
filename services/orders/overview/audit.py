"""The audit: what breaks an invariant of orders, and how far orders have come, for comparison with the other services."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from services.orders.domain.order import Order
from services.orders.domain.projection import LineQuantities, quantities
from services.orders.store import audit, orders, progress
from services.runtime.audit import Finding


def findings(session: Session) -> list[Finding]:
    """Every invariant of orders with who breaks it."""
    return audit.findings(session)


def reached(session: Session, order_ids: Sequence[str]) -> dict[str, tuple[Order, dict[str, LineQuantities]]]:
    """Order id → the order and its lines' quantities, of those that exist."""
    found = {order.order_id: order for order in orders.load_many(session, order_ids)}
    kept = progress.load_many(session, sorted(found))
    return {order_id: (order, quantities(order, kept[order_id].progress)) for order_id, order in found.items()}
