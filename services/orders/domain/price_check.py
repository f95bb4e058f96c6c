"""A price check: what was captured of each line against what the agreement or the list says today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.kernel.money import Money, UnitPrice, extend
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.order import Line, Order
from services.orders.domain.pricing import Reference, agreement_in_force, reference_price


@dataclass(frozen=True, slots=True)
class LinePrices:
    """What a line was sold at, what it was held against then (`captured`, by agreement or list), and what applies today.

    `listed` and `agreed` are today's list price and agreement, None where there is none in the order's currency; `margin_percent`
    is over the standard cost, None without one.
    """

    line_id: str
    sku: str
    price: UnitPrice
    captured: UnitPrice | None
    listed: UnitPrice | None
    agreed: UnitPrice | None
    margin_percent: Decimal | None
    today: Reference | None

    @property
    def has_changed(self) -> bool:
        """Whether today's price is another than the one that was captured."""
        return (self.today.price if self.today else None) != self.captured

    @property
    def deviation_percent(self) -> Decimal | None:
        """How far it was sold from what it was held against, in percent; None without that, or where it was free."""
        if self.captured is None or not self.captured.amount:
            return None
        difference = self.price.amount - self.captured.amount
        return (100 * difference / self.captured.amount).quantize(Decimal("0.1"))

    @property
    def sentence(self) -> str:
        """What has changed since, and that the captured price stands."""
        stands = f"Captured price {self.price.text} stands"
        if self.today is None:
            return f"{stands}; no price applies today ({self.sku})"
        source = {"agreement": "agreement", "list": "list price"}[self.today.source]
        return f"{stands}; today's {source} says {self.today.price.text} ({self.sku})"


def line_prices(
    order: Order, products: Mapping[str, Product], agreements: Mapping[str, Iterable[PriceAgreement]], today: date
) -> tuple[LinePrices, ...]:
    """The prices of each line that is wanted still, in line order; `agreements` is SKU → those of the customer and of its group."""
    return tuple(
        _of_line(line, order.currency, products.get(line.sku), agreements.get(line.sku, ()), today)
        for line in order.lines
        if line.quantity
    )


def _of_line(
    line: Line, currency: str, product: Product | None, agreements: Iterable[PriceAgreement], today: date
) -> LinePrices:
    held = tuple(agreements)
    agreed = agreement_in_force(held, currency, today, line.quantity)
    listed = product.list_price if product else None
    return LinePrices(
        line_id=line.line_id,
        sku=line.sku,
        price=line.unit_price,
        captured=line.reference_price,
        listed=listed if listed is not None and listed.currency == currency else None,
        agreed=agreed.price if agreed else None,
        margin_percent=_margin(line, product),
        today=reference_price(product, held, currency, today, line.quantity),
    )


def _margin(line: Line, product: Product | None) -> Decimal | None:
    cost = product.standard_cost if product else None
    if cost is None or cost.currency != line.unit_price.currency or not line.extended.minor:
        return None
    earned: Money = line.extended - extend(cost, line.quantity)
    return (Decimal(100) * earned.minor / line.extended.minor).quantize(Decimal("0.1"))
