"""Reversing, reapplying and refunding payments, each inside the caller's transaction; the ledger keeps what was."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing import deposit_invoicing, fact_wire
from services.billing.committing import give_up, grant_waiting
from services.billing.domain import ledger
from services.billing.domain.credit import Commitment, CreditRequest, Waiting, missing_cash
from services.billing.domain.facts import REAPPLIED, REFUNDED, REVERSED, PaymentReversed
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import (
    Instruction,
    Payment,
    check_current,
    check_free_reference,
    check_refund,
    check_reversible,
)
from services.billing.receiving import notify_used, pay_invoices, use
from services.billing.settling import settle
from services.billing.store import credit, deposits, families, invoices, payments, waits
from services.billing.store import ledger as ledger_store
from services.kernel.errors import Conflict, NotFound
from services.kernel.money import Money
from services.runtime.facts import emit_fact


def reverse(session: Session, payment_id: str, reason: str, now: datetime) -> Payment:
    """Reverse a payment as a whole: what it paid is open again. A repeat gives it as it stands."""
    payment = taken(session, payment_id)
    if payment.is_reversed:
        return payment
    check_reversible(payment)
    zero = Money.zero(payment.amount.currency)
    after = replace(
        payment, applications=(), deposits=(), unapplied=zero, returned=payment.amount, reversed_at=now,
        revision=payment.revision + 1,
    )  # fmt: skip
    paid = _take_off(session, payment, after, ledger.CASH, REVERSED, now)
    credit.move(session, payment.customer_id, committed=zero, receivable=payment.amount)
    _notify_taken_off(session, payment, paid, reason, REVERSED, now)
    _settle_and_grant(session, payment.customer_id, zero.currency, now)
    return after


def reapply(
    session: Session, payment_id: str, customer_id: str, asked: Instruction, reason: str, now: datetime
) -> Payment:
    """Put all of a payment to another use, as if it had come so; another customer's when one is named."""
    payment = taken(session, payment_id, customer_id)
    check_current(payment)
    if customer_id and customer_id != payment.customer_id:
        check_free_reference(payment, payments.by_reference(session, customer_id, payment.reference))
    zero = Money.zero(payment.amount.currency)
    left = payment.amount - (payment.returned or zero)
    loose = replace(
        payment, customer_id=customer_id or payment.customer_id, applications=(), deposits=(), unapplied=left,
        revision=payment.revision + 1,
    )  # fmt: skip
    paid = _take_off(session, payment, loose, ledger.UNAPPLIED_CASH, REAPPLIED, now)
    after, found = use(session, loose, asked)
    _reuse(session, loose, after, now)
    after = replace(after, revision=loose.revision + 1)
    pay_invoices(session, after)
    ledger_store.post(session, ledger.moved_postings(after, found), now)
    if after.customer_id != payment.customer_id:
        credit.move(session, payment.customer_id, committed=zero, receivable=left)
        credit.move(session, after.customer_id, committed=zero, receivable=-left)
    _notify_taken_off(session, payment, paid, reason, REAPPLIED, now)
    notify_used(session, after, found, now)
    for customer in sorted({payment.customer_id, after.customer_id}):
        _settle_and_grant(session, customer, zero.currency, now)
    return after


def refund(
    session: Session, payment_id: str, amount: Money, order_id: str, reason: str, request_id: str, now: datetime
) -> Payment:
    """Give cash that pays nothing back to its payer: unapplied cash, or what is held for an order."""
    payment = taken(session, payment_id)
    check_refund(payment, amount, order_id)
    zero = Money.zero(amount.currency)
    held = tuple(
        replace(one, amount=one.amount - amount, remaining=one.remaining - amount) if one.order_id == order_id else one
        for one in payment.deposits
    )
    after = replace(
        payment,
        deposits=tuple(one for one in held if one.amount.minor),
        unapplied=payment.unapplied if order_id else payment.unapplied - amount,
        returned=(payment.returned or zero) + amount,
    )
    _reuse(session, payment, after, now)
    ledger_store.post(session, [ledger.refund_posting(payment, amount, order_id, request_id)], now)
    credit.move(session, payment.customer_id, committed=zero, receivable=amount)
    if order_id:
        _notify_order(session, payment, order_id, amount, (), reason, REFUNDED, now)
        grant_waiting(session, payment.customer_id, amount.currency, now)
    return replace(after, revision=payment.revision + 1)


def take_refund_back(session: Session, payment_id: str, amount: Money, operation_id: str, now: datetime) -> Payment:
    """A refund did not reach its card: the cash is here again, on account, until somebody decides."""
    payment = taken(session, payment_id)
    zero = Money.zero(amount.currency)
    after = replace(
        payment, unapplied=payment.unapplied + amount, returned=(payment.returned or zero) - amount, is_on_account=True
    )
    _reuse(session, payment, after, now)
    ledger_store.post(session, [ledger.refund_taken_back_posting(payment, amount, "", operation_id)], now)
    credit.move(session, payment.customer_id, committed=zero, receivable=-amount)
    return after


def taken(session: Session, payment_id: str, customer_id: str = "") -> Payment:
    """The payment, its account and the one it moves to locked in one order; NotFound when there is none."""
    known = payments.by_id(session, payment_id)
    if known is None:
        raise NotFound("PAYMENT_NOT_FOUND", f"there is no payment {payment_id}: check the identity")
    families.take(
        session, {(one, known.amount.currency) for one in (known.customer_id, customer_id or known.customer_id)}
    )
    payment = payments.by_id(session, payment_id)
    assert payment is not None, "payments are never deleted"
    if (
        payment.customer_id != known.customer_id
    ):  # it was moved meanwhile, and the account that it has now is not locked
        raise _used_meanwhile()
    return payment


def _take_off(
    session: Session, payment: Payment, after: Payment, account: str, event: str, now: datetime
) -> dict[str, Invoice]:
    """Take a payment off everything that it was used for; invoice id → invoice as it was before."""
    paid = invoices.by_ids(session, [one.invoice_id for one in payment.applications])
    for application in payment.applications:
        if not invoices.take_off(session, application.invoice_id, application.amount):
            raise Conflict("INVOICE_PAID_MEANWHILE", "an invoice was changed by somebody else: try again")
    zero = Money.zero(payment.amount.currency)
    lost = Money.total((one.discount_taken or zero for one in paid.values()), zero.currency)
    if lost.minor:  # the discounts are owed again
        credit.move(session, payment.customer_id, committed=zero, receivable=lost)
    ledger_store.post(session, ledger.taken_postings(payment, paid, account, event), now)
    _reuse(session, payment, after, now)
    return paid


def _reuse(session: Session, before: Payment, after: Payment, now: datetime) -> None:
    if not payments.reuse(session, before, after, now):
        raise _used_meanwhile()


def _used_meanwhile() -> Conflict:
    return Conflict("PAYMENT_USED_MEANWHILE", "the payment was used by somebody else: try again")


def _settle_and_grant(session: Session, customer_id: str, currency: str, now: datetime) -> None:
    """What was freed pays what is open, and orders that wait take the room."""
    settle(session, customer_id, currency, now)
    grant_waiting(session, customer_id, currency, now)


def _notify_taken_off(
    session: Session, payment: Payment, paid: dict[str, Invoice], reason: str, cause: str, now: datetime
) -> None:
    """One fact an order that the payment was taken off, when its new use, if it has one, is stored."""
    zero = Money.zero(payment.amount.currency)
    taken: dict[str, Money] = {one.order_id: one.remaining for one in payment.deposits}
    for application in payment.applications:
        order_id = paid[application.invoice_id].order_id
        taken[order_id] = taken.get(order_id, zero) + application.amount
    standing = invoices.by_ids(session, paid).values()
    for order_id in sorted(taken):
        of_order = tuple(one for one in standing if one.order_id == order_id)
        _notify_order(session, payment, order_id, taken[order_id], of_order, reason, cause, now)


def _notify_order(
    session: Session, payment: Payment, order_id: str, amount: Money, bills: tuple[Invoice, ...], reason: str, cause: str, now: datetime
) -> None:  # fmt: skip
    """Tell of what was taken off an order; goods that are not paid for any more wait for their cash again."""
    is_uncovered = uncover(session, order_id, now)
    held = deposits.cash_of(session, order_id, amount.currency).held
    detail = fact_wire.reversal_fact(PaymentReversed(payment, amount, bills, reason, is_uncovered, held, cause))
    emit_fact(session, detail, order_id=order_id, subject_id=payment.payment_id, now=now)
    deposit_invoicing.follow(session, order_id, cause, reason, now)


def uncover(session: Session, order_id: str, now: datetime) -> bool:
    """Whether what is still to leave of an order is no longer paid ahead as it must be: then it waits for its cash again."""
    held = credit.commitment(session, order_id)
    if held is None or held.is_released or not held.remaining.minor:
        return False
    request = _request_of(session, held)
    if not missing_cash(request, deposits.cash_of(session, order_id, held.amount.currency)).minor:
        return False
    give_up(session, held)
    waits.put(session, Waiting(request, now))
    return True


def _request_of(session: Session, held: Commitment) -> CreditRequest:
    """What the order asked when it was committed, as far as it goes on: what remains, and all that is invoiced of it."""
    amount = held.remaining + invoices.billed_total(session, held.order_id, held.amount.currency)
    return CreditRequest(held.order_id, held.customer_id, amount, held.payment_method, held.deposit)
