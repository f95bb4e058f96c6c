"""Open orders and their workflows: which should have one, and how often one was started again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, insert, select
from sqlmodel import Session

from services.orders.domain.exceptions import WORKFLOW_LOST
from services.orders.domain.order import ENDED
from services.orders.models import BusinessExceptionRow, OrderRow, ResumptionRow, outbox
from services.runtime.db import table_of

_order, _exception, _resumption = table_of(OrderRow), table_of(BusinessExceptionRow), table_of(ResumptionRow)


def open_orders(
    session: Session, starts: Sequence[str], *, placed_before: datetime, after: str, limit: int
) -> list[tuple[str, str]]:
    """Id and number of orders that have not ended, by id behind `after`; none whose workflow a message still is to start."""
    starting = exists().where(
        outbox.c.order_id == _order.c.order_id, outbox.c.kind.in_(starts), outbox.c.state == "unsent"
    )
    query = (
        select(_order.c.order_id, _order.c.number)
        .where(_order.c.phase.notin_(sorted(ENDED)), _order.c.order_id > after)
        .where(_order.c.placed_at < placed_before, ~starting)
        .order_by(_order.c.order_id)
        .limit(limit)
    )
    return [(row.order_id, row.number) for row in session.execute(query)]


def reported(session: Session, kind: str) -> dict[str, datetime]:
    """Open orders with an open exception of a kind that is about the order itself: order id → since when."""
    query = select(_exception.c.order_id, _exception.c.since).join(_order, _order.c.order_id == _exception.c.order_id)
    is_open = _exception.c.resolved_at.is_(None), _order.c.phase.notin_(sorted(ENDED))
    return {row.order_id: row.since for row in session.execute(query.where(_exception.c.kind == kind, *is_open))}


def ended_but_interrupted(session: Session) -> list[str]:
    """Ids of orders that have ended while an exception says that nobody carried out what follows from it."""
    query = select(_exception.c.order_id).join(_order, _order.c.order_id == _exception.c.order_id)
    is_over = _exception.c.resolved_at.is_(None), _order.c.phase.in_(sorted(ENDED))
    return [str(found) for found in session.scalars(query.where(_exception.c.kind == WORKFLOW_LOST, *is_over))]


def next_number(session: Session, order_id: str) -> int:
    """The number of the next resumption of an order that is taken, from 1."""
    newest = select(func.max(_resumption.c.number)).where(_resumption.c.order_id == order_id)
    return int(session.execute(newest).scalar() or 0) + 1


def add(session: Session, order_id: str, number: int, *, by: str, role: str, now: datetime) -> None:
    """Keep that the order's workflow is started again."""
    values = {"order_id": order_id, "number": number, "resumed_at": now, "resumed_by": by, "resumed_role": role}
    session.execute(insert(_resumption).values(**values))
