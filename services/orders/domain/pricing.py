"""Which price a line gets: the customer's agreement, its group's, else the catalog; a given price is kept and checked later."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from services.kernel.money import UnitPrice, extend
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.order import STANDARD_CATEGORY, Line, PlaceLine

_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Reference:
    """What a unit should cost at a moment, and which source said so: agreement or list."""

    price: UnitPrice
    source: str


def agreement_in_force(
    agreements: Iterable[PriceAgreement], currency: str, on: date, quantity: int
) -> PriceAgreement | None:
    """The agreement that prices so many units on a day, for prices and rules alike; None when there is none.

    The customer's own wins over its group's, then the one that began last, then the highest minimum quantity that is reached.
    A price in another currency is no price.
    """
    held = [
        one
        for one in agreements
        if one.is_in_force(on) and one.price.currency == currency and one.min_quantity <= quantity
    ]
    return max(held, key=lambda one: (bool(one.customer_id), one.valid_from, one.min_quantity), default=None)


def reference_price(
    product: Product | None, agreements: Iterable[PriceAgreement], currency: str, on: date, quantity: int
) -> Reference | None:
    """What a unit of so many costs on a day: the agreement in force, else the list price; None without either."""
    agreed = agreement_in_force(agreements, currency, on, quantity)
    if agreed is not None:
        return Reference(agreed.price, "agreement")
    if product is not None and product.list_price is not None and product.list_price.currency == currency:
        return Reference(product.list_price, "list")
    return None


def price_line(
    line_id: str, asked: PlaceLine, product: Product | None, reference: Reference | None, currency: str
) -> Line:
    """The line as stored; an unknown SKU or a missing price is kept as it is and refused by validation."""
    if asked.unit_price is not None:
        price, source = asked.unit_price, "given"
    elif reference is not None:
        price, source = reference.price, reference.source
    else:
        price, source = UnitPrice.parse("0", currency), "none"
    return Line(
        line_id=line_id,
        sku=asked.sku,
        description=product.description if product else asked.sku,
        kind=product.kind if product else "stock",
        quantity=asked.quantity,
        unit_price=price,
        extended=extend(price, asked.quantity),
        reference_price=reference.price if reference else None,
        price_source=source,
        unit_weight_grams=product.weight_grams if product else 0,
        is_known=product is not None,
        is_hazardous=product is not None and product.is_hazardous,
        tax_category=product.tax_category if product else STANDARD_CATEGORY,
    )


def basis_points(part: Decimal | int, whole: Decimal | int) -> int:
    """Part of a whole, in basis points and away from zero: 2.001 % is 201, so that it is beyond a limit of 2 %.

    The whole of nothing is nothing.
    """
    if not whole:
        return 0
    exact = Fraction(part) * _BASIS_POINTS / Fraction(whole)
    return math.ceil(exact) if exact > 0 else math.floor(exact)
