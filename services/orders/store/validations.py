"""How the money of orders stood when their rules were first asked, and which orders were placed in a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import bindparam, insert, select, tuple_
from sqlmodel import Session

from services.orders.domain.order import RECEIVED
from services.orders.domain.replayed import Validated
from services.orders.models import OrderRow, ValidationRow
from services.runtime.db import UtcDateTime, table_of

_order, _validation = table_of(OrderRow), table_of(ValidationRow)
_ADD = insert(_validation)
_OF = select(_validation).where(_validation.c.order_id.in_(bindparam("of", expanding=True)))
_PLACED = (
    select(_order.c.order_id, _order.c.placed_at)
    .where(
        tuple_(_order.c.placed_at, _order.c.order_id)
        > tuple_(bindparam("after_at", type_=UtcDateTime()), bindparam("after_id")),
        _order.c.placed_at < bindparam("until", type_=UtcDateTime()),
        _order.c.phase != RECEIVED,
    )
    .order_by(_order.c.placed_at, _order.c.order_id)
    .limit(bindparam("most"))
)


def keep(session: Session, order_id: str, found: Validated) -> None:
    """Keep it, once an order."""
    session.execute(_ADD, {"order_id": order_id, **asdict(found)})


def of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, Validated]:
    """Order id → what its rules were first asked under; orders of before this was kept are missing."""
    names = Validated.__dataclass_fields__
    rows = session.execute(_OF, {"of": list(order_ids)})
    return {row.order_id: Validated(**{name: getattr(row, name) for name in names}) for row in rows}


def placed(session: Session, after: tuple[datetime, str], until: datetime, most: int) -> list[tuple[datetime, str]]:
    """(When, order id) of decided orders that were placed behind `after` and before `until`, oldest first."""
    values = {"after_at": after[0], "after_id": after[1], "until": until, "most": most}
    return [(row.placed_at, row.order_id) for row in session.execute(_PLACED, values)]
