"""Queries over warehouses."""

from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from services.inventory.domain.warehouses import Warehouse
from services.inventory.store.tables import stock, warehouse
from services.kernel.errors import NotFound, Refused
from services.runtime.statements import changed, inserted

_CURRENCY = select(warehouse.c.currency).where(warehouse.c.warehouse_id == bindparam("place"))


def put(session: Session, place: Warehouse) -> bool:
    """Create or replace; whether this opened a warehouse that was closed."""
    known = session.execute(select(warehouse.c.is_active).where(warehouse.c.warehouse_id == place.warehouse_id)).first()
    values: dict[str, Any] = {
        "name": place.name,
        "kind": place.kind,
        "address": dict(place.address),
        "is_active": place.is_active,
    }
    if not inserted(session, warehouse, warehouse_id=place.warehouse_id, currency="", **values):
        session.execute(update(warehouse).where(warehouse.c.warehouse_id == place.warehouse_id).values(**values))
    return known is not None and place.is_active and not known.is_active


def every(session: Session) -> list[Warehouse]:
    """All warehouses by id."""
    rows = session.execute(select(warehouse).order_by(warehouse.c.warehouse_id))
    return [Warehouse(row.warehouse_id, row.name, row.kind, row.address, row.is_active) for row in rows]


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
