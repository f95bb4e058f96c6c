"""Consolidated invoices: one number over the shares of several orders, each of which keeps its own lines, tax and payments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.billing.domain.billable import OrderToBill
from services.billing.domain.charging import Charges
from services.billing.domain.credit import TERMS
from services.billing.domain.headers import Address, Header
from services.billing.domain.invoices import Invoice, InvoiceLine
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import Refused
from services.kernel.money import Money
from services.kernel.tax import TaxPart
from services.kernel.terms import DELIVERY, Installment

MOST_ORDERS = 100
"""Orders of one invoice: beyond that, or beyond MAX_LINES, the next number begins, so that a document and a transaction stay within bounds."""


@dataclass(frozen=True, slots=True)
class ShareOf:
    """What the shares of one consolidated invoice have in common, and which of them this is, from 1."""

    consolidated_id: str
    sequence: int
    share: int


def consolidation_key(of: OrderToBill) -> tuple[object, ...] | None:
    """What orders must have in common to be on one invoice; None for one whose money has rules of its own.

    That is who is billed and where, currency, terms with their calendar, how it is taxed and in which country and region. What is
    not on terms is paid by itself, and what is due on delivery falls due by its own goods.
    """
    order, header = of.order, of.header
    if order.payment_method != TERMS or order.settlement is not None or order.payment_terms.kind == DELIVERY:
        return None
    return (
        order.customer_id, order.currency, order.payment_terms.text, order.calendar,
        header.bill_to_name, header.billing_address, header.buyer_address, header.customer_tax_id, header.tax_exemption,
        header.ship_to.country, header.ship_to.region,
    )  # fmt: skip


def oldest_first(orders: Iterable[OrderToBill]) -> list[OrderToBill]:
    """In the order of their numbers, which is that of the shares and of what pays them."""
    return sorted(orders, key=lambda one: by_number(one.order.number))


def on_one(orders: Iterable[OrderToBill], lines: Mapping[str, int]) -> list[OrderToBill]:
    """The first of these orders, and as many behind it as one invoice holds with it; `lines` is order id → lines of its goods."""
    taken, count = list[OrderToBill](), 0
    for of in orders:
        count += lines[of.order.order_id]
        if taken and count > MAX_LINES:
            break
        taken.append(of)
        if len(taken) == MOST_ORDERS:
            break
    return taken


def by_number(number: str) -> tuple[int, str]:
    """What sorts numbers of orders as they count."""
    return len(number), number


def whole(shares: Sequence[Invoice]) -> Invoice:
    """The consolidated invoice of these shares, by share: it is their sum. What is no share stands for itself."""
    first, currency = shares[0], shares[0].total.currency
    if not first.share:
        return first
    lines, parts = _taxed(shares)
    return replace(
        first,
        invoice_id=first.consolidated_id,
        order_id="",
        order_number="",
        shipment_id="",
        shipment_ids=tuple(one for share in shares for one in share.bills),
        due_on=_due(shares),
        lines=lines,
        charges=Charges.sum((one.charges for one in shares), currency),
        parts=parts,
        paid=Money.total((one.paid for one in shares), currency),
        settled_elsewhere=Money.total((one.settled_elsewhere for one in shares), currency),
        discount_taken=_discount_taken(shares),
        credited_total=Money.total((one.credited for one in shares), currency),
        given_up=Money.total((one.written_off for one in shares), currency),
        installments=_installments(shares),
        early=None,
        header=_header(shares),
        deductions=tuple(one for share in shares for one in share.deductions),
        reversed_parts=(),
        share=0,
        shares=tuple(shares),
    )


def check_of_one_order(invoice: Invoice) -> Invoice:
    """Refused for a consolidated invoice: what corrects an order's bill names the share of that order."""
    if invoice.shares:
        shares = ", ".join(f"{one.invoice_id} for {one.order_number}" for one in invoice.shares[:5])
        raise Refused(
            "INVOICE_OF_SEVERAL_ORDERS",
            f"invoice {invoice.number} is of {len(invoice.shares)} orders: name the share of one of them ({shares})",
        )
    return invoice


def _discount_taken(shares: Sequence[Invoice]) -> Money | None:
    taken = [one.discount_taken for one in shares if one.discount_taken]
    return Money.total(taken, taken[0].currency) if taken else None


def _due(shares: Sequence[Invoice]) -> date:
    open_ones = [one.due_on for one in shares if one.open.minor]
    return min(open_ones) if open_ones else max(one.due_on for one in shares)


def _installments(shares: Sequence[Invoice]) -> tuple[Installment, ...]:
    if not any(one.installments for one in shares):
        return ()
    return tuple(row for row, _ in replace(shares[0], shares=tuple(shares)).open_installments())


def _header(shares: Sequence[Invoice]) -> Header:
    """What all orders have in common; the day of the tax is the last."""
    header = shares[0].header
    places = {one.header.ship_to for one in shares}
    place = header.ship_to
    return replace(
        header,
        po_number="",
        ordered_on=None,
        ship_to=place if len(places) == 1 else Address(region=place.region, country=place.country),
        tax_on=max((one.header.tax_on or one.invoiced_on) for one in shares),
    )


def _taxed(shares: Sequence[Invoice]) -> tuple[tuple[InvoiceLine, ...], tuple[TaxPart, ...]]:
    """The lines and the tax parts of all: what is taxed alike is one part, whatever the orders called it."""
    parts: dict[str, TaxPart] = {}
    lines: list[InvoiceLine] = []
    for share in shares:
        keys = {part.key: _merged(parts, part) for part in share.tax_parts}
        lines.extend(replace(line, tax_key=keys.get(line.tax_key, line.tax_key)) for line in share.lines)
    return tuple(lines), tuple(parts.values())


def _merged(parts: dict[str, TaxPart], part: TaxPart) -> str:
    """The key of the part that one of a share goes to."""
    key, count = part.key, 1
    while key in parts and parts[key].kind != part.kind:
        count += 1
        key = f"{part.key} {count}"
    known = parts.get(key)
    parts[key] = replace(part, key=key) if known is None else _plus(known, part)
    return key


def _plus(known: TaxPart, more: TaxPart) -> TaxPart:
    return replace(
        known,
        merchandise=known.merchandise + more.merchandise,
        discount=known.discount + more.discount,
        freight=known.freight + more.freight,
        tax=known.tax + more.tax,
    )
