"""The versions of an order: those that changes have replaced, and the one that a change will make."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from services.orders.domain.changes import APPLIED
from services.orders.domain.order import Order
from services.orders.domain.projection import LineQuantities, quantities
from services.orders.domain.versions import KeptVersion
from services.orders.domain.withholding import withheld_lines
from services.orders.order.aggregate import read
from services.orders.order.change_orders import find_change
from services.orders.store import versions as store


def replaced_versions(session: Session, order: Order) -> tuple[KeptVersion, ...]:
    """Every version of the order before the one in force, oldest first."""
    return store.of_order(session, order)


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """The order as a change makes it, its lines' quantities, and the lines of the order as it stands that are held back.

    `is_cancellation`: the change cancels units.
    """

    order: Order
    lines: dict[str, LineQuantities]
    withheld_line_ids: frozenset[str] = frozenset()
    is_cancellation: bool = False


def changed_order(session: Session, order_id: str, change_id: str) -> ChangedOrder:
    """The order as a change makes it; NotFound for a change it does not have.

    A change that was applied gives the order as it stands.
    """
    aggregate = read(session, order_id)
    change = find_change(session, order_id, change_id)
    if change.state == APPLIED:
        return ChangedOrder(aggregate.order, aggregate.lines(), is_cancellation=change.is_cancellation)
    becomes = store.becomes(session, aggregate.order, change_id)
    lines, withheld = quantities(becomes, aggregate.progress), withheld_lines(aggregate.order, change)
    return ChangedOrder(becomes, lines, withheld, change.is_cancellation)
