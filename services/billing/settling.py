"""Cash that came before pays what is invoiced later, inside the caller's transaction that has taken the customer's account.

What is held for an order pays its own invoices; cash left over pays what is open, both oldest first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from services.billing import deposit_invoicing, fact_wire
from services.billing.domain import ledger
from services.billing.domain.credit_notes import LeftOver
from services.billing.domain.facts import DepositReceived, PaymentReceived
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Application, Payment, oldest_first, settles
from services.billing.store import checkouts, credit, deposits, invoices, payments
from services.billing.store import ledger as ledger_store
from services.kernel.errors import Conflict
from services.kernel.money import Money
from services.runtime.facts import emit_fact


def deduct(session: Session, invoice: Invoice, now: datetime) -> Invoice:
    """Deduct what is held for the invoice's order from it, the oldest cash first; the invoice afterwards."""
    for payment in payments.by_ids(session, deposits.holding_payments(session, invoice.order_id)):
        held = next(one.remaining for one in payment.deposits if one.order_id == invoice.order_id)
        early = settles(invoice, held, payment.received_on)
        application = early or Application(invoice.invoice_id, min(held, invoice.open))
        if not application.amount.minor:
            break
        if not (
            payments.deduct(session, payment.payment_id, invoice.order_id, application, now)
            and pay(session, payment.customer_id, application)
        ):
            raise Conflict("UNAPPLIED_CASH_TAKEN", "the order's deposit was used by somebody else: try again")
        ledger_store.post(session, ledger.deducted_postings(payment, invoice, application), now)
        deposit_invoicing.deduct(session, invoice, application.amount, now)
        notify_received(session, payment, [application], {invoice.invoice_id: invoice}, now)
        invoice = invoice.with_paid(application.amount, application.discount, payment.received_on)
    return invoice


def pay(session: Session, customer_id: str, application: Application) -> bool:
    """Count an application as paid with its discount, which the customer no longer owes; whether as much was open."""
    if not invoices.pay(session, application.invoice_id, application.amount, application.discount):
        return False
    if application.discount:
        zero = Money.zero(application.amount.currency)
        credit.move(session, customer_id, committed=zero, receivable=-application.discount)
    return True


def settle(session: Session, customer_id: str, currency: str, now: datetime) -> dict[str, Invoice]:
    """Afterwards a customer has cash left over to apply or invoices open, never both; gives invoice id → invoice of what was paid."""
    settled: dict[str, Invoice] = {
        invoice.invoice_id: deduct(session, invoice, now)
        for invoice in invoices.open_with_deposit(session, customer_id, currency)
    }
    waiting = payments.with_unapplied(session, customer_id, currency)
    if not waiting:
        return settled
    open_ones = {each.invoice_id: each for each in invoices.open_of_customer(session, customer_id, currency)}
    for payment in waiting:
        applications = oldest_first(payment.unapplied, list((open_ones | settled).values()), payment.received_on)
        before = open_ones | settled
        for application in applications:
            settled[application.invoice_id] = _draw(session, payment, before[application.invoice_id], application, now)
        notify_received(session, payment, applications, before, now)
    return settled


def pay_fees(session: Session, order_id: str, left_over: Sequence[LeftOver], now: datetime) -> list[LeftOver]:
    """Pay an order's open fees from what a credit note left of payments, which lies on account; gives what is left of that."""
    found = []
    for one in left_over:
        left = one.amount
        for fee in invoices.open_of_orders(session, [order_id]):
            [payment] = payments.by_ids(session, [one.payment_id])
            part = min(left, fee.open, payment.unapplied)
            if fee.fee_id and part.minor:
                application = Application(fee.invoice_id, part)
                _draw(session, payment, fee, application, now)
                notify_received(session, payment, [application], {fee.invoice_id: fee}, now)
                left = left - part
        found.append(LeftOver(one.payment_id, left))
    return found


def _draw(session: Session, payment: Payment, invoice: Invoice, application: Application, now: datetime) -> Invoice:
    if not (
        payments.draw(session, payment.payment_id, application, now) and pay(session, payment.customer_id, application)
    ):
        raise Conflict("UNAPPLIED_CASH_TAKEN", "the customer's unapplied cash was used by somebody else: try again")
    ledger_store.post(session, ledger.drawn_postings(payment, invoice, application), now)
    return invoice.with_paid(application.amount, application.discount, payment.received_on)


def notify_received(
    session: Session,
    payment: Payment,
    applications: Sequence[Application],
    before: Mapping[str, Invoice],
    now: datetime,
) -> None:
    """One fact an order that these applications of a payment pay; `before` is invoice id → invoice before them.

    The pages on which they could be paid are looked at soon, and ended where they ask for what is no longer open.
    """
    by_order: dict[str, list[Application]] = {}
    for application in applications:
        by_order.setdefault(before[application.invoice_id].order_id, []).append(application)
    for order_id in sorted(by_order):
        applied = Money.total((each.amount for each in by_order[order_id]), payment.amount.currency)
        after = tuple(
            before[each.invoice_id].with_paid(each.amount, each.discount, payment.received_on)
            for each in by_order[order_id]
        )
        held = deposits.cash_of(session, order_id, applied.currency).held
        received = fact_wire.payment_fact(PaymentReceived(payment, applied, after, held))
        emit_fact(session, received, order_id=order_id, subject_id=payment.payment_id, now=now)
        checkouts.hurry(session, order_id, now)


def notify_held(session: Session, payment: Payment, now: datetime) -> None:
    """One fact an order that cash of a payment is held for."""
    for deposit in payment.deposits:
        held = deposits.cash_of(session, deposit.order_id, payment.amount.currency).held
        received = fact_wire.deposit_fact(DepositReceived(payment, deposit.amount, held))
        emit_fact(session, received, order_id=deposit.order_id, subject_id=payment.payment_id, now=now)
