"""Goods that had left and are sellable again: a layer of their own at what they had cost."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlmodel import Session

from services.inventory.domain.costing import Layer
from services.inventory.domain.facts import StockChange
from services.inventory.store import layers, stock, warehouses
from services.inventory.store.layers import Occasion
from services.kernel.money import PRICE_DECIMALS, UnitPrice


def restock(session: Session, change: StockChange, order_id: str, return_id: str, now: datetime) -> None:
    """Put units of a return, whose SKU's turn the caller has, on the shelf, behind the others."""
    place, value = change.warehouse_id, change.value
    warehouses.settle_currency(session, place, value.currency)
    stock.open_row(session, place, change.sku)
    stock.add(session, place, change.sku, change.quantity)
    layers.record(session, [change], Occasion("received", now, order_id=order_id, reference=return_id))
    layer = Layer(change.movement_id, change.quantity, value, change.quantity, value)
    exact = (value.amount / change.quantity).quantize(Decimal(1).scaleb(-PRICE_DECIMALS), ROUND_HALF_UP)
    layers.add(session, layer, place, change.sku, UnitPrice(exact, value.currency))
