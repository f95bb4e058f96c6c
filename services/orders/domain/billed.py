"""What of an order is invoiced, and what that leaves free in a change: what was billed is only taken back by a credit note."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from services.kernel.errors import Refused
from services.kernel.invoicing import PER_SHIPMENT
from services.kernel.money import Money
from services.orders.domain.order import Order
from services.orders.domain.projection import LineProgress, LineQuantities, Progress, quantities
from services.orders.domain.tax_parts import BilledPart


@dataclass(frozen=True, slots=True)
class Billed:
    """The sums of an order's invoices: goods less discount, the discount, and the freight."""

    net: Money
    discount: Money
    freight: Money


def billed(progress: Progress, currency: str) -> Billed:
    """What the invoices that were heard of come to, but for what had not left."""
    invoices = progress.bills
    off = [part for each in invoices for part in each.reversed_parts]
    discount = sum(each.discount_minor for each in invoices) - sum(minor for _, _, minor, _, _ in off)
    merchandise = sum(each.merchandise_minor for each in invoices) - sum(minor for _, minor, _, _, _ in off)
    freight = sum(each.freight_minor for each in invoices) - sum(minor for _, _, _, minor, _ in off)
    return Billed(*(Money(minor, currency) for minor in (merchandise - discount, discount, freight)))


def billed_parts(order: Order, progress: Progress) -> dict[str, BilledPart]:
    """Tax part → what was billed of it, and how many units.

    Invoices of before there were parts were all of one rate: that of the first line that was billed, which keeps it.
    """
    sums: dict[str, list[int]] = {}
    units: Counter[str] = Counter()
    for line in order.lines:
        units[order.tax_key(line)] += progress.lines.get(line.line_id, LineProgress()).invoiced
    first = next((key for key, count in units.items() if count), "")
    for invoice in progress.bills:
        whole = (first, invoice.merchandise_minor, invoice.discount_minor, 0, invoice.tax_minor)
        for sign, parts in ((1, invoice.parts or (whole,)), (-1, invoice.reversed_parts)):
            for key, *amounts in parts:
                known = sums.get(key, [0, 0, 0, 0])
                sums[key] = [had + sign * more for had, more in zip(known, amounts, strict=True)]
    found = {}
    for key, minors in sums.items():
        merchandise, discount, freight, _tax = (Money(minor, order.currency) for minor in minors)
        found[key] = BilledPart(merchandise, discount, freight, units[key])
    return found


def awaits_last_invoice(order: Order, progress: Progress) -> bool:
    """Whether all has shipped and the invoice that takes the rest of discount and freight is to come.

    One that is made by policy or by hand bills the order as it then stands, so that nobody waits for it.
    """
    has_charges = bool(order.totals.discount.minor or order.totals.freight.minor)
    if not has_charges or order.invoicing != PER_SHIPMENT:
        return False
    lines = quantities(order, progress).values()
    return all(line.shipped >= line.wanted for line in lines) and any(line.invoiced < line.wanted for line in lines)


def charges_after(
    merchandise: Money, discount: Money, freight: Money, lines: dict[str, LineQuantities], already: Billed
) -> tuple[Money, Money]:
    """Discount and freight of a changed order, so that its invoices can sum to it.

    An order of which every unit is invoiced gets no invoice any more: it keeps what was billed. Otherwise the next ones take the
    rest, so neither the discount, nor the freight, nor the net may be less than what was billed: Refused BELOW_INVOICED.
    """
    is_billed = any(line.invoiced for line in lines.values())
    if is_billed and all(line.invoiced >= line.wanted for line in lines.values()):
        return already.discount, already.freight
    for what, wanted, least in (
        ("discount", discount, already.discount),
        ("freight", freight, already.freight),
        ("net of the goods", merchandise - discount, already.net),
    ):
        if wanted < least:
            raise Refused(
                "BELOW_INVOICED", f"the {what} would be {wanted} and {least} of it are invoiced: ask for a credit note"
            )
    return discount, freight
