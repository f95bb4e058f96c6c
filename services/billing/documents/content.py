"""What documents have in common, and what an invoice says on paper: plain texts in the order of the page: figures are written here, the template only lays out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.billing.documents import payment
from services.billing.documents.qr import payment_qr
from services.billing.documents.seller import Seller
from services.billing.domain.charging import Charges
from services.billing.domain.headers import Address, Header
from services.billing.domain.invoices import Invoice
from services.kernel.formats import Formats, amount, tax_lines
from services.kernel.money import Money, UnitPrice
from services.kernel.tax import TaxPart
from services.kernel.terms import NOT_DUE
from services.runtime.addresses import lines_of

Content = dict[str, Any]
ON_LETTER_PAPER = frozenset({"US", "CA", "MX", "CL", "CO", "PH", "VE"})
MINUS = "\u2212"
_BREAK = "\u200b"
_LONG_SKU = 16


@dataclass(frozen=True, slots=True)
class Titled:
    """What a document is called: in words, by its number, its day, and what is said of it under its name; empty for nothing."""

    heading: str
    number: str
    on: date
    notice: str = ""


def page(titled: Titled, currency: str, seller: Seller, **filled: Any) -> Content:
    """A document with what all documents have; `filled` is the rest, and what is left out of it is not on the page."""
    on, named = titled.on, f"{titled.heading} {titled.number}"
    empty = {"lines": [], "sums": [], "dues": [], "payment": [], "bank": [], "qr": "", "xml": "", "close": "Payment"}
    return empty | {
        "title": named,
        "heading": titled.heading,
        "notice": titled.notice,
        "number": titled.number,
        "created": {"year": on.year, "month": on.month, "day": on.day},
        "footer": f"{seller.name} · {named}",
        "paper": "us-letter" if seller.country in ON_LETTER_PAPER else "a4",
        "currency": currency,
        "seller": {"name": seller.name, "lines": _seller_lines(seller)},
        "has_long_skus": any(len(line[0].replace(_BREAK, "")) > _LONG_SKU for line in filled.get("lines", [])),
        **filled,
    }


def invoice_content(invoice: Invoice, seller: Seller) -> Content:
    """The document of an invoice: what was posted, and what is paid and open now. The same state gives the same content."""
    header = invoice.header
    return page(
        Titled("Invoice", invoice.number, invoice.invoiced_on),
        invoice.total.currency,
        seller,
        bill_to=bill_to(header, invoice.customer_id, seller.country),
        ship_to=ship_to(header.ship_to, seller.country),
        facts=_facts(invoice, seller.formats),
        lines=[
            line_row(line.sku, line.description, line.quantity, line.unit_price, line.extended)
            for line in invoice.lines
        ],
        sums=_sums(invoice),
        dues=_dues(invoice, seller.formats),
        payment=[
            *payment.deposit_sentences(invoice),
            *payment.sentences(invoice, seller.formats, has_bank=bool(seller.bank)),
        ],
        bank=list(seller.bank) if payment.is_by_transfer(invoice) else [],
        qr=payment_qr(seller, invoice.open, invoice.number) if payment.is_by_transfer(invoice) else "",
    )


def bill_to(header: Header, customer_id: str, own_country: str) -> list[str]:
    """Who is billed: its name where one was kept, its billing address where it has one, and its account."""
    lines = [header.bill_to_name, *_address(header.billing_address, own_country), f"Customer {customer_id}"]
    return [breakable(line) for line in dict.fromkeys(lines) if line]


def ship_to(place: Address, own_country: str) -> list[str]:
    """Where goods go, as its country writes it; empty where nothing was kept."""
    return list(map(breakable, _address(place, own_country)))


def _address(place: Address, own_country: str) -> Sequence[str]:
    return lines_of(place, own_country) if place != Address() else []


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
        ("Your tax ID", header.customer_tax_id),
        ("Order", invoice.order_number),
        ("Order date", formats.day(header.ordered_on) if header.ordered_on else ""),
        ("Terms", payment.terms_in_words(invoice)),
        ("Due", due if invoice.open.minor else ""),
    )
    return fact_rows(rows)


def fact_rows(rows: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Names and values; those without a value are left out."""
    return [[name, breakable(value, _LONG_SKU)] for name, value in rows if value]


def line_row(sku: str, description: str, quantity: int, unit_price: UnitPrice, extended: Money) -> list[str]:
    """The five cells of a line."""
    return [breakable(sku, _LONG_SKU), breakable(description), f"{quantity:,}", price(unit_price), amount(extended)]


def price(of: UnitPrice) -> str:
    """A unit price with its thousands in groups and all its decimals."""
    whole, point, fraction = of.text.partition(".")
    return f"{int(whole):,}{point}{fraction}"


Sum = tuple[str, Money, Any]
"""A row of sums: its name, its amount, and whether it is said."""


def _sums(invoice: Invoice) -> list[Content]:
    """How the lines become the total, and the total what is open."""
    currency = invoice.total.currency
    rows: list[Sum] = [
        *charge_rows(invoice.charges, _tax_rows(invoice)),
        (f"Total {currency}", invoice.total, True),
        *_paid(invoice),
        ("Early payment discount", -(invoice.discount_taken or Money.zero(currency)), invoice.discount_taken),
        ("Paid where it was bought", -invoice.settled_elsewhere, invoice.settled_elsewhere.minor),
        ("Credited", -invoice.credited, invoice.credited.minor),
        ("Written off", -invoice.written_off, invoice.written_off.minor),
        (f"Amount due {currency}", invoice.open, True),
    ]
    return sum_rows(rows, currency)


def _paid(invoice: Invoice) -> list[Sum]:
    """What came: deposits by their invoices, as long as their cash is there, and the rest."""
    deposits = Money.total((one.amount for one in invoice.deductions), invoice.total.currency)
    named = invoice.deductions if deposits <= invoice.paid else ()
    rest = invoice.paid - deposits if named else invoice.paid
    return [
        *((f"Deposit {one.deposit_invoice_number}", -one.amount, True) for one in named),
        (payment.paid_name(invoice), -rest, rest.minor),
    ]


def charge_rows(charges: Charges, taxes: Sequence[Sum]) -> list[Sum]:
    """What comes before a total; discount and freight only where there are some."""
    return [
        ("Merchandise", charges.merchandise, True),
        ("Discount", -charges.discount, charges.discount.minor),
        ("Freight", charges.freight, charges.freight.minor),
        *taxes,
    ]


def sum_rows(rows: Iterable[Sum], currency: str) -> list[Content]:
    """The rows that are said; those that end with the currency are totals."""
    return [
        {"name": name, "amount": _signed(value), "strong": name.endswith(currency)}
        for name, value, is_said in rows
        if is_said
    ]


def _signed(value: Money) -> str:
    return f"{MINUS}{amount(-value)}" if value.minor < 0 else amount(value)


def _tax_rows(invoice: Invoice) -> list[Sum]:
    """The tax by rate; one of before there were parts has its header's rate."""
    return tax_rows(invoice.tax_parts, invoice.total.currency)


def tax_rows(parts: Sequence[TaxPart], currency: str) -> list[Sum]:
    """The tax by rate, and why nothing is charged."""
    return [
        (f"{row.name} ({row.reason})" if row.reason else row.name, row.tax, True) for row in tax_lines(parts, currency)
    ]


def _dues(invoice: Invoice, formats: Formats) -> list[list[str]]:
    """The installments, when there are several."""
    if not invoice.installments:
        return []
    return [[formats.day(one.due_on), amount(one.amount), amount(left)] for one, left in invoice.open_installments()]
