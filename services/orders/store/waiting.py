"""Which orders wait for people: those with an open hold, an open review step or an open exception."""

from __future__ import annotations

from sqlalchemy import select, union
from sqlmodel import Session, col

from services.orders.domain.reviews import OPEN
from services.orders.models import BusinessExceptionRow, HoldRow, OrderRow, StepRow


def waiting_orders(session: Session, *, after: str = "", limit: int = 200) -> list[str]:
    """Ids of orders that wait for somebody, in their order, behind `after`."""
    found = union(
        select(col(HoldRow.order_id)).where(col(HoldRow.released_at).is_(None)),
        select(col(StepRow.order_id)).where(col(StepRow.state) == OPEN),
        select(col(BusinessExceptionRow.order_id)).where(col(BusinessExceptionRow.resolved_at).is_(None)),
    ).subquery()
    query = select(found.c.order_id).where(found.c.order_id > after).order_by(found.c.order_id).limit(limit)
    return [str(order_id) for order_id in session.scalars(query)]


def reviewed_orders(session: Session, *, after: str = "", customer_id: str = "", limit: int = 200) -> list[str]:
    """Ids of orders with an open review step, in their order, behind `after`; of one customer when named."""
    query = select(col(StepRow.order_id)).distinct().where(col(StepRow.state) == OPEN, col(StepRow.order_id) > after)
    if customer_id:
        query = query.join(OrderRow, col(OrderRow.order_id) == col(StepRow.order_id))
        query = query.where(col(OrderRow.customer_id) == customer_id)
    return [str(order_id) for order_id in session.scalars(query.order_by(col(StepRow.order_id)).limit(limit))]
