"""What lines that wait for stock are called and worth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlmodel import Session

from services.kernel.money import UnitPrice
from services.orders.models import LineRow, OrderRow
from services.runtime.db import table_of

_order, _line = table_of(OrderRow), table_of(LineRow)


@dataclass(frozen=True, slots=True)
class BackorderedLine:
    """A line of an order: whose it is, and what a unit of it was sold for."""

    number: str
    customer_id: str
    customer_name: str
    unit_price: UnitPrice


def lines(session: Session, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], BackorderedLine]:
    """(Order id, line id) → the line, of those that exist; at most a page of them is asked for."""
    if not wanted:
        return {}
    columns = (_order.c.number, _order.c.customer_id, _order.c.customer_name, _order.c.currency)
    query = select(_line.c.order_id, _line.c.line_id, _line.c.unit_price, *columns)
    query = query.join(_order, _order.c.order_id == _line.c.order_id)
    query = query.where(tuple_(_line.c.order_id, _line.c.line_id).in_(sorted(wanted)))
    return {
        (row.order_id, row.line_id): BackorderedLine(
            row.number, row.customer_id, row.customer_name, UnitPrice.parse(row.unit_price, row.currency)
        )
        for row in session.execute(query)
    }
