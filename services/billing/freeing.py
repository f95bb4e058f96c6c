"""Freeing what an order no longer needs whose units were cancelled: its credit, and the cash that is held for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.billing import deposit_invoicing, fact_wire, owing, settling
from services.billing.committing import adjust
from services.billing.correcting import taken
from services.billing.domain import ledger
from services.billing.domain.credit import CreditRequest
from services.billing.domain.credit_notes import CreditNote
from services.billing.domain.facts import FREED, REFUNDED, PaymentReversed
from services.billing.domain.payments import Deposit, Payment
from services.billing.store import credit, deposits, invoices, payments
from services.billing.store import ledger as ledger_store
from services.kernel.errors import Conflict
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()
_REASON = "units were canceled"


def free(
    session: Session, order_id: str, total: Money, request_id: str, now: datetime, *, keeps_cash: bool = False
) -> Money:
    """Commit no more than `total` less what is invoiced, and give money that is held beyond that back; gives how much.

    What came from cards goes back there first: it is owed until the provider has paid it. Cash lies on account, and pays no other
    invoice by itself: accounting refunds it or puts it to another use. What came last becomes free first. Where the customer
    `keeps_cash` with us, as for another order, all of it lies on account.
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
    return _free_cash(session, order_id, unbilled, request_id, now, keeps_cash=keeps_cash)


def _free_cash(
    session: Session, order_id: str, needed: Money, request_id: str, now: datetime, *, keeps_cash: bool
) -> Money:
    excess = deposits.cash_of(session, order_id, needed.currency).held - needed
    freed = Money.zero(needed.currency)
    newest_first = reversed(payments.by_ids(session, deposits.holding_payments(session, order_id)))
    for payment in sorted(newest_first, key=lambda one: not one.is_by_card):
        [held] = (one for one in payment.deposits if one.order_id == order_id)
        part = min(excess - freed, held.remaining)
        if part.minor <= 0:
            break
        _put_back(session, payment, held, part, request_id, now, keeps_cash=keeps_cash)
        freed = freed + part
    deposit_invoicing.follow(session, order_id, FREED, _REASON, now)
    log.info("order_money.freed", order_id=order_id, freed_minor=freed.minor)
    return freed


def _put_back(
    session: Session,
    payment: Payment,
    held: Deposit,
    part: Money,
    request_id: str,
    now: datetime,
    *,
    keeps_cash: bool = False,
) -> None:
    """What came from a card is owed back to it; cash lies on account until accounting refunds it or puts it to use."""
    less = replace(held, amount=held.amount - part, remaining=held.remaining - part)
    rest = tuple(less if one is held else one for one in payment.deposits)
    after = replace(payment, deposits=tuple(one for one in rest if one.amount.minor))
    if payment.is_by_card and not keeps_cash:
        owing.owe(session, payment, after, part, held.order_id, now, is_held=True)
        _notify(session, payment, held.order_id, part, REFUNDED, now)
        return
    after = replace(after, unapplied=payment.unapplied + part, is_on_account=True)
    if not payments.reuse(session, payment, after, now):
        raise Conflict("PAYMENT_USED_MEANWHILE", "the payment was used by somebody else: try again")
    ledger_store.post(session, [ledger.freed_posting(payment, part, held.order_id, request_id)], now)
    _notify(session, payment, held.order_id, part, FREED, now)


def _notify(session: Session, payment: Payment, order_id: str, part: Money, cause: str, now: datetime) -> None:
    left = deposits.cash_of(session, order_id, part.currency).held
    detail = fact_wire.reversal_fact(
        PaymentReversed(payment, part, (), _REASON, is_uncovered=False, held=left, cause=cause)
    )
    emit_fact(session, detail, order_id=order_id, subject_id=payment.payment_id, now=now)


def owe_of_ended(
    session: Session, order_id: str, credited: Sequence[CreditNote], now: datetime, *, keeps_cash: bool
) -> None:
    """An order has ended early: what is held for it, or was paid on an invoice credited now, goes back to the card it came from.

    What was paid on such an invoice pays what cancelling costs first. Cash stays where it is, for accounting to decide; all of it does
    where the customer `keeps_cash` with us.
    """
    left_over = settling.pay_fees(session, order_id, [one for note in credited for one in note.left_over], now)
    if keeps_cash:
        return
    for one in left_over:
        owing.owe_on_account(session, one.payment_id, one.amount, order_id, now)
    for payment_id in deposits.holding_payments(session, order_id):
        payment = taken(session, payment_id)
        for held in payment.deposits:
            if payment.is_by_card and held.order_id == order_id and held.remaining.minor:
                _put_back(session, payment, held, held.remaining, "", now)
    deposit_invoicing.follow(session, order_id, REFUNDED, _REASON, now)
