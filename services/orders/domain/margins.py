"""What an order earns by the catalog's costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.kernel.money import Money, extend
from services.orders.domain.masterdata import Product
from services.orders.domain.order import Order


@dataclass(frozen=True, slots=True)
class Margin:
    """What is sold with a known cost, what it costs, and whether every line has one."""

    sold: Money
    cost: Money
    is_whole: bool

    @property
    def percent(self) -> Decimal | None:
        """In percent of what is sold; None when no line has a cost."""
        if not self.sold.minor:
            return None
        return (Decimal(100) * (self.sold.minor - self.cost.minor) / self.sold.minor).quantize(Decimal("0.1"))


def margin_of(order: Order, products: Mapping[str, Product]) -> Margin:
    """The margin before discount; a line whose product has no cost in the order's currency is left out."""
    sold = cost = Money.zero(order.currency)
    is_whole = True
    for line in order.lines:
        product = products.get(line.sku)
        if product is None or product.standard_cost is None or product.standard_cost.currency != order.currency:
            is_whole = False
            continue
        sold, cost = sold + line.extended, cost + extend(product.standard_cost, line.quantity)
    return Margin(sold, cost, is_whole)
