"""Putting back what a shipment took off stock, when its ship confirm was a mistake."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from services.inventory.domain.facts import StockChange
from services.inventory.domain.requests import Departure
from services.kernel.errors import InvalidArgument
from services.kernel.money import UnitPrice

_MICRO = Decimal("0.000001")


def check_same(departure: Departure, issued_for: tuple[str, str], taken: Iterable[StockChange]) -> None:
    """Refuse (SHIPMENT_DIFFERS, LINES_DIFFER) another order or warehouse than the shipment left for, and goods that it did not take off."""
    shipment_id = departure.shipment_id
    if (departure.order_id, departure.warehouse_id) != issued_for:
        sentence = f"shipment {shipment_id} left from {issued_for[1]} for order {issued_for[0]}: name those"
        raise InvalidArgument("SHIPMENT_DIFFERS", sentence)
    said: Counter[str] = Counter()
    for line in departure.lines:
        said[line.sku] += line.quantity
    if said != {change.sku: change.quantity for change in taken}:
        raise InvalidArgument("LINES_DIFFER", f"shipment {shipment_id} took other goods off stock: send what was in it")


def unit_cost(change: StockChange) -> UnitPrice:
    """What a unit of goods had cost on average, which their layer shows; its value is exact."""
    major = change.value.amount / change.quantity
    return UnitPrice.parse(f"{major.quantize(_MICRO).normalize():f}", change.value.currency)
