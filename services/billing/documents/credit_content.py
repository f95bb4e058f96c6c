"""What a credit note says on paper: an invoice's page that refers to the invoice it corrects."""

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
from services.billing.domain.credit_notes import CreditNote
from services.billing.domain.invoices import Invoice
from services.kernel.formats import amount

_LONG_WORD = 60


def credit_content(note: CreditNote, invoice: Invoice, seller: Seller) -> Content:
    """The document of a credit note of an invoice, whose header it has; it never changes, so the same note gives the same content."""
    currency, header, formats = note.parts.tax.currency, invoice.header, seller.formats
    rows = (
        ("Date", formats.day(note.credited_on)),
        ("Of invoice", note.invoice_number),
        ("Invoice date", formats.day(invoice.invoiced_on)),
        ("Your PO", header.po_number),
        ("Order", note.order_number),
    )
    return page(
        Titled("Credit note", note.number, note.credited_on),
        currency,
        seller,
        bill_to=bill_to(header, note.customer_id, seller.country),
        ship_to=ship_to(header.ship_to, seller.country),
        facts=fact_rows(rows),
        lines=[
            line_row(line.sku, line.description, line.quantity, line.unit_price, line.extended) for line in note.lines
        ],
        sums=sum_rows(_sums(note), currency),
        close="Credit",
        payment=[
            breakable(f"Reason: {note.reason}", _LONG_WORD),
            f"This note corrects invoice {note.invoice_number}.",
            *landing_sentences(note),
        ],
    )


def landing_sentences(note: CreditNote) -> list[str]:
    """Where the total goes, one sentence a line."""
    landing, of_cash, taken_back = note.landing, note.fee_of_cash, note.parts.claw_back
    fee = note.fee or of_cash
    where = "held for your order" if note.is_held else "left on your account"
    rows = (
        (fee, "is kept as a restocking fee, which is not taxed."),
        (landing.open - fee + of_cash, "goes off what is open on the invoice."),
        (landing.recovered, "goes off what had been written off."),
        (landing.discount, "was given as discount for paying early."),
        (landing.cash - of_cash, f"was paid and is {where}."),
    )
    sentences = [f"{amount(part)} {part.currency} {what}" for part, what in rows if part.minor]
    if taken_back.minor > 0:
        sentences.append(
            f"{amount(taken_back)} {taken_back.currency} of the discount are taken back: what you keep is below its minimum."
        )
    return sentences


def _sums(note: CreditNote) -> list[Sum]:
    parts, currency = note.parts, note.parts.tax.currency
    return [
        ("Merchandise", parts.merchandise, parts.merchandise.minor),
        ("Discount", -parts.discount, parts.discount.minor),
        ("Price allowance", parts.allowance + parts.claw_back, (parts.allowance + parts.claw_back).minor),
        ("Discount taken back", -parts.claw_back, parts.claw_back_minor),
        ("Freight", parts.freight, parts.freight.minor),
        *tax_rows([one.tax_part for one in note.by_tax], currency),
        (f"Total credited {currency}", parts.total, True),
    ]
