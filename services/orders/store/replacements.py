"""Orders that replace goods of returns: stored once, settled, found from either side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session

from services.orders.domain.replacements import Replaced, Replacement
from services.orders.models import OrderRow, ReplacementLineRow, ReplacementOrderRow, ReturnRow
from services.runtime.db import table_of

_row, _line, _order, _return = (
    table_of(rows) for rows in (ReplacementOrderRow, ReplacementLineRow, OrderRow, ReturnRow)
)
_OF_RETURNS = (
    select(_row, _order.c.number, _line.c.order_line_id, _line.c.line_id, _line.c.quantity)
    .join(_order, _order.c.order_id == _row.c.order_id)
    .join(_line, _line.c.order_id == _row.c.order_id)
    .where(_row.c.return_id.in_(bindparam("ids", expanding=True)))
    .order_by(_row.c.return_id, _row.c.placed_at, _row.c.order_id, _line.c.order_line_id)
)
_SETTLE = (
    update(_row)
    .where(_row.c.order_id == bindparam("of_order"), _row.c.settled_at.is_(None))
    .values(settled_at=bindparam("at"))
)


def of_returns(session: Session, return_ids: Sequence[str]) -> dict[str, tuple[Replacement, ...]]:
    """Return id → the orders that replace its goods, oldest first; returns without any are missing."""
    rows = session.execute(_OF_RETURNS, {"ids": list(return_ids)}).all()
    found: dict[str, list[Replacement]] = {}
    for _, group in groupby(rows, lambda row: row.order_id):
        lines = list(group)
        one = lines[0]
        found.setdefault(one.return_id, []).append(
            Replacement(
                one.order_id, one.number, one.subject, one.is_documented,
                {row.line_id: row.quantity for row in lines}, {row.line_id: row.order_line_id for row in lines},
                one.settled_at,
            )
        )  # fmt: skip
    return {key: tuple(orders) for key, orders in found.items()}


def add(session: Session, return_id: str, one: Replacement, now: datetime) -> None:
    """Keep an order that was placed in place of goods of a return."""
    session.execute(
        insert(_row),
        {
            "order_id": one.order_id,
            "return_id": return_id,
            "subject": one.subject,
            "is_documented": one.is_documented,
            "placed_at": now,
        },
    )
    lines = [
        {"order_id": one.order_id, "order_line_id": one.order_lines[key], "line_id": key, "quantity": units}
        for key, units in one.units.items()
    ]
    session.execute(insert(_line), lines)


def settle(session: Session, order_id: str, now: datetime) -> None:
    """Keep that it is known what of an order is charged."""
    session.execute(_SETTLE, {"of_order": order_id, "at": now})


def of_order(session: Session, order_id: str) -> Replaced | None:
    """The return whose goods an order replaces; None for any other order."""
    original = _order.alias()
    row = session.execute(
        select(_return.c.return_id, _return.c.number, original.c.number.label("order_number"), _row.c.is_documented)
        .join(_row, _row.c.return_id == _return.c.return_id)
        .join(original, original.c.order_id == _return.c.order_id)
        .where(_row.c.order_id == order_id)
    ).first()
    return Replaced(row.return_id, row.number, row.order_number, row.is_documented) if row else None
