"""What a deposit invoice says on paper, and a credit note of one: the cash, and the tax in it."""

from __future__ import annotations

from services.billing.documents.content import (
    Content,
    Sum,
    Titled,
    bill_to,
    breakable,
    fact_rows,
    line_row,
    page,
    ship_to,
    sum_rows,
    tax_rows,
)
from services.billing.documents.seller import Seller
from services.billing.domain.deposit_invoices import DepositInvoice, DepositPart
from services.billing.domain.invoices import InvoiceLine
from services.kernel.formats import Formats
from services.kernel.money import Money, UnitPrice

_LONG_WORD = 60


def deposit_content(posted: DepositInvoice, seller: Seller) -> Content:
    """The document of a deposit invoice or a credit note of one, as posted: the same content, whatever was deducted since."""
    is_note, header = posted.is_credit_note, posted.header
    return page(
        Titled("Credit note" if is_note else "Deposit invoice", posted.number, posted.invoiced_on),
        posted.currency,
        seller,
        bill_to=bill_to(header, posted.customer_id, seller.country),
        ship_to=ship_to(header.ship_to, seller.country),
        facts=fact_rows(_facts(posted, seller.formats)),
        lines=[
            line_row(line.sku, line.description, line.quantity, line.unit_price, line.extended)
            for line in (line_of(posted, part) for part in posted.parts)
        ],
        sums=sum_rows(_sums(posted), posted.currency),
        close="Credit" if is_note else "Payment",
        payment=[breakable(sentence, _LONG_WORD) for sentence in sentences(posted)],
    )


def line_of(posted: DepositInvoice, part: DepositPart) -> InvoiceLine:
    """What is taxed in one way, without its tax."""
    price = UnitPrice(part.net.amount, part.net.currency)
    rate = f"taxed at {(part.kind.rate * 100).normalize():f}%" if part.kind.rate else "not taxed"
    return InvoiceLine("", "", f"Deposit on order {posted.order_number}, {rate}", 1, price, part.net)


def sentences(posted: DepositInvoice) -> list[str]:
    """What it is, one sentence a line."""
    if posted.is_credit_note:
        return [f"Reason: {posted.reason}", f"This note corrects deposit invoice {posted.corrects}."]
    return [
        "Paid in full. Nothing is to be paid.",
        f"The invoices of order {posted.order_number} deduct it, with the tax that is charged here.",
    ]


def _facts(posted: DepositInvoice, formats: Formats) -> tuple[tuple[str, str], ...]:
    header, corrected_on = posted.header, posted.corrected_on
    return (
        ("Date" if posted.is_credit_note else "Invoice date", formats.day(posted.invoiced_on)),
        ("Of invoice", posted.corrects),
        ("Invoice date", formats.day(corrected_on) if corrected_on else ""),
        ("Received", formats.day(posted.received_on)),
        ("Your PO", header.po_number),
        ("Your tax ID", header.customer_tax_id),
        ("Order", posted.order_number),
        ("Order date", formats.day(header.ordered_on) if header.ordered_on else ""),
    )


def _sums(posted: DepositInvoice) -> list[Sum]:
    currency, zero = posted.currency, Money.zero(posted.currency)
    rows: list[Sum] = [
        ("Without tax", posted.total - posted.tax, True),
        *tax_rows([part.tax_part for part in posted.parts], currency),
    ]
    if posted.is_credit_note:
        return [*rows, (f"Total credited {currency}", posted.total, True)]
    return [
        *rows,
        (f"Total {currency}", posted.total, True),
        ("Received", -posted.total, True),
        (f"Amount due {currency}", zero, True),
    ]
