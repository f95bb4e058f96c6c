"""What an order's confirmation and its pro forma invoice say on paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.billing.documents import payment
from services.billing.documents.content import (
    Content,
    Sum,
    Titled,
    bill_to,
    charge_rows,
    fact_rows,
    line_row,
    page,
    ship_to,
    sum_rows,
    tax_rows,
)
from services.billing.documents.qr import payment_qr
from services.billing.documents.seller import Seller
from services.billing.domain.credit import CARD, CASH_ON_DELIVERY, DEPOSIT, EXCHANGED, PREPAID, SETTLED_ELSEWHERE
from services.billing.domain.headers import Header
from services.billing.domain.invoices import BillableOrder
from services.kernel.formats import amount
from services.kernel.money import Money

NO_INVOICE = "This is not a tax invoice"
_UNASKED = {
    CARD: "The card of this order is charged when the goods leave.",
    CASH_ON_DELIVERY: "Pay when the goods are delivered.",
    SETTLED_ELSEWHERE: "Paid where it was bought. Nothing is to be paid.",
    EXCHANGED: "In place of goods that came back. Nothing is to be paid.",
}


@dataclass(frozen=True, slots=True)
class OrderPaper:
    """An order as its documents name it: `ordered` is line id → units with those canceled since, and what they came to.

    `deposit` is what is to be paid of it before its goods leave, all of it where there is none; `received` what has come for it.
    """

    order: BillableOrder
    header: Header
    version: int
    ordered: dict[str, tuple[int, Money]]
    deposit: Money | None
    received: Money

    @property
    def is_paid_ahead(self) -> bool:
        """Whether its customer sends money before its goods leave."""
        return self.order.payment_method in {PREPAID, DEPOSIT}

    @property
    def asked(self) -> Money:
        """What is still to be paid before its goods leave."""
        if not self.is_paid_ahead:
            return Money.zero(self.order.currency)
        asked = (self.deposit or self.order.charges.total) - self.received
        return asked if asked.minor > 0 else Money.zero(asked.currency)


def confirmation_content(paper: OrderPaper, seller: Seller) -> Content:
    """The confirmation of an accepted order: what was ordered, at which prices, and where it goes."""
    ordered_on = paper.header.ordered_on or date.min
    canceled = _canceled(paper)
    return page(
        Titled("Order confirmation", paper.order.number, ordered_on),
        paper.order.currency,
        seller,
        sums=sum_rows(_sums(paper), paper.order.currency),
        close="Your order",
        payment=[f"We have accepted this order. {NO_INVOICE}.", *canceled],
        **_order_members(paper, seller),
    )


def pro_forma_content(paper: OrderPaper, seller: Seller, on: date) -> Content:
    """What is to be paid before an order's goods leave; it has no number of its own and is booked by nobody."""
    currency, asked = paper.order.currency, paper.asked
    name = "Deposit to pay" if paper.deposit else "To pay now"
    rows: list[Sum] = [
        *_sums(paper),
        ("Received", -paper.received, paper.received.minor),
        (f"{name} {currency}", asked, paper.is_paid_ahead),
    ]
    return page(
        Titled("Pro forma invoice", paper.order.number, on, NO_INVOICE),
        currency,
        seller,
        sums=sum_rows(rows, currency),
        payment=_asking(paper, seller),
        bank=list(seller.bank) if asked.minor else [],
        qr=payment_qr(seller, asked, paper.order.number),
        **_order_members(paper, seller, ("Date", seller.formats.day(on))),
    )


def _order_members(paper: OrderPaper, seller: Seller, *dated: tuple[str, str]) -> Content:
    """Whom it is for, where it goes, its facts and its lines."""
    order, header = paper.order, paper.header
    rows = (
        *dated,
        ("Your PO", header.po_number),
        ("Order", order.number),
        ("Order date", seller.formats.day(header.ordered_on) if header.ordered_on else ""),
        ("Version", str(paper.version) if paper.version > 1 else ""),
        ("Terms", payment.method_in_words(order.payment_method) or order.payment_terms.words),
    )
    return {
        "bill_to": bill_to(header, order.customer_id, seller.country),
        "ship_to": ship_to(header.ship_to, seller.country),
        "facts": fact_rows(rows),
        "lines": [
            line_row(line.sku, line.description, units, line.unit_price, extended)
            for line in order.lines
            for units, extended in [paper.ordered[line.line_id]]
        ],
    }


def _sums(paper: OrderPaper) -> list[Sum]:
    charges, currency = paper.order.charges, paper.order.currency
    return [
        *charge_rows(charges, tax_rows(paper.order.parts, currency)),
        (f"Total {currency}", charges.total, True),
    ]


def _canceled(paper: OrderPaper) -> list[str]:
    """A sentence for each line of which units were canceled since."""
    rows = [(line, paper.ordered[line.line_id][0] - line.quantity) for line in paper.order.lines]
    return [f"{units:,} of {line.sku} canceled since." for line, units in rows if units]


def _asking(paper: OrderPaper, seller: Seller) -> list[str]:
    asked, number = paper.asked, paper.order.number
    if not asked.minor:
        return [_UNASKED.get(paper.order.payment_method, "Nothing is to be paid before the goods leave.")]
    to = " to this account" if seller.bank else ""
    rest = "The rest is due on the invoices." if paper.deposit else "You receive an invoice when the goods leave."
    return [f"Pay {amount(asked)} {asked.currency}{to}, naming order {number}.", f"{NO_INVOICE}. {rest}"]
