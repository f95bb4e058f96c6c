"""What a credit note says on paper: an invoice's page that refers to the invoice it corrects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.billing.documents.content import (
    Content,
    Sum,
    Titled,
    bill_to,
    fact_rows,
    line_row,
    page,
    ship_to,
    sum_rows,
    tax_rows,
)
from services.billing.documents.seller import Seller
from services.billing.domain.headers import Header
from services.billing.domain.invoices import InvoiceLine
from services.kernel.money import Money
from services.kernel.tax import TaxPart


@dataclass(frozen=True, slots=True)
class CreditPaper:
    """A credit note as its paper names it, every amount positive. `parts` is its tax by rate; empty where only the `tax` is known.

    `allowance` is given on the price of the goods; negative where units are credited whose price was lowered before. `landing` says in
    sentences where the total went.
    """

    number: str
    credited_on: date
    invoice_number: str
    invoiced_on: date
    order_number: str
    customer_id: str
    header: Header
    reason: str
    lines: tuple[InvoiceLine, ...]
    merchandise: Money
    discount: Money
    allowance: Money
    freight: Money
    tax: Money
    parts: tuple[TaxPart, ...] = ()
    landing: tuple[str, ...] = ()

    @property
    def total(self) -> Money:
        """What is credited."""
        return self.merchandise - self.discount + self.allowance + self.freight + self.tax


def credit_content(paper: CreditPaper, seller: Seller) -> Content:
    """The document of a credit note; it never changes, so the same note gives the same content."""
    currency, header, formats = paper.tax.currency, paper.header, seller.formats
    rows = (
        ("Date", formats.day(paper.credited_on)),
        ("Of invoice", paper.invoice_number),
        ("Invoice date", formats.day(paper.invoiced_on)),
        ("Your PO", header.po_number),
        ("Order", paper.order_number),
    )
    return page(
        Titled("Credit note", paper.number, paper.credited_on),
        currency,
        seller,
        bill_to=bill_to(header.bill_to_name, paper.customer_id),
        ship_to=ship_to(header.ship_to, seller.country),
        facts=fact_rows(rows),
        lines=[
            line_row(line.sku, line.description, line.quantity, line.unit_price, line.extended) for line in paper.lines
        ],
        sums=sum_rows(_sums(paper), currency),
        close="Credit",
        payment=[
            *([f"Reason: {paper.reason}"] if paper.reason else []),
            f"This note corrects invoice {paper.invoice_number}.",
            *paper.landing,
        ],
    )


def _sums(paper: CreditPaper) -> list[Sum]:
    currency = paper.tax.currency
    taxes = tax_rows(paper.parts, currency) if paper.parts else [("Tax", paper.tax, True)]
    return [
        ("Merchandise", paper.merchandise, paper.merchandise.minor),
        ("Discount", -paper.discount, paper.discount.minor),
        ("Allowance on the price", paper.allowance, paper.allowance.minor),
        ("Freight", paper.freight, paper.freight.minor),
        *taxes,
        (f"Total credited {currency}", paper.total, True),
    ]
