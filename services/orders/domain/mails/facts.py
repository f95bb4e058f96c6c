"""Mails about the facts of other services: shipped, delivered, invoiced, paid, credited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.formats import amount
from services.kernel.money import Money
from services.orders.domain import facts
from services.orders.domain.facts import (
    ConsolidatedInvoice,
    DepositInvoiced,
    DepositReceived,
    Fact,
    Invoice,
    InvoiceCredited,
    InvoiceIssued,
    PaymentReceived,
    PaymentReversed,
    Shipment,
    ShipmentChanged,
    ShipmentReversed,
)
from services.orders.domain.mails.mail import (
    Attachment,
    Contacts,
    Mail,
    bill_to,
    buyer,
    listed,
    reachable,
    sales_rep,
    support_mailbox,
    warehouse_mailbox,
)
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Order
from services.orders.domain.projection import Progress

_NOTHING_HEARD = Progress()


@dataclass(frozen=True, slots=True)
class Parties:
    """Who ordered, and who is billed: the same, unless another account is."""

    customer: Customer
    payer: Customer


MAILED_KINDS = frozenset(
    {
        facts.SHIPMENT_SHIPPED,
        facts.SHIPMENT_DELIVERED,
        facts.SHIPMENT_EXCEPTION,
        facts.SHIPMENT_REVERSED,
        "invoice_issued",
        facts.PAYMENT_RECEIVED,
        facts.DEPOSIT_RECEIVED,
        facts.PAYMENT_REVERSED,
        facts.INVOICE_CREDITED,
        facts.DEPOSIT_INVOICED,
    }
)
"""Kinds of fact that people may be notified of."""


def mail_of(
    fact: Fact,
    order: Order,
    parties: Parties,
    contacts: Contacts,
    *,
    is_last_delivery: bool,
    progress: Progress = _NOTHING_HEARD,
    is_by_card: bool = False,
) -> Mail | None:
    """The mail that a fact causes: shipped, delivered, a problem, reversed, invoice, payment_received, payment_reversed, credit_note or deposit_invoice; None for all other kinds.

    Nobody is asked to pay what a marketplace or a till was paid for, what a card is charged with (`is_by_card`), or what cash that
    came before pays, of which the `progress` with the fact knows. An invoice of several orders is told of with its first. A service visit has one mail, delivered. Only the last delivery
    asks for feedback. A payment that was put to another use or refunded has no mail.
    """
    customer, payer = parties.customer, parties.payer
    match fact.kind, fact.detail:
        case facts.SHIPMENT_SHIPPED, ShipmentChanged(shipment=shipment):
            return None if shipment.is_service else _shipped(shipment, customer)
        case facts.SHIPMENT_DELIVERED, ShipmentChanged(shipment=shipment):
            url = _feedback_url(contacts, order) if is_last_delivery else ""
            return _delivered(shipment, customer, url, contacts.support)
        case facts.SHIPMENT_EXCEPTION, ShipmentChanged(shipment=shipment):
            return _exception(shipment, order, customer, contacts)
        case _, ShipmentReversed(shipments=(shipment, *_)):
            return Mail("shipment_reversed", buyer(customer), _contents(shipment))
        case _, InvoiceIssued() as issued:
            return None if order.is_paid_at_till else _issued(issued, order, payer, progress, is_by_card=is_by_card)
        case _, PaymentReceived(amount=paid, invoices=invoices):
            return Mail("payment_received", bill_to(payer), _paid(paid, invoices))
        case _, DepositReceived(amount=paid):
            return Mail("payment_received", bill_to(payer), _paid(paid, ()))
        case _, PaymentReversed(amount=paid, invoices=invoices, reason=reason, is_returned=True):
            everybody = reachable([*bill_to(payer), *sales_rep(customer)])
            return Mail("payment_reversed", everybody, {**_paid(paid, invoices), "reason": reason})
        case _, InvoiceCredited(number=""):
            return None  # nothing was left to be credited: it has been told of
        case _, InvoiceCredited() as credited:
            document = Attachment("credit_note", credited.credit_note_id, f"{credited.number}.pdf")
            return Mail("credit_note", bill_to(payer), _credited(credited), document)
        case _, DepositInvoiced() as posted:
            document = Attachment("deposit_invoice", posted.deposit_invoice_id, f"{posted.number}.pdf")
            return Mail("deposit_invoice", bill_to(payer), _deposit_invoiced(posted), document)
    return None


def _paid(paid: Money, invoices: Sequence[Invoice]) -> dict[str, Any]:
    numbers = [invoice.number for invoice in invoices]
    return {"amount": amount(paid), "currency": paid.currency, "invoices": numbers}


def _credited(credited: InvoiceCredited) -> dict[str, Any]:
    invoice, cash = credited.invoice, credited.cash
    return {
        "credit_note_number": credited.number,
        "invoice_number": invoice.number,
        "total": amount(credited.amount),
        "left_over": amount(cash) if cash.minor else "",
        "is_held": credited.held_minor is not None,
        "due": amount(Money(invoice.open_minor, invoice.currency)) if invoice.open_minor else "",
        "due_on": invoice.due_on if invoice.open_minor else "",
        "currency": invoice.currency,
        "reason": credited.reason,
    }


def _deposit_invoiced(posted: DepositInvoiced) -> dict[str, Any]:
    return {
        "document": f"{'Credit note' if posted.corrects else 'Deposit invoice'} {posted.number}",
        "corrects": posted.corrects,
        "total": amount(posted.amount),
        "tax": amount(posted.tax) if posted.tax.minor else "",
        "currency": posted.amount.currency,
        "reason": posted.reason,
    }


def _feedback_url(contacts: Contacts, order: Order) -> str:
    """The company's page for feedback; without one, a mail to support, who enters it for the customer."""
    if contacts.feedback_url:
        return contacts.feedback_url.format(order_id=order.order_id)
    return f"mailto:{contacts.support}?subject=Rating%20of%20order%20{order.number}%20from%201%20to%205"


def _shipped(shipment: Shipment, customer: Customer) -> Mail:
    variables = {
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "promised_on": shipment.promised_on,
        "packages": [package.tracking_number for package in shipment.packages],
    }
    return Mail("shipped", buyer(customer), variables | _contents(shipment))


def _contents(shipment: Shipment) -> dict[str, Any]:
    """A shipment's number, and what is in it."""
    contents = [
        {"sku": line.sku, "description": line.description, "quantity": line.quantity} for line in shipment.lines
    ]
    return {"shipment_number": shipment.number, **listed(contents, "lines", "more_lines")}


def _delivered(shipment: Shipment, customer: Customer, feedback_url: str, support_email: str) -> Mail:
    variables = {
        "shipment_number": shipment.number,
        "is_service": shipment.is_service,
        "feedback_url": feedback_url,
        "support_email": support_email,
    }
    return Mail("delivered", buyer(customer), variables)


def _exception(shipment: Shipment, order: Order, customer: Customer, contacts: Contacts) -> Mail:
    variables = {
        "shipment_number": shipment.number,
        "carrier": shipment.carrier,
        "tracking_number": shipment.exception_tracking_number,
        "customer_name": order.customer_name,
    }
    ours = (*sales_rep(customer), *support_mailbox(contacts), *warehouse_mailbox(contacts))
    # of one that is said never to have left the customer knows nothing
    theirs = () if shipment.state == "cancelled" else buyer(customer)
    return Mail(facts.SHIPMENT_EXCEPTION, reachable([*theirs, *ours]), variables)


def _early(invoice: Invoice, held_minor: int) -> dict[str, str]:
    """What settles an invoice by which day, where that is less than is due."""
    if not invoice.discount_until:
        return {"early_total": "", "early_on": ""}
    left = Money(max(0, invoice.pays_early - held_minor), invoice.currency)
    return {"early_total": amount(left), "early_on": invoice.discount_until}


def _invoice(invoice: Invoice, order: Order, customer: Customer, held_minor: int, *, is_by_card: bool) -> Mail:
    """`held_minor` is cash that is held for the order: billing deducts it as soon as the invoice is issued."""
    spared = invoice.discount_taken_minor + invoice.credited_minor + invoice.written_off_minor
    left = invoice.total_minor - invoice.paid_minor - spared
    deducted = min(held_minor, left)
    settles_early = bool(invoice.discount_until) and invoice.pays_early <= held_minor
    so_far = Money(invoice.paid_minor + deducted, invoice.currency)
    variables = {
        "invoice_number": invoice.number,
        "total": amount(Money(invoice.total_minor, invoice.currency)),
        "received": amount(so_far) if so_far.minor else "",
        "due": amount(Money(left - deducted, invoice.currency)),
        "currency": invoice.currency,
        "is_paid": deducted == left or settles_early,
        "is_by_card": is_by_card,
        "due_on": invoice.due_on or order.payment_terms.words,  # it has no day before its goods are delivered
    }
    document = Attachment("invoice", invoice.invoice_id, f"{invoice.number}.pdf")
    return Mail("invoice", bill_to(customer), variables | _early(invoice, held_minor), document)


def _issued(
    issued: InvoiceIssued, order: Order, payer: Customer, progress: Progress, *, is_by_card: bool
) -> Mail | None:
    invoice, together = issued.invoice, issued.consolidated
    if together is not None:
        return _consolidated(invoice, together, payer) if together.share == 1 else None
    known = progress.invoices.get(invoice.invoice_id, invoice)
    return _invoice(known, order, payer, progress.held_minor, is_by_card=is_by_card)


def _consolidated(invoice: Invoice, together: ConsolidatedInvoice, customer: Customer) -> Mail:
    """The one mail of an invoice of several orders, as it was posted."""
    total = Money(together.total_minor, invoice.currency)
    early = Money(together.total_minor - together.early_discount_minor, invoice.currency)
    variables = {
        "invoice_number": invoice.number,
        "orders": list(together.orders),
        "total": amount(total),
        "received": "",
        "due": amount(total),
        "currency": invoice.currency,
        "is_paid": not total.minor,
        "is_by_card": False,
        "due_on": together.due_on,
        "early_total": amount(early) if together.discount_until else "",
        "early_on": together.discount_until,
    }
    document = Attachment("invoice", invoice.consolidated_id, f"{invoice.number}.pdf")
    return Mail("consolidated_invoice", bill_to(customer), variables, document)
