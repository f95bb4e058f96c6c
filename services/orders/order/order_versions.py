"""The versions of an order: those that changes have replaced, and the one that a change will make."""

from __future__ import annotations

from sqlmodel import Session

from services.orders.domain.changes import APPLIED
from services.orders.domain.order import Order
from services.orders.domain.projection import LineQuantities, quantities
from services.orders.domain.versions import KeptVersion
from services.orders.order.aggregate import read
from services.orders.order.change_orders import find_change
from services.orders.store import versions as store


def replaced_versions(session: Session, order: Order) -> tuple[KeptVersion, ...]:
    """Every version of the order before the one in force, oldest first."""
    return store.of_order(session, order)


def changed_order(session: Session, order_id: str, change_id: str) -> tuple[Order, dict[str, LineQuantities]]:
    """The order as a change makes it, and its lines' quantities; NotFound for a change it does not have.

    A change that was applied gives the order as it stands.
    """
    aggregate = read(session, order_id)
    change = find_change(session, order_id, change_id)
    if change.state == APPLIED:
        return aggregate.order, aggregate.lines()
    becomes = store.becomes(session, aggregate.order, change_id)
    return becomes, quantities(becomes, aggregate.progress)
