"""How an invoice is paid, in words: its terms, what is left to do, and the discount for doing it early."""

from __future__ import annotations

from services.billing.domain.credit import (
    CARD,
    CASH_ON_DELIVERY,
    DEPOSIT,
    EXCHANGED,
    PREPAID,
    SETTLED_ELSEWHERE,
    is_on_terms,
)
from services.billing.domain.invoices import CREDITED, PAID, Invoice
from services.kernel.formats import Formats, amount
from services.kernel.terms import NOT_DUE, Terms

_METHODS = {
    CARD: "by card",
    PREPAID: "in advance",
    DEPOSIT: "deposit, rest on credit",
    CASH_ON_DELIVERY: "cash on delivery",
    SETTLED_ELSEWHERE: "paid where it was bought",
    EXCHANGED: "by returned goods",
}


def method_of(invoice: Invoice) -> str:
    """How it is paid: as its order is, but for a fee, for which no goods are delivered; empty by transfer."""
    method = invoice.header.payment_method
    return "" if invoice.fee_id and method != CARD else method


def terms_in_words(invoice: Invoice) -> str:
    """The terms it was posted under, or how its order is paid; empty where neither was kept."""
    method = method_of(invoice)
    if invoice.terms and (is_on_terms(method) or not method):
        return Terms.parse(invoice.terms).words
    return method_in_words(method)


def method_in_words(method: str) -> str:
    """How an order is paid that is not on terms; empty for one that is."""
    return _METHODS.get(method, "")


def paid_name(invoice: Invoice) -> str:
    """What is said of money that came."""
    return "Paid by card" if method_of(invoice) == CARD else "Paid"


def is_by_transfer(invoice: Invoice) -> bool:
    """Whether its customer is to send money to a bank."""
    return bool(invoice.open.minor) and method_of(invoice) not in {CARD, CASH_ON_DELIVERY}


def deposit_sentences(invoice: Invoice) -> list[str]:
    """A sentence for each deposit that is deducted: its tax is in that of the invoice and is owed once."""
    return [
        f"Deposit invoice {one.deposit_invoice_number}, {amount(one.amount)} {one.amount.currency}, is deducted: of the tax here it has "
        f"charged {amount(one.tax)} already."
        for one in invoice.deductions
    ]


def sentences(invoice: Invoice, formats: Formats, *, has_bank: bool) -> list[str]:
    """What is to be done, one sentence a line."""
    if not invoice.open.minor:
        return [_settled(invoice)]
    open_text = f"{amount(invoice.open)} {invoice.total.currency}"
    if method_of(invoice) == CARD:
        return [f"{open_text} is charged to the card of order {invoice.order_number}."]
    if method_of(invoice) == CASH_ON_DELIVERY:
        return [f"Pay {open_text} when the goods are delivered."]
    by = "" if invoice.installments or invoice.due_on == NOT_DUE else f" by {formats.day(invoice.due_on)}"
    to = " to this account" if has_bank else ""
    return [f"Pay {open_text}{by}{to}, naming invoice {invoice.number}.", *_early(invoice, formats)]


def _settled(invoice: Invoice) -> str:
    if invoice.settled_elsewhere.minor:
        return "Paid where it was bought. Nothing is to be paid."
    how = {PAID: "Paid in full. ", CREDITED: "Credited in full. "}.get(invoice.status, "")
    return f"{how}Nothing is to be paid." if invoice.total.minor else "Nothing is to be paid."


def _early(invoice: Invoice, formats: Formats) -> list[str]:
    offer = invoice.offer
    if offer is None:
        return []
    pays = f"{amount(invoice.open - offer.amount)} {invoice.total.currency}"
    return [
        f"{pays} settles it if received by {formats.day(offer.until)}: {amount(offer.amount)} early payment discount."
    ]
