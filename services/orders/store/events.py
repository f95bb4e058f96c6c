"""The event log: one row a change, numbered without gaps within its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, func, insert, select, update
from sqlmodel import Session, col

from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.events import Event
from services.orders.models import EventRow, OrderRow
from services.orders.store.orders import within
from services.runtime.db import Int64, table_of
from services.runtime.sessions import gather, write_gathered

_order, _event = table_of(OrderRow), table_of(EventRow)
_is_it = _order.c.order_id == bindparam("of")
_COUNT = update(_order).where(_is_it).values(event_count=_order.c.event_count + 1)
_ADD = insert(_event).from_select(
    [column.name for column in _event.c],
    select(
        *(
            _order.c.event_count - bindparam("behind", type_=Int64)
            if column is _event.c.sequence
            else bindparam(column.name, type_=column.type)
            for column in _event.c
        )
    ).where(_is_it),
)
_COLUMNS = ("order_id", "sequence", "occurred_at", "who", "role", "what", "why", "before", "after")


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
) -> None:
    """Add an event before the transaction ends; its number comes from the order's own row, so there is no gap and no double."""
    values = {"order_id": order_id, "occurred_at": now, "who": who, "role": role, "what": what, "why": why}
    gather(session, _write, {**values, "before": dict(before or {}), "after": dict(after or {})})


def _write(session: Session, events: list[dict[str, Any]]) -> None:
    """Count the events of each order, then number them backwards from the count."""
    counted = cast("CursorResult[Any]", session.execute(_COUNT, [{"of": each["order_id"]} for each in events]))
    if counted.rowcount != len(events):
        raise LookupError("an event of an order that is not there")
    to_come = Counter(each["order_id"] for each in events)
    rows = []
    for each in events:
        of = each["order_id"]
        to_come[of] -= 1
        rows.append({**each, "of": of, "behind": to_come[of]})
    session.execute(_ADD, rows)


def of_order(
    session: Session, order_id: str, *, scope: Scope = EVERYTHING, after: int = 0, limit: int = 500
) -> list[Event]:
    """Events of an order that the scope shows, oldest first, beginning behind `after`."""
    write_gathered(session, _write)
    query = select(EventRow).join(OrderRow, col(OrderRow.order_id) == col(EventRow.order_id))
    query = query.where(col(EventRow.order_id) == order_id, col(EventRow.sequence) > after, within(scope))
    rows = session.scalars(query.order_by(col(EventRow.sequence)).limit(limit))
    return [Event(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows]


def of_kinds(session: Session, order_id: str, kinds: Sequence[str], before: datetime) -> list[Event]:
    """Events of an order of some kinds (`what`) that happened until an instant, oldest first."""
    write_gathered(session, _write)
    query = select(EventRow).where(col(EventRow.order_id) == order_id, col(EventRow.what).in_(kinds))
    rows = session.scalars(query.where(col(EventRow.occurred_at) <= before).order_by(col(EventRow.sequence)))
    return [Event(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows]


def newest_sequence(session: Session, order_id: str) -> int:
    """How many events an order has."""
    write_gathered(session, _write)
    query = select(func.coalesce(func.max(col(EventRow.sequence)), 0)).where(col(EventRow.order_id) == order_id)
    return int(session.execute(query).scalar_one())


def exists(session: Session, order_id: str) -> bool:
    """Whether there is such an order to note something of."""
    return session.execute(select(_order.c.order_id).where(_order.c.order_id == order_id)).first() is not None
