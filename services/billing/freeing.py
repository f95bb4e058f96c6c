"""Freeing what an order no longer needs whose units were cancelled: its credit, and the cash that is held for it."""

from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.billing import deposit_invoicing, fact_wire
from services.billing.committing import adjust
from services.billing.domain import ledger
from services.billing.domain.credit import CreditRequest
from services.billing.domain.facts import FREED, PaymentReversed
from services.billing.domain.payments import Deposit, Payment
from services.billing.store import credit, deposits, invoices, payments
from services.billing.store import ledger as ledger_store
from services.kernel.errors import Conflict
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()
_REASON = "units were canceled"


def free(session: Session, order_id: str, total: Money, request_id: str, now: datetime) -> Money:
    """Commit no more than `total` less what is invoiced, and put cash that is held beyond that on account; gives that cash.

    Cash on account pays no other invoice by itself: accounting refunds it or puts it to another use. What came last becomes free first.
    """
    known = credit.commitment(session, order_id)
    holding = payments.by_ids(session, deposits.holding_payments(session, order_id))
    customer_id = known.customer_id if known else holding[0].customer_id if holding else ""
    if not customer_id:
        return Money.zero(total.currency)
    credit.take(session, customer_id, total.currency)
    unbilled = max(total - invoices.billed_total(session, order_id, total.currency), Money.zero(total.currency))
    held = credit.commitment(session, order_id)
    if held is not None and held.remaining > unbilled:
        adjust(
            session,
            CreditRequest(order_id, customer_id, total, held.payment_method, held.deposit),
            now,
            is_forced=False,
        )
    return _free_cash(session, order_id, unbilled, request_id, now)


def _free_cash(session: Session, order_id: str, needed: Money, request_id: str, now: datetime) -> Money:
    excess = deposits.cash_of(session, order_id, needed.currency).held - needed
    freed = Money.zero(needed.currency)
    for payment in reversed(payments.by_ids(session, deposits.holding_payments(session, order_id))):
        [held] = (one for one in payment.deposits if one.order_id == order_id)
        part = min(excess - freed, held.remaining)
        if part.minor <= 0:
            break
        _put_on_account(session, payment, held, part, request_id, now)
        freed = freed + part
    deposit_invoicing.follow(session, order_id, FREED, _REASON, now)
    log.info("order_money.freed", order_id=order_id, freed_minor=freed.minor)
    return freed


def _put_on_account(
    session: Session, payment: Payment, held: Deposit, part: Money, request_id: str, now: datetime
) -> None:
    less = replace(held, amount=held.amount - part, remaining=held.remaining - part)
    rest = tuple(less if one is held else one for one in payment.deposits)
    after = replace(
        payment,
        deposits=tuple(one for one in rest if one.amount.minor),
        unapplied=payment.unapplied + part,
        is_on_account=True,
    )
    if not payments.reuse(session, payment, after, now):
        raise Conflict("PAYMENT_USED_MEANWHILE", "the payment was used by somebody else: try again")
    ledger_store.post(session, [ledger.freed_posting(payment, part, held.order_id, request_id)], now)
    left = deposits.cash_of(session, held.order_id, part.currency).held
    detail = fact_wire.reversal_fact(
        PaymentReversed(payment, part, (), _REASON, is_uncovered=False, held=left, cause=FREED)
    )
    emit_fact(session, detail, order_id=held.order_id, subject_id=payment.payment_id, now=now)
