"""Coverage: the figures that a rule spoke of, and whether what was decided on some covers others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.orders.domain.order import Address, Line, Order
from services.orders.domain.pricing import basis_points

EVERY_MEMBER = "extended_minor total discount ship_to requested"
"""A predicate that reads all that figures may depend on."""
_OF_TOTAL = ("total", "cumulative", "merchandise", "margin")
"""What a predicate reads that is about how much is sold."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a rule spoke of: of a line its units and price, of the header all units and the total; minor units of the order's currency.

    None is what the order does not have, or what the rule's predicate does not read. `ship_to` is a digest.
    """

    quantity: int
    amount_minor: int | None = None
    unit_price: Decimal | None = None
    reference_price: Decimal | None = None
    discount_minor: int | None = None
    discount_bp: int | None = None
    margin_bp: int | None = None
    requested_on: date | None = None
    ship_to: str | None = None


def of_line(line: Line, predicate: str = EVERY_MEMBER) -> Figures:
    """The figures of a line for a rule with this predicate."""
    return Figures(
        quantity=line.quantity,
        amount_minor=line.extended.minor if "extended_minor" in predicate else None,
        unit_price=line.unit_price.amount,
        reference_price=line.reference_price.amount if line.reference_price else None,
    )


def of_header(order: Order, predicate: str = EVERY_MEMBER, margin_bp: int | None = None) -> Figures:
    """The figures of an order for a rule with this predicate; its margin, where it is read, is the caller's to say.

    A rule about the discount alone speaks of that amount, which grows as the total shrinks.
    """
    sums = order.totals
    has_discount = "discount" in predicate
    has_total = not has_discount or any(word in predicate for word in _OF_TOTAL)
    return Figures(
        quantity=sum(line.quantity for line in order.lines),
        amount_minor=sums.total.minor if has_total else None,
        discount_minor=sums.discount.minor if has_discount else None,
        discount_bp=basis_points(sums.discount.minor, sums.merchandise.minor) if has_discount else None,
        margin_bp=margin_bp,
        requested_on=order.requested_on if "requested" in predicate else None,
        ship_to=_digest(order.ship_to) if "ship_to" in predicate else None,
    )


def _digest(ship_to: Address) -> str:
    place = (ship_to.country, ship_to.region, ship_to.postal_code, ship_to.city, ship_to.street)
    return hashlib.sha256("\n".join(place).encode()).hexdigest()[:32]


def covers(given: Figures, now: Figures) -> bool:
    """Whether a decision on `given` is one on `now`: no more units, no worse price, no larger amount, the same place.

    What one of them does not have is not compared.
    """
    return (
        now.quantity <= given.quantity
        and _is_at_most(now.amount_minor, given.amount_minor)
        and _is_price_covered(given, now)
        and _is_at_most(now.discount_minor, given.discount_minor)
        and _is_at_most(now.discount_bp, given.discount_bp)
        and _is_at_most(given.margin_bp, now.margin_bp)
        and (now.requested_on is None or given.requested_on is None or now.requested_on >= given.requested_on)
        and (now.ship_to is None or given.ship_to is None or now.ship_to == given.ship_to)
    )


def _is_at_most(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one <= other


def _is_price_covered(given: Figures, now: Figures) -> bool:
    """The same price, or one on the way from it to what a unit should cost; without that a higher one."""
    was, price, reference = given.unit_price, now.unit_price, now.reference_price
    if was is None or price is None or price == was:
        return True
    if reference is None:
        return price > was
    return was < price <= reference or reference <= price < was
