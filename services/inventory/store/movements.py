"""Movements of stock as people read them: what came and what left, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select, tuple_
from sqlmodel import Session

from services.inventory.store.tables import movement
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money

_TURN = (movement.c.occurred_at, movement.c.movement_id)


@dataclass(frozen=True, slots=True)
class Movement:
    """Units that came to a warehouse, or left it (negative), and what they were worth."""

    movement_id: str
    warehouse_id: str
    sku: str
    kind: str
    quantity: int
    value: Money
    order_id: str
    shipment_id: str
    reference: str
    occurred_at: datetime


def page(session: Session, sku: str, warehouse_id: str, after: str, limit: int) -> list[Movement]:
    """Movements of a SKU from behind the one named."""
    wanted = select(movement).where(movement.c.sku == sku)
    if warehouse_id:
        wanted = wanted.where(movement.c.warehouse_id == warehouse_id)
    if after:
        last = session.execute(select(*_TURN).where(movement.c.movement_id == after, movement.c.sku == sku)).first()
        if last is None:
            raise InvalidArgument("CURSOR_INVALID", "the cursor is none that this list gave: start without one")
        end = (literal(value, column.type) for value, column in zip(last, _TURN, strict=True))
        wanted = wanted.where(tuple_(*_TURN) < tuple_(*end))
    rows = session.execute(wanted.order_by(*(column.desc() for column in _TURN)).limit(limit))
    return [
        Movement(
            row.movement_id, row.warehouse_id, row.sku, row.kind, row.quantity, Money(row.value_minor, row.currency),
            row.order_id, row.shipment_id, row.reference, row.occurred_at,
        )
        for row in rows
    ]  # fmt: skip
