"""What a customer orders otherwise: what counts together with an order, how often, and how much of a SKU."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select
from sqlmodel import Session, col

from services.orders.domain.order import NEVER_CAME, Order
from services.orders.models import LineRow, OrderRow
from services.runtime.db import table_of

_order = table_of(OrderRow)
_WINDOW = select(func.coalesce(func.sum(_order.c.total_minor), literal_column("0"))).where(
    _order.c.customer_id == bindparam("customer"),
    _order.c.order_id != bindparam("of"),
    _order.c.phase.notin_(NEVER_CAME),
    _order.c.currency == bindparam("currency"),
    _order.c.placed_at >= bindparam("since"),
    _order.c.placed_at <= bindparam("until"),
)


def window_minor(session: Session, order: Order, hours: int) -> int:
    """What the customer's other orders in the same currency come to that were placed within so many hours of this one."""
    if not hours:
        return 0
    span = timedelta(hours=hours)
    values = {
        "customer": order.customer_id,
        "of": order.order_id,
        "currency": order.currency,
        "since": order.placed_at - span,
        "until": order.placed_at + span,
    }
    return int(session.execute(_WINDOW, values).scalar_one())


def order_count(session: Session, order: Order) -> int:
    """How many orders the customer placed before this one."""
    query = select(func.count()).select_from(OrderRow).where(*_earlier(order))
    return int(session.execute(query).scalar_one())


def usual_quantities(session: Session, order: Order, skus: Sequence[str]) -> dict[str, int]:
    """SKU → units in the customer's average earlier order of it, rounded down; a SKU it never ordered, or canceled each time, is missing."""
    orders = func.count(col(LineRow.order_id).distinct())
    query = (
        select(col(LineRow.sku), func.sum(col(LineRow.quantity)), orders)
        .join(OrderRow, col(OrderRow.order_id) == col(LineRow.order_id))
        .where(col(LineRow.sku).in_(sorted(set(skus))), col(LineRow.quantity) > 0, *_earlier(order))
        .group_by(col(LineRow.sku))
    )
    return {str(sku): int(units) // int(count) for sku, units, count in session.execute(query)}


def _others(order: Order) -> tuple[ColumnElement[bool], ...]:
    return (
        col(OrderRow.customer_id) == order.customer_id,
        col(OrderRow.order_id) != order.order_id,
        col(OrderRow.phase).notin_(NEVER_CAME),
    )


def _earlier(order: Order) -> tuple[ColumnElement[bool], ...]:
    return (*_others(order), col(OrderRow.placed_at) <= order.placed_at)


def duplicates(session: Session, order: Order) -> list[str]:
    """Numbers of the customer's earlier orders with the same purchase order number, however it is written, that were not
    refused or withdrawn.
    """
    if not order.po_key:
        return []
    values = {"customer": order.customer_id, "po": order.po_key, "at": order.placed_at, "of": order.order_id}
    return list(session.execute(_DUPLICATES, values).scalars())


_is_earlier = (_order.c.placed_at < bindparam("at")) | (
    (_order.c.placed_at == bindparam("at")) & (_order.c.order_id < bindparam("of"))
)
_DUPLICATES = (
    select(_order.c.number)
    .where(
        _order.c.customer_id == bindparam("customer"),
        _order.c.po_key == bindparam("po"),
        _order.c.po_key != literal_column("''"),  # said in the statement itself, the index of purchase orders serves
        _is_earlier,
        _order.c.phase.notin_(NEVER_CAME),
    )
    .order_by(_order.c.placed_at, _order.c.order_id)
    .limit(10)
)
