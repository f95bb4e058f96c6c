"""What taking goods back does inside its one transaction; rows are locked in the order of transactions.py."""

from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory import fact_wire
from services.inventory.domain.facts import StockChange
from services.inventory.domain.returned import FACTS, RESTOCK, Back, BackUnits, Issued
from services.inventory.ranking import serve
from services.inventory.restocking import restock
from services.inventory.store import returned, stock, warehouses
from services.kernel.errors import Refused
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()


def take(session: Session, back: Back, now: datetime) -> Money | None:
    """Take goods back at what they had cost when they left, and serve who waits for what is restocked; what they had cost in all."""
    warehouses.require(session, back.warehouse_id)
    skus = {one.sku for one in back.units}
    stock.take_turns(session, skus)
    currency = warehouses.currency_of(session, back.warehouse_id)
    issued = returned.issued(session, back.order_id, skus, currency)
    cost: Money | None = None
    for one in sorted(back.units, key=lambda each: (each.sku, each.disposition)):
        value = _left(issued, one).cost_of(one.sku, one.quantity)
        issued[one.sku] = _taken(issued[one.sku], one.quantity, value)
        _book(session, back, one, value, now)
        cost = cost + value if cost else value
    restocked = {one.sku for one in back.units if one.disposition == RESTOCK}
    serve(session, restocked, now)
    log.info("stock.returned", order_id=back.order_id, return_id=back.return_id, warehouse_id=back.warehouse_id)
    return cost


def _left(issued: dict[str, Issued], one: BackUnits) -> Issued:
    if one.sku not in issued:
        raise Refused(
            "RETURN_EXCEEDS_ISSUED", f"nothing of {one.sku} had left for this order: count it as a foreign article"
        )
    return issued[one.sku]


def _taken(issued: Issued, units: int, value: Money) -> Issued:
    return replace(issued, returned=issued.returned + units, returned_value=issued.returned_value + value)


def _book(session: Session, back: Back, one: BackUnits, value: Money, now: datetime) -> None:
    movement_id = new_id("mov")
    change = StockChange(movement_id, back.warehouse_id, one.sku, one.quantity, value)
    if one.disposition == RESTOCK:
        restock(session, change, back.order_id, back.return_id, now)
    returned.add(session, back, one, movement_id, value, now)
    detail = fact_wire.movement_fact(FACTS[one.disposition], change)
    emit_fact(session, detail, order_id=back.order_id, subject_id=movement_id, now=now)
