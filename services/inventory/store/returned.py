"""Queries over goods that came back."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, text
from sqlmodel import Session

from services.inventory.domain.facts import StockChange
from services.inventory.domain.returned import QUARANTINE, Back, BackUnits, Issued
from services.inventory.store.tables import movement, returned_stock
from services.kernel.money import Money

_ISSUED = (
    select(
        movement.c.sku,
        movement.c.currency,
        (-func.sum(movement.c.quantity)).label("units"),
        (-func.sum(movement.c.value_minor)).label("minor"),
    )
    .where(
        text("movement.order_id <> ''"),  # said in the statement itself, the index of orders serves
        movement.c.order_id == bindparam("of_order"),
        movement.c.sku.in_(bindparam("skus", expanding=True)),
        movement.c.kind.in_(("issued", "reversed")),
    )
    .group_by(movement.c.sku, movement.c.currency)
    .having(func.sum(movement.c.quantity) < 0)
    .order_by(movement.c.sku, movement.c.currency)
)
_RETURNED = (
    select(
        returned_stock.c.sku,
        returned_stock.c.currency,
        func.sum(returned_stock.c.quantity).label("units"),
        func.sum(returned_stock.c.value_minor).label("minor"),
    )
    .where(
        returned_stock.c.order_id == bindparam("of_order"),
        returned_stock.c.sku.in_(bindparam("skus", expanding=True)),
    )
    .group_by(returned_stock.c.sku, returned_stock.c.currency)
)


def issued(session: Session, order_id: str, skus: Collection[str], currency: str) -> dict[str, Issued]:
    """SKU → what had left for the order, less what never did, and what is back; by what a warehouse of this currency values, where any of it had left so."""
    terms = {"of_order": order_id, "skus": sorted(skus)}
    back = {(row.sku, row.currency): row for row in session.execute(_RETURNED, terms)}
    found: dict[str, Issued] = {}
    for row in session.execute(_ISSUED, terms):
        if row.sku in found and row.currency != currency:
            continue
        known = back.get((row.sku, row.currency))
        found[row.sku] = Issued(
            int(row.units),
            Money(int(row.minor), row.currency),
            int(known.units) if known else 0,
            Money(int(known.minor) if known else 0, row.currency),
        )
    return found


def add(session: Session, back: Back, one: BackUnits, movement_id: str, value: Money, now: datetime) -> None:
    """Keep units that came back and what they had cost."""
    values = {
        "movement_id": movement_id,
        "request_id": back.request_id,
        "return_id": back.return_id,
        "order_id": back.order_id,
        "warehouse_id": back.warehouse_id,
        "sku": one.sku,
        "disposition": one.disposition,
        "currency": value.currency,
        "quantity": one.quantity,
        "value_minor": value.minor,
        "taken_at": now,
    }
    session.execute(insert(returned_stock), values)


def add_damaged(session: Session, count_id: str, found: StockChange, reason: str, now: datetime) -> None:
    """Keep units apart that a count took off stock: they are there, and damaged."""
    values = {
        "movement_id": found.movement_id,
        "request_id": count_id,
        "return_id": "",
        "order_id": "",
        "warehouse_id": found.warehouse_id,
        "sku": found.sku,
        "disposition": QUARANTINE,
        "currency": found.value.currency,
        "quantity": found.quantity,
        "value_minor": found.value.minor,
        "taken_at": now,
        "reason": reason,
    }
    session.execute(insert(returned_stock), values)
