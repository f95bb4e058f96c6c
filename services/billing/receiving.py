"""Recording cash, inside the caller's transaction: the payment, what it pays, books, credit and facts move together."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from services.billing.domain import facts, ledger
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Application, Payment, check_applications, check_repeat, oldest_first
from services.billing.store import credit, invoices, payments
from services.billing.store import ledger as books
from services.billing.wire import Receipt
from services.kernel.errors import Conflict, NotFound
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime.outbox import emit


def record(session: Session, receipt: Receipt, now: datetime) -> Payment:
    """The one payment of a customer's bank reference: recorded now, or as it stands when it was recorded before."""
    currency = receipt.amount.currency
    credit.take_or_open(session, receipt.customer_id, currency)
    earlier = payments.by_reference(session, receipt.customer_id, receipt.reference)
    if earlier is not None:
        check_repeat(earlier, receipt.amount)
        return earlier
    paid = _invoices_to_pay(session, receipt)
    payment = _payment(receipt, _applications(receipt, paid), now)
    payments.add(session, payment)
    for application in payment.applications:
        if not invoices.pay(session, application.invoice_id, application.amount):
            raise Conflict("INVOICE_PAID_MEANWHILE", "an invoice was paid by somebody else: try again")
    books.post(session, ledger.payment_postings(payment, paid), now)
    credit.move(session, payment.customer_id, committed=Money.zero(currency), receivable=-payment.amount)
    _tell_received(session, payment, paid, now)
    return payment


def _invoices_to_pay(session: Session, receipt: Receipt) -> dict[str, Invoice]:
    """Invoice id → invoice: those asked for, or every open one of the customer."""
    if not receipt.applications:
        open_ones = invoices.open_of_customer(session, receipt.customer_id, receipt.amount.currency)
        return {invoice.invoice_id: invoice for invoice in open_ones}
    asked = {application.invoice_id for application in receipt.applications}
    found = invoices.by_ids(session, asked)
    if missing := sorted(asked - found.keys()):
        raise NotFound("INVOICE_NOT_FOUND", f"there is no invoice {', '.join(missing)}: check the identities")
    return found


def _applications(receipt: Receipt, paid: Mapping[str, Invoice]) -> tuple[Application, ...]:
    if not receipt.applications:
        return oldest_first(receipt.amount, list(paid.values()))
    return check_applications(receipt.customer_id, receipt.amount, receipt.applications, paid)


def _payment(receipt: Receipt, applications: tuple[Application, ...], now: datetime) -> Payment:
    applied = Money.total((application.amount for application in applications), receipt.amount.currency)
    return Payment(
        new_id("pay"),
        receipt.customer_id,
        receipt.amount,
        receipt.reference,
        applications,
        receipt.amount - applied,
        now,
    )


def _tell_received(session: Session, payment: Payment, paid: Mapping[str, Invoice], now: datetime) -> None:
    """One fact an order that the payment pays."""
    by_order: dict[str, list[Application]] = {}
    for application in payment.applications:
        by_order.setdefault(paid[application.invoice_id].order_id, []).append(application)
    for order_id in sorted(by_order):
        applications = by_order[order_id]
        applied = Money.total((application.amount for application in applications), payment.amount.currency)
        after = [paid[application.invoice_id].with_paid(application.amount) for application in applications]
        emit(
            session,
            kind=facts.PAYMENT_RECEIVED,
            order_id=order_id,
            subject_id=payment.payment_id,
            detail=facts.payment_received(payment, applied, after),
            now=now,
        )
