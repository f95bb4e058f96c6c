"""Owing money back to the card it came from, inside the caller's transaction: the provider pays it once, however often it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from services.billing import fact_wire
from services.billing.cards import refunding
from services.billing.correcting import taken
from services.billing.domain import ledger
from services.billing.domain.cards import Operation
from services.billing.domain.corrections import needs_second_person
from services.billing.domain.facts import OwedRefundChanged
from services.billing.domain.payments import Payment
from services.billing.domain.refunds import (
    OPEN,
    PAID,
    PAID_OTHERWISE,
    SILENT_TRIES,
    OwedRefund,
    check_answered,
    check_confirmed,
    check_open,
    is_tried_again,
    pause,
)
from services.billing.store import credit, operations, payments
from services.billing.store import ledger as ledger_store
from services.billing.store import refunds as store
from services.kernel.errors import Conflict, NotFound
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()
_SILENT = "the payment provider does not answer"


def owe(
    session: Session, before: Payment, after: Payment, amount: Money, order_id: str, now: datetime, *, is_held: bool
) -> OwedRefund:
    """Owe an amount of a payment by card back to its card, and have the provider asked for it; the account is taken.

    `after` is the payment without it. It `is_held` for the order, or lies on account.
    """
    returned = (before.returned or Money.zero(amount.currency)) + amount
    if not payments.reuse(session, before, replace(after, returned=returned), now):
        raise _used_meanwhile()
    new = OwedRefund(new_id("rfd"), order_id, before.customer_id, before.payment_id, amount, OPEN, "", now)
    owed = replace(new, operation_id=new.asks(1))
    refunding.ask_as(session, before, amount, owed.operation_id, now)
    store.add(session, owed)
    held_for = order_id if is_held else ""
    ledger_store.post(session, [ledger.owed_posting(before, amount, held_for, order_id, owed.refund_id)], now)
    credit.move(session, before.customer_id, committed=Money.zero(amount.currency), receivable=amount)
    _notify(session, owed, now)
    log.info("refund.owed", refund_id=owed.refund_id, order_id=order_id, amount_minor=amount.minor)
    return owed


def owe_on_account(session: Session, payment_id: str, amount: Money, order_id: str, now: datetime) -> None:
    """Owe what of a payment lies on account back to its card; nothing for cash, which accounting refunds."""
    payment = taken(session, payment_id)
    part = min(amount, payment.unapplied)
    if payment.is_by_card and part.minor:
        owe(session, payment, replace(payment, unapplied=payment.unapplied - part), part, order_id, now, is_held=False)


def answered(session: Session, owed: OwedRefund, operation: Operation, reason: str, now: datetime) -> None:
    """The provider's word on a try: without a `reason` it is paid, else it was refused, or has come back from the card."""
    payment = taken(session, owed.payment_id)
    if not reason:
        if store.settle(session, owed, PAID, by="", reference="", now=now):
            _post(session, ledger.refund_paid_posting(payment, owed.amount, owed.order_id, operation.operation_id), now)
            _notify(session, replace(owed, state=PAID), now)
        return
    if not store.fail(session, owed, reason):
        return
    if owed.state == PAID:
        back = ledger.refund_came_back_posting(payment, owed.amount, owed.order_id, operation.operation_id)
        _post(session, back, now)
    failed = replace(owed, state=OPEN, failed_count=owed.failed_count + 1, reason=reason)
    if is_tried_again(failed.failed_count):
        _ask(session, failed, payment, now, pause(failed.failed_count))
        _notify(session, failed, now)
    else:
        _escalate(session, failed, now)


def note_silence(session: Session, operation: Operation, now: datetime) -> None:
    """The provider has left a try unanswered once more; accounting is told when that is often. It is asked on all the same."""
    owed = store.of_operation(session, operation.operation_id)
    if owed is not None and operation.attempts + 1 >= SILENT_TRIES:
        _escalate(session, replace(owed, reason=_SILENT), now)


def retry(session: Session, refund_id: str, now: datetime) -> OwedRefund:
    """Have the provider asked at once: again, where it has not answered, and once more, where it refused."""
    owed, payment = _taken(session, refund_id)
    check_open(owed)
    if _is_asked(session, owed):
        operations.hurry_one(session, owed.operation_id, now)
    else:
        _ask(session, owed, payment, now, timedelta())
    return _by_id(session, refund_id)


def pay_otherwise(
    session: Session, refund_id: str, who: str, reference: str, limits: Mapping[str, Money], now: datetime
) -> OwedRefund:
    """Say that it is paid another way than to its card, under this reference; over the limit a second person confirms it.

    Refused REFUND_SETTLED, REFUND_UNDER_WAY, SECOND_PERSON_NEEDED, REFERENCE_DIFFERS.
    """
    owed, payment = _taken(session, refund_id)
    check_open(owed)
    check_answered(is_asked=_is_asked(session, owed))
    if needs_second_person(owed.amount, limits):
        if not owed.proposed_by:
            if not store.propose(session, owed, who, reference):
                raise _used_meanwhile()
            return _by_id(session, refund_id)
        check_confirmed(owed, who, reference)
    if not store.settle(session, owed, PAID_OTHERWISE, by=who, reference=reference, now=now):
        raise _used_meanwhile()
    _post(session, ledger.refund_paid_posting(payment, owed.amount, owed.order_id, f"otherwise/{refund_id}"), now)
    settled = _by_id(session, refund_id)
    _notify(session, settled, now)
    log.info("refund.paid_otherwise", refund_id=refund_id)
    return settled


def _ask(session: Session, owed: OwedRefund, payment: Payment, now: datetime, wait: timedelta) -> None:
    """Begin another try: only ever when the one before it has an answer."""
    operation_id = owed.asks(owed.asked_count + 1)
    if not store.ask_again(session, owed, operation_id):
        raise _used_meanwhile()
    refunding.ask_as(session, payment, owed.amount, operation_id, now, wait)


def _escalate(session: Session, owed: OwedRefund, now: datetime) -> None:
    if store.escalate(session, owed):
        _notify(session, replace(owed, is_escalated=True), now)
        log.warning("refund.escalated", refund_id=owed.refund_id, reason=owed.reason)


def _taken(session: Session, refund_id: str) -> tuple[OwedRefund, Payment]:
    """The refund and its payment, the account locked."""
    payment = taken(session, _by_id(session, refund_id).payment_id)
    return _by_id(session, refund_id), payment


def _by_id(session: Session, refund_id: str) -> OwedRefund:
    found = store.by_id(session, refund_id)
    if found is None:
        raise NotFound("REFUND_NOT_FOUND", "there is no such refund: look it up in the list")
    return found


def _is_asked(session: Session, owed: OwedRefund) -> bool:
    operation = operations.by_id(session, owed.operation_id)
    return operation is not None and operation.is_asked


def _post(session: Session, posting: ledger.Posting, now: datetime) -> None:
    ledger_store.post(session, [posting], now)


def _notify(session: Session, owed: OwedRefund, now: datetime) -> None:
    detail = fact_wire.owed_refund_fact(OwedRefundChanged(owed))
    emit_fact(session, detail, order_id=owed.order_id, subject_id=owed.refund_id, now=now)


def _used_meanwhile() -> Conflict:
    return Conflict("PAYMENT_USED_MEANWHILE", "the payment was used by somebody else: try again")
