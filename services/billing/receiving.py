"""Recording cash, inside the caller's transaction: the payment, what it pays, books, credit and facts move together."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from services.billing.domain import ledger
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import (
    Application,
    Payment,
    asked_digest,
    check_applications,
    check_repeat,
    with_rest,
)
from services.billing.settling import notify_received
from services.billing.store import credit, invoices, payments
from services.billing.store import ledger as ledger_store
from services.billing.wire import Receipt
from services.kernel.errors import Conflict, NotFound
from services.kernel.ids import new_id
from services.kernel.money import Money


def record(session: Session, receipt: Receipt, now: datetime) -> Payment:
    """The one payment of a customer's bank reference: recorded now, or as it stands when it was recorded before."""
    currency = receipt.amount.currency
    credit.take_or_open(session, receipt.customer_id, currency)
    earlier = payments.by_reference(session, receipt.customer_id, receipt.reference)
    if earlier is not None:
        check_repeat(earlier, receipt.amount, receipt.applications, _order_of(session, earlier))
        return earlier
    named = _named(session, receipt)
    asked = check_applications(receipt.customer_id, receipt.amount, receipt.applications, named)
    paid = named | _open(session, receipt, asked)
    payment = _payment(receipt, with_rest(receipt.amount, asked, paid), now)
    payments.add(session, payment)
    for application in payment.applications:
        if not invoices.pay(session, application.invoice_id, application.amount):
            raise Conflict("INVOICE_PAID_MEANWHILE", "an invoice was paid by somebody else: try again")
    ledger_store.post(session, ledger.payment_postings(payment, paid), now)
    credit.move(session, payment.customer_id, committed=Money.zero(currency), receivable=-payment.amount)
    notify_received(session, payment, payment.applications, paid, now)
    return payment


def _order_of(session: Session, payment: Payment) -> str:
    paid = invoices.by_ids(session, {application.invoice_id for application in payment.applications})
    return min((invoice.order_id for invoice in paid.values()), default="")


def _named(session: Session, receipt: Receipt) -> dict[str, Invoice]:
    """Invoice id → invoice, of those that the payer names."""
    wanted = {application.invoice_id for application in receipt.applications}
    found = invoices.by_ids(session, wanted) if wanted else {}
    if missing := sorted(wanted - found.keys()):
        raise NotFound("INVOICE_NOT_FOUND", f"there is no invoice {', '.join(missing)}: check the identities")
    return found


def _open(session: Session, receipt: Receipt, asked: Sequence[Application]) -> dict[str, Invoice]:
    """Invoice id → invoice, of what else is open of the customer; nothing is looked up when the named ones take it all."""
    currency = receipt.amount.currency
    if Money.total((application.amount for application in asked), currency) == receipt.amount:
        return {}
    open_ones = invoices.open_of_customer(session, receipt.customer_id, currency)
    return {invoice.invoice_id: invoice for invoice in open_ones}


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
        asked_digest(receipt.amount, receipt.applications),
    )
