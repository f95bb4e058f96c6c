"""Recording cash, inside the caller's transaction: the payment, what it pays, ledger, credit and facts move together."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing.committing import grant_waiting
from services.billing.domain import ledger
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import (
    Instruction,
    Payment,
    allocate,
    asked_digest,
    check_instruction,
    check_repeat,
    spread,
)
from services.billing.settling import notify_held, notify_received, pay
from services.billing.store import credit, invoice_pages, invoices, payments
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
        day = receipt.received_on if receipt.is_dated else earlier.received_on
        check_repeat(earlier, receipt.amount, receipt.instruction, day, _order_of(session, earlier))
        return earlier
    return enter(session, _unused(receipt, now), receipt.instruction, now)


def enter(session: Session, unused: Payment, asked: Instruction, now: datetime) -> Payment:
    """Record a payment, new and all of it unapplied, and put it to the use asked for; the account is taken."""
    currency = unused.amount.currency
    payment, paid = use(session, unused, asked)
    payments.add(session, payment)
    pay_invoices(session, payment)
    ledger_store.post(session, ledger.payment_postings(payment, paid), now)
    credit.move(session, payment.customer_id, committed=Money.zero(currency), receivable=-payment.amount)
    notify_used(session, payment, paid, now)
    grant_waiting(session, payment.customer_id, currency, now)
    return payment


def use(session: Session, payment: Payment, asked: Instruction) -> tuple[Payment, dict[str, Invoice]]:
    """A payment, all of it unapplied, put to the use that its payer asks for, and invoice id → invoice of what that may pay.

    NotFound for an invoice that does not exist; Refused when what is asked does not hold. Nothing is stored. What is given to a
    consolidated invoice goes to its shares: what is due first, then the oldest order.
    """
    digest = asked_digest(payment.amount, asked)
    asked, named = _by_identity(session, asked)
    checked = check_instruction(payment.customer_id, payment.unapplied, asked, named)
    if any(one.shares for one in named.values()):
        checked, named = spread(checked, named, payment.received_on)
        checked = check_instruction(payment.customer_id, payment.unapplied, checked, named)
    found = named | _open(session, payment, checked)
    allocation = allocate(payment.unapplied, checked, found, payment.received_on)
    return (
        replace(
            payment,
            applications=allocation.applications,
            deposits=allocation.deposits,
            unapplied=allocation.unapplied,
            is_on_account=asked.is_on_account,
            asked_digest=digest,
        ),
        found,
    )


def pay_invoices(session: Session, payment: Payment) -> None:
    """Count what a payment applies as paid, with the discounts that it takes."""
    for application in payment.applications:
        if not pay(session, payment.customer_id, application):
            raise Conflict("INVOICE_PAID_MEANWHILE", "an invoice was paid by somebody else: try again")


def notify_used(session: Session, payment: Payment, before: Mapping[str, Invoice], now: datetime) -> None:
    """Tell of each order that a payment pays, and of each that it is held for."""
    notify_received(session, payment, payment.applications, before, now)
    notify_held(session, payment, now)


def _order_of(session: Session, payment: Payment) -> str:
    paid = invoices.by_ids(session, {application.invoice_id for application in payment.applications})
    return min(
        [*(invoice.order_id for invoice in paid.values()), *(one.order_id for one in payment.deposits)], default=""
    )


def _by_identity(session: Session, asked: Instruction) -> tuple[Instruction, dict[str, Invoice]]:
    """What is asked, by the identities of its invoices, which may be named by number, too; and identity → invoice."""
    wanted = {application.invoice_id for application in asked.applications}
    found = invoice_pages.by_any_ids(session, wanted) if wanted else {}
    numbered = {one: invoice_pages.by_number(session, one.upper()) for one in sorted(wanted - found.keys())}
    if missing := [name for name, invoice in numbered.items() if invoice is None]:
        raise NotFound("INVOICE_NOT_FOUND", f"there is no invoice {', '.join(missing)}: check the identities")
    ids = {name: invoice.invoice_id for name, invoice in numbered.items() if invoice}
    applications = tuple(replace(one, invoice_id=ids.get(one.invoice_id, one.invoice_id)) for one in asked.applications)
    by_number = {invoice.invoice_id: invoice for invoice in numbered.values() if invoice}
    return replace(asked, applications=applications), found | by_number


def _open(session: Session, payment: Payment, asked: Instruction) -> dict[str, Invoice]:
    """Invoice id → invoice, of what is open of the orders it names, and of the customer unless all of it is spoken for."""
    currency = payment.unapplied.currency
    orders = {one.order_id for one in asked.orders}
    found = invoices.open_of_orders(session, orders) if orders else []
    parts = [*(one.amount for one in asked.applications), *(one.amount for one in asked.orders)]
    spoken_for = Money.total(parts, currency)
    if spoken_for != payment.unapplied and not asked.is_on_account:
        found = [*found, *invoices.open_of_customer(session, payment.customer_id, currency)]
    return {invoice.invoice_id: invoice for invoice in found}


def _unused(receipt: Receipt, now: datetime) -> Payment:
    return Payment(
        new_id("pay"),
        receipt.customer_id,
        receipt.amount,
        receipt.reference,
        (),
        receipt.amount,
        now,
        received_on=receipt.received_on,
    )
