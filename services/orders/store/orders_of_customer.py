"""What orders a customer has, without reading them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import Session

from services.orders.domain.access import Scope
from services.orders.domain.order import ENDED, OrderHead
from services.orders.models import OrderRow
from services.orders.store.orders import within
from services.runtime.db import table_of

_order = table_of(OrderRow)


def living(session: Session, customer_id: str, limit: int = 5) -> list[str]:
    """Numbers of a customer's orders that have not ended, the oldest first."""
    query = select(_order.c.number).where(_order.c.customer_id == customer_id, _order.c.phase.notin_(sorted(ENDED)))
    return list(session.scalars(query.order_by(_order.c.placed_at).limit(limit)))


def headed(session: Session, order_ids: Collection[str], scope: Scope) -> dict[str, OrderHead]:
    """Order id → what the order is called, of those that exist and the scope shows."""
    shown = (_order.c.order_id, _order.c.number, _order.c.customer_id, _order.c.customer_name)
    query = select(*shown).where(_order.c.order_id.in_(sorted(order_ids)), within(scope))
    return {row.order_id: OrderHead(*row) for row in session.execute(query)}


def newest_of(session: Session, customer_id: str) -> str:
    """The id of a customer's newest order; empty without one."""
    query = select(_order.c.order_id).where(_order.c.customer_id == customer_id)
    return str(session.execute(query.order_by(_order.c.placed_at.desc()).limit(1)).scalar() or "")
