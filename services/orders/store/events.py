"""The event log: one row a change, numbered without gaps within its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlmodel import Session, col

from services.orders.domain.access import EVERYTHING, Scope
from services.orders.models import EventRow, OrderRow
from services.orders.store.orders import within
from services.runtime.db import table_of

_order = table_of(OrderRow)
_ADD = insert(table_of(EventRow))
_COUNT = (
    update(_order)
    .where(_order.c.order_id == bindparam("of"))
    .values(event_count=_order.c.event_count + 1)
    .returning(_order.c.event_count)
)
_COLUMNS = ("order_id", "sequence", "occurred_at", "who", "role", "what", "why", "before", "after")


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded change: who, in which role, did what, why, and what it was before and after."""

    order_id: str
    sequence: int
    occurred_at: datetime
    who: str
    role: str
    what: str
    why: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def append(
    session: Session,
    order_id: str,
    *,
    who: str,
    role: str,
    what: str,
    now: datetime,
    why: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Add an event and give its number; the number comes from the order's own row, so there is no gap and no double."""
    sequence = int(session.execute(_COUNT, {"of": order_id}).scalar_one())
    values = {"order_id": order_id, "sequence": sequence, "occurred_at": now, "who": who, "role": role, "what": what}
    session.execute(_ADD, {**values, "why": why, "before": dict(before or {}), "after": dict(after or {})})
    return sequence


def of_order(
    session: Session, order_id: str, *, scope: Scope = EVERYTHING, after: int = 0, limit: int = 500
) -> list[Event]:
    """Events of an order that the scope shows, oldest first, beginning behind `after`."""
    query = select(EventRow).join(OrderRow, col(OrderRow.order_id) == col(EventRow.order_id))
    query = query.where(col(EventRow.order_id) == order_id, col(EventRow.sequence) > after, within(scope))
    rows = session.scalars(query.order_by(col(EventRow.sequence)).limit(limit))
    return [Event(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows]


def newest_sequence(session: Session, order_id: str) -> int:
    """How many events an order has."""
    query = select(func.coalesce(func.max(col(EventRow.sequence)), 0)).where(col(EventRow.order_id) == order_id)
    return int(session.execute(query).scalar_one())


def exists(session: Session, order_id: str) -> bool:
    """Whether there is such an order to note something of."""
    return session.execute(select(_order.c.order_id).where(_order.c.order_id == order_id)).first() is not None
