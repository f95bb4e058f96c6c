"""Queries over warehouses."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlmodel import Session

from services.inventory.domain.warehouses import Warehouse
from services.inventory.store.tables import stock, warehouse
from services.kernel.errors import NotFound, Refused
from services.runtime import versioned
from services.runtime.statements import changed

_CURRENCY = select(warehouse.c.currency).where(warehouse.c.warehouse_id == bindparam("place"))


def put(session: Session, place: Warehouse, expected: int | None = None) -> Warehouse:
    """Create or replace; gives it with its version. Refused VERSION_STALE when it has another than the `expected` one."""
    values: dict[str, Any] = {
        "name": place.name,
        "kind": place.kind,
        "address": dict(place.address),
        "is_active": place.is_active,
    }
    key = {"warehouse_id": place.warehouse_id}
    version = versioned.put(session, warehouse, key, values, expected, first={"currency": ""})
    return replace(place, version=version)


def find(session: Session, warehouse_id: str) -> Warehouse | None:
    """The warehouse; None when there is none of this id."""
    row = session.execute(select(warehouse).where(warehouse.c.warehouse_id == warehouse_id)).first()
    return _warehouse(row) if row else None


def every(session: Session) -> list[Warehouse]:
    """All warehouses by id."""
    return [_warehouse(row) for row in session.execute(select(warehouse).order_by(warehouse.c.warehouse_id))]


def _warehouse(row: Row[Any]) -> Warehouse:
    return Warehouse(row.warehouse_id, row.name, row.kind, row.address, row.is_active, row.version)


def require(session: Session, warehouse_id: str) -> None:
    """Raise NotFound unless there is such a warehouse."""
    if (
        session.execute(select(warehouse.c.warehouse_id).where(warehouse.c.warehouse_id == warehouse_id)).first()
        is None
    ):
        raise NotFound("WAREHOUSE_UNKNOWN", f"there is no warehouse {warehouse_id!r}: put it first")


def currency_of(session: Session, warehouse_id: str) -> str:
    """What its stock is valued in; empty before its first receipt."""
    return str(session.execute(_CURRENCY, {"place": warehouse_id}).scalar_one())


def settle_currency(session: Session, warehouse_id: str, currency: str) -> None:
    """Value the warehouse in this currency for good; Refused when it already has another one."""
    if currency_of(session, warehouse_id) == currency:
        return
    is_free = (warehouse.c.warehouse_id == warehouse_id) & warehouse.c.currency.in_(("", currency))
    if not changed(session, update(warehouse).where(is_free).values(currency=currency)):
        valued_in = currency_of(session, warehouse_id)
        raise Refused(
            "WAREHOUSE_CURRENCY",
            f"the stock of {warehouse_id} is valued in {valued_in}: give the unit cost in {valued_in}",
        )


def skus_of(session: Session, warehouse_id: str) -> list[str]:
    """Every SKU the warehouse has or had, sorted."""
    rows = session.execute(select(stock.c.sku).where(stock.c.warehouse_id == warehouse_id).order_by(stock.c.sku))
    return list(rows.scalars())
