"""Putting back what a shipment took off stock, when its ship confirm was a mistake."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from services.inventory.domain.allocation import LineDemand
from services.inventory.domain.facts import StockChange
from services.kernel.errors import InvalidArgument
from services.kernel.money import UnitPrice

_MICRO = Decimal("0.000001")


def check_same(shipment_id: str, lines: Iterable[LineDemand], taken: Iterable[StockChange]) -> None:
    """Refuse (LINES_DIFFER) goods that are not what the shipment took off."""
    said: Counter[str] = Counter()
    for line in lines:
        said[line.sku] += line.quantity
    if said != {change.sku: change.quantity for change in taken}:
        raise InvalidArgument("LINES_DIFFER", f"shipment {shipment_id} took other goods off stock: send what was in it")


def unit_cost(change: StockChange) -> UnitPrice:
    """What a unit of goods had cost on average, which their layer shows; its value is exact."""
    major = change.value.amount / change.quantity
    return UnitPrice.parse(f"{major.quantize(_MICRO).normalize():f}", change.value.currency)
