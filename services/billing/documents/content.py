"""What an invoice says on paper, as plain texts in the order of the page: figures are written here, the template only lays out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from services.billing.documents import payment
from services.billing.domain.headers import Address
from services.billing.domain.invoices import Invoice, InvoiceLine
from services.kernel.formats import Formats, amount, tax_lines
from services.kernel.money import Money, UnitPrice
from services.kernel.terms import NOT_DUE
from services.runtime.addresses import lines_of

Content = dict[str, Any]
_ON_LETTER_PAPER = frozenset({"US", "CA", "MX", "CL", "CO", "PH", "VE"})
MINUS = "\u2212"
_BREAK = "\u200b"
_LONG_SKU = 16


@dataclass(frozen=True, slots=True)
class Seller:
    """The selling company as its invoices name it; its country (ISO 3166) decides the paper and is named on no address."""

    name: str = "Order desk"
    address: tuple[str, ...] = ()
    country: str = "US"
    tax_id: str = ""
    bank: tuple[str, ...] = ()
    formats: Formats = field(default_factory=Formats)


def invoice_content(invoice: Invoice, seller: Seller) -> Content:
    """The document of an invoice: what was posted, and what is paid and open now. The same state gives the same content."""
    header, on = invoice.header, invoice.invoiced_on
    return {
        "title": f"Invoice {invoice.number}",
        "number": invoice.number,
        "created": {"year": on.year, "month": on.month, "day": on.day},
        "footer": f"{seller.name} · Invoice {invoice.number}",
        "paper": "us-letter" if seller.country in _ON_LETTER_PAPER else "a4",
        "currency": invoice.total.currency,
        "seller": {"name": seller.name, "lines": _seller_lines(seller)},
        "bill_to": [breakable(line) for line in (header.bill_to_name, f"Customer {invoice.customer_id}") if line],
        "ship_to": _ship_to(header.ship_to, seller.country),
        "facts": _facts(invoice, seller.formats),
        "lines": [_line(line) for line in invoice.lines],
        "has_long_skus": any(len(line.sku) > _LONG_SKU for line in invoice.lines),
        "sums": _sums(invoice),
        "dues": _dues(invoice, seller.formats),
        "payment": payment.sentences(invoice, seller.formats, has_bank=bool(seller.bank)),
        "bank": list(seller.bank) if payment.is_by_transfer(invoice) else [],
    }


def _ship_to(place: Address, own_country: str) -> list[str]:
    return [breakable(line) for line in lines_of(place, own_country)] if place != Address() else []


def breakable(text: str, every: int = 30) -> str:
    """The text, which may be broken where it has no blank for long, so that it never runs into what stands beside it."""
    return re.sub(rf"\S{{{every}}}(?=\S)", rf"\g<0>{_BREAK}", text)


def _seller_lines(seller: Seller) -> list[str]:
    return [*seller.address, *([f"Tax ID {seller.tax_id}"] if seller.tax_id else [])]


def _facts(invoice: Invoice, formats: Formats) -> list[list[str]]:
    """Names and values beside the addresses; what the invoice does not have is left out."""
    header = invoice.header
    due = "on delivery" if invoice.due_on == NOT_DUE else formats.day(invoice.due_on)
    rows = (
        ("Invoice date", formats.day(invoice.invoiced_on)),
        ("Your PO", header.po_number),
        ("Order", invoice.order_number),
        ("Order date", formats.day(header.ordered_on) if header.ordered_on else ""),
        ("Terms", payment.terms_in_words(invoice)),
        ("Due", due if invoice.open.minor else ""),
    )
    return [[name, breakable(value, _LONG_SKU)] for name, value in rows if value]


def _line(line: InvoiceLine) -> list[str]:
    texts = [breakable(line.sku, _LONG_SKU), breakable(line.description)]
    return [*texts, f"{line.quantity:,}", price(line.unit_price), amount(line.extended)]


def price(of: UnitPrice) -> str:
    """A unit price with its thousands in groups and all its decimals."""
    whole, point, fraction = of.text.partition(".")
    return f"{int(whole):,}{point}{fraction}"


def _sums(invoice: Invoice) -> list[Content]:
    """How the lines become the total, and the total what is open; parts that are zero are left out, except for tax."""
    charges, currency = invoice.charges, invoice.total.currency
    zero = Money.zero(currency)
    rows = (
        ("Merchandise", charges.merchandise, True),
        ("Discount", -charges.discount, charges.discount.minor),
        ("Freight", charges.freight, charges.freight.minor),
        *_tax_rows(invoice),
        (f"Total {currency}", invoice.total, True),
        (payment.paid_name(invoice), -invoice.paid, invoice.paid.minor),
        ("Early payment discount", -(invoice.discount_taken or zero), invoice.discount_taken),
        ("Paid where it was bought", -invoice.settled_elsewhere, invoice.settled_elsewhere.minor),
        ("Credited", -invoice.credited, invoice.credited.minor),
        ("Written off", -invoice.written_off, invoice.written_off.minor),
        (f"Amount due {currency}", invoice.open, True),
    )
    return [
        {"name": name, "amount": _signed(value), "strong": name.endswith(currency)}
        for name, value, is_said in rows
        if is_said
    ]


def _signed(value: Money) -> str:
    return f"{MINUS}{amount(-value)}" if value.minor < 0 else amount(value)


def _tax_rows(invoice: Invoice) -> list[tuple[str, Money, bool]]:
    """The tax by rate, and why nothing is charged; one of before there were parts has its header's rate."""
    return [
        (f"{row.name} ({row.reason})" if row.reason else row.name, row.tax, True)
        for row in tax_lines(invoice.tax_parts, invoice.total.currency)
    ]


def _dues(invoice: Invoice, formats: Formats) -> list[list[str]]:
    """The installments, when there are several."""
    if not invoice.installments:
        return []
    return [[formats.day(one.due_on), amount(one.amount), amount(left)] for one, left in invoice.open_installments()]
