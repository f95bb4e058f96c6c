"""Payments: cash that arrives, what it pays, and what is left of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.invoices import Invoice
from services.kernel.errors import Refused
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Application:
    """Part of a payment that pays an invoice."""

    invoice_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Payment:
    """Cash of a customer. amount = sum of the applications + unapplied, always.

    `asked_digest` is of what the payer asked for; empty for a payment from before it was kept.
    """

    payment_id: str
    customer_id: str
    amount: Money
    reference: str
    applications: tuple[Application, ...]
    unapplied: Money
    received_at: datetime
    asked_digest: str = ""


def asked_digest(amount: Money, applications: Sequence[Application]) -> str:
    """What a payer asks for, in short: the amount and the invoices it names, in whatever order."""
    named = sorted((one.invoice_id, one.amount.minor) for one in applications)
    return hashlib.sha256(repr((amount.minor, amount.currency, named)).encode()).hexdigest()


def oldest_first(amount: Money, invoices: Sequence[Invoice]) -> tuple[Application, ...]:
    """Pay open invoices by due date, then number, as far as the amount goes; none gets zero."""
    left, applications = amount, []
    for invoice in sorted(invoices, key=lambda each: (each.due_on, each.number)):
        part = min(left, invoice.open)
        if part.minor > 0:
            applications.append(Application(invoice.invoice_id, part))
            left = left - part
    return tuple(applications)


def with_rest(amount: Money, named: Sequence[Application], invoices: Mapping[str, Invoice]) -> tuple[Application, ...]:
    """What the payer named, in the order given, then what the rest of the amount pays of open invoices, oldest first.

    `invoices` is invoice id → invoice before the payment. One application an invoice; what exceeds all of them applies to none.
    """
    sums = {application.invoice_id: application.amount for application in named}
    left = amount - Money.total(sums.values(), amount.currency)
    after = [
        invoice.with_paid(sums[invoice_id]) if invoice_id in sums else invoice
        for invoice_id, invoice in invoices.items()
    ]
    for more in oldest_first(left, after):
        earlier = sums.get(more.invoice_id, Money.zero(amount.currency))
        sums[more.invoice_id] = earlier + more.amount
    return tuple(Application(invoice_id, applied) for invoice_id, applied in sums.items())


def check_applications(
    customer_id: str, amount: Money, asked: Sequence[Application], invoices: Mapping[str, Invoice]
) -> tuple[Application, ...]:
    """The applications the payer asked for, one an invoice, in the order given, when they hold.

    `invoices` is invoice id → invoice and has every asked one. Refused when an invoice is another customer's, when more is
    applied than is open on it or than was paid.
    """
    sums: dict[str, Money] = {}
    for application in asked:
        earlier = sums.get(application.invoice_id, Money.zero(amount.currency))
        sums[application.invoice_id] = earlier + application.amount
    for invoice_id, applied in sums.items():
        _check_application(customer_id, invoices[invoice_id], applied)
    applied_in_all = Money.total(sums.values(), amount.currency)
    if applied_in_all > amount:
        raise Refused(
            "PAYMENT_OVERAPPLIED", f"{applied_in_all} is applied of a payment of {amount}: apply at most what was paid"
        )
    return tuple(Application(invoice_id, applied) for invoice_id, applied in sums.items())


def _check_application(customer_id: str, invoice: Invoice, applied: Money) -> None:
    if invoice.customer_id != customer_id:
        raise Refused(
            "INVOICE_OF_ANOTHER_CUSTOMER",
            f"invoice {invoice.number} is not this customer's: apply to their own invoices",
        )
    if invoice.total.currency != applied.currency:
        raise Refused(
            "INVOICE_CURRENCY_DIFFERS",
            f"invoice {invoice.number} is in {invoice.total.currency}: pay it in its own currency",
        )
    if applied > invoice.open:
        raise Refused(
            "INVOICE_OVERPAID",
            f"invoice {invoice.number} has {invoice.open} open: apply at most that and leave the rest unapplied",
        )


def check_repeat(payment: Payment, amount: Money, applications: Sequence[Application], order_id: str) -> None:
    """Refused when a bank reference of a customer comes back with another amount, or for other invoices.

    It is another payment or a typing error. `order_id` is the order of an invoice that was paid, empty for none.
    """
    is_same = payment.asked_digest in ("", asked_digest(amount, applications))
    if payment.amount != amount or not is_same:
        raise Refused(
            "PAYMENT_REFERENCE_REUSED",
            f"reference {payment.reference!r} is a payment of {payment.amount} already: correct the reference, "
            "the amount or the invoices",
            order_id=order_id,
        )
