"""Queries over bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, literal, select, tuple_
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from services.inventory.domain.bins import Bin
from services.inventory.store.tables import stock_bin
from services.runtime.audit import Invariant
from services.runtime.statements import changed

_NEW = postgresql.insert(stock_bin)
_PUT = _NEW.on_conflict_do_update(
    index_elements=["warehouse_id", "sku"],
    set_={"bin": _NEW.excluded.bin},
    where=stock_bin.c.bin != _NEW.excluded.bin,
).returning(literal(1))
_TAKE_AWAY = delete(stock_bin).where(
    stock_bin.c.warehouse_id == bindparam("place"), stock_bin.c.sku == bindparam("of_sku")
)
_ORDER = (stock_bin.c.sku, stock_bin.c.warehouse_id)

INVARIANTS = (
    Invariant(
        "inventory.bins_are_of_warehouses",
        "a bin is one of a warehouse, and has a name",
        """
        SELECT sku || ' in ' || warehouse_id AS offender FROM stock_bin
        WHERE bin = '' OR warehouse_id NOT IN (SELECT warehouse_id FROM warehouse)
        """,
    ),
)


def put(session: Session, one: Bin) -> bool:
    """Store where a SKU lies, or that nobody says so any more; whether that is new. Its warehouse is known."""
    if not one.name:
        return changed(session, _TAKE_AWAY, {"place": one.warehouse_id, "of_sku": one.sku}) == 1
    values = {"warehouse_id": one.warehouse_id, "sku": one.sku, "bin": one.name}
    return session.execute(_PUT, values).first() is not None


def page(
    session: Session, warehouse_id: str, skus: Sequence[str], after: tuple[str, str] | None, limit: int
) -> list[Bin]:
    """Bins by SKU, then warehouse, from behind `after` (SKU, warehouse id). An empty filter does not filter."""
    wanted = select(stock_bin)
    if warehouse_id:
        wanted = wanted.where(stock_bin.c.warehouse_id == warehouse_id)
    if skus:
        wanted = wanted.where(stock_bin.c.sku.in_(skus))
    if after:
        wanted = wanted.where(tuple_(*_ORDER) > tuple_(*after))
    return [_bin(row) for row in session.execute(wanted.order_by(*_ORDER).limit(limit))]


def _bin(row: Row[Any]) -> Bin:
    return Bin(row.warehouse_id, row.sku, row.bin)
