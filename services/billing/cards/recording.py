"""Recording what the provider has answered, inside the caller's transaction: each answer once, with all that follows from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import structlog
from sqlmodel import Session

from services.billing import fact_wire, owing
from services.billing.cards import comparing, planning
from services.billing.cards.letting_go import let_go, let_go_if_over
from services.billing.cards.provider import Intent
from services.billing.committing import grant_waiting
from services.billing.correcting import take_refund_back, taken
from services.billing.domain import ledger
from services.billing.domain.cards import (
    ASKED,
    AUTHORIZE,
    CAPTURE,
    FAILED,
    NOTHING_OPEN,
    REFUND,
    SUCCEEDED,
    VOID,
    Authorization,
    Operation,
    operation_id,
    payment_reference,
    usable,
)
from services.billing.domain.checkouts import Checkout
from services.billing.domain.facts import CAPTURE_FAILED, REFUND_FAILED, CardProblem
from services.billing.domain.payments import Application, Instruction, Payment
from services.billing.receiving import enter
from services.billing.store import authorizations, credit, invoices, operations, refunds
from services.billing.store import ledger as ledger_store
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime import sessions
from services.runtime.facts import emit_fact

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said: succeeded, declined or failed, its own id, the authorization as it stands there, and why not."""

    state: str
    provider_id: str = ""
    intent: Intent | None = None
    reason: str = ""


def record(session: Session, operation: Operation, answer: Answer, now: datetime) -> Operation:
    """The operation with its answer; one that is answered already stays as it is, and nothing follows twice."""
    credit.take_or_open(session, operation.customer_id, operation.amount.currency)
    is_new = operations.answer(session, operation.operation_id, answer.state, answer.provider_id, answer.reason, now)
    recorded = operations.by_id(session, operation.operation_id)
    assert recorded is not None, "operations are never deleted"
    if is_new:
        _follow(session, operation, recorded, answer, now)
    return recorded


def record_without_card(session: Session, operation: Operation, reason: str, now: datetime) -> Operation:
    """The capture as failed, unless it, or a card for it, has come by an authorization meanwhile: then it stays asked."""
    credit.take_or_open(session, operation.customer_id, operation.amount.currency)
    authorized = authorizations.of_order(session, operation.order_id)
    is_new = not usable(authorized, operation.amount, now) and operations.fail_without_card(
        session, operation.operation_id, reason, now
    )
    recorded = operations.by_id(session, operation.operation_id)
    assert recorded is not None, "operations are never deleted"
    if is_new:
        _follow(session, operation, recorded, Answer(FAILED, reason=reason), now)
    return recorded


def fit(session: Session, operation: Operation, now: datetime) -> Operation:
    """A capture of no more than its invoice has open, while it takes from nothing; one of nothing ends unasked. The account is taken."""
    if operation.authorization_id:
        return operation
    still_open = invoices.by_ids(session, [operation.subject_id])[operation.subject_id].open
    if not still_open.minor:
        is_new = operations.fail_without_card(session, operation.operation_id, NOTHING_OPEN, now)
        ended = replace(operation, state=FAILED, reason=NOTHING_OPEN, token="")
        if is_new:
            _follow(session, operation, ended, Answer(FAILED, reason=NOTHING_OPEN), now)
        return ended
    if operation.amount <= still_open:
        return operation
    operations.reduce(session, operation.operation_id, still_open)
    return replace(operation, amount=still_open)


def fail_refund(session: Session, operation: Operation, reason: str, now: datetime) -> None:
    """A refund that had succeeded as failed: it came back from its card, and that follows once."""
    taken(session, operation.subject_id, operation.customer_id)
    if operations.fail_refund(session, operation.operation_id, reason, now):
        _follow(session, operation, operation, Answer(FAILED, operation.provider_id, reason=reason), now)


def record_payment(session: Session, paid: Checkout, received: Money, intent: Intent, now: datetime) -> None:
    """What was paid on a page of the provider, as the capture that it is, so that it is refunded to its card; the account is taken.

    It pays its invoice as far as that is open, as of the day on which it was paid; the rest waits for somebody to give it back. What
    has happened to it at the provider since then is notified of as what happens later.
    """
    key = operation_id(CAPTURE, paid.invoice_id, len(operations.of_subject(session, paid.invoice_id, CAPTURE)))
    operation = Operation(
        key, CAPTURE, paid.order_id, paid.customer_id, received, ASKED, now, authorization_id=key, subject_id=paid.invoice_id
    )  # fmt: skip
    operations.add(session, operation)
    operations.answer(session, key, SUCCEEDED, intent.provider_id, "", now)
    fee = min(intent.fees, received.minor)
    made = Authorization(
        key, paid.order_id, intent.provider_id, received, received, received, fee, is_open=False, is_disputed=False, authorized_at=now
    )  # fmt: skip
    authorizations.add(session, made)
    received_on = sessions.business_day(session, min(intent.paid_at or now, now))
    _enter(session, operation, made, fee, now, received_on)
    comparing.compare(session, made, intent, now)
    let_go_if_over(session, paid.order_id, now)


def _follow(session: Session, operation: Operation, recorded: Operation, answer: Answer, now: datetime) -> None:
    """All that follows from a new answer; the token is known only from before it."""
    _EFFECTS[operation.kind](session, replace(recorded, token=operation.token), answer, now)
    log.info("provider.answered", operation_id=operation.operation_id, state=answer.state, reason=answer.reason)


def _authorized(session: Session, operation: Operation, answer: Answer, now: datetime) -> None:
    """A new authorization takes the place of those before it, and the order that waited for it goes on."""
    if answer.state != SUCCEEDED:
        return
    zero = Money.zero(operation.amount.currency)
    made = Authorization(
        operation.operation_id, operation.order_id, answer.provider_id, operation.amount, zero, zero, 0,
        is_open=True, is_disputed=False, authorized_at=operation.asked_at,
    )  # fmt: skip
    authorizations.add(session, made)
    _let_go_replaced(session, operation, now)
    if operation.is_abandoned:
        let_go(session, made, operation.customer_id, now)
    else:
        _make_up_for_failed(session, operation.order_id, now)
    grant_waiting(session, operation.customer_id, zero.currency, now)


def _let_go_replaced(session: Session, operation: Operation, now: datetime) -> None:
    """Only the newest authorization is kept, and each from which a capture takes that has no answer."""
    kept = [one for one in authorizations.of_order(session, operation.order_id) if not one.is_paid_at_once]
    for replaced in kept[:-1]:
        let_go(session, replaced, operation.customer_id, now)


def _make_up_for_failed(session: Session, order_id: str, now: datetime) -> None:
    """Captures that failed are asked for again, from the new authorization."""
    captures = {one.subject_id: one for one in operations.of_order(session, order_id) if one.is_card_capture}
    for invoice in invoices.open_of_orders(session, [order_id]):
        last = captures.get(invoice.invoice_id)
        if last is not None and last.state == FAILED:
            planning.capture(session, invoice, "", now)


def _captured(session: Session, operation: Operation, answer: Answer, now: datetime) -> None:
    if answer.state != SUCCEEDED or answer.intent is None:
        _capture_failed(session, operation, answer, now)
        return
    authorization = authorizations.by_id(session, operation.authorization_id)
    assert authorization is not None, "a capture takes from an authorization"
    fee = min(max(answer.intent.fees - authorization.fee_minor, 0), operation.amount.minor)
    authorizations.capture(session, authorization.authorization_id, operation.amount, fee)
    if operation.is_final or not answer.intent.is_open:
        authorizations.close(session, authorization.authorization_id)
    _enter(session, operation, authorization, fee, now, sessions.business_day(session, now))
    _let_go_replaced(session, operation, now)
    let_go_if_over(session, operation.order_id, now)


def _enter(
    session: Session,
    operation: Operation,
    authorization: Authorization,
    fee_minor: int,
    now: datetime,
    received_on: date,
) -> None:
    """The payment that a capture is: it pays its invoice; what the invoice no longer needs waits for somebody to give it back."""
    invoice = invoices.by_ids(session, [operation.subject_id])[operation.subject_id]
    applied = min(operation.amount, invoice.open)
    payment = Payment(
        new_id("pay"), operation.customer_id, operation.amount,
        payment_reference(authorization.provider_id, invoice.number, operation.operation_id), (), operation.amount, now,
        received_on=received_on, operation_id=operation.operation_id, fee_minor=fee_minor,
    )  # fmt: skip
    parts = (Application(invoice.invoice_id, applied),) if applied.minor else ()
    entered = enter(session, payment, Instruction(parts, (), is_on_account=True), now)
    if fee_minor:
        fee = Money(fee_minor, operation.amount.currency)
        ledger_store.post(session, [ledger.fee_posting(entered, fee, operation.order_id)], now)


def _capture_failed(session: Session, operation: Operation, answer: Answer, now: datetime) -> None:
    """The invoice stays open and accounting must know; what it took from its authorization is given back."""
    if operation.authorization_id:
        authorizations.give_back(session, operation.authorization_id, operation.amount)
        if answer.intent is not None and not answer.intent.is_open:
            authorizations.close(session, operation.authorization_id)
    invoice = invoices.by_ids(session, [operation.subject_id])[operation.subject_id]
    if not invoice.open.minor:
        let_go_if_over(session, operation.order_id, now)
        return
    if answer.intent is not None and not answer.intent.is_open and operation.token:
        planning.capture(session, invoice, operation.token, now)  # it was too old: the card is authorized again
        return
    amount = operation.amount
    reason = f"{amount.amount:,f} {amount.currency} of {invoice.number} could not be captured: {answer.reason}."
    _notify(session, operation, CardProblem(CAPTURE_FAILED, invoice.invoice_id, amount, reason), now)
    if invoice.fee_id:  # nothing that it was held for is to come
        let_go_if_over(session, operation.order_id, now)


def _voided(session: Session, operation: Operation, answer: Answer, now: datetime) -> None:
    """Nothing follows: nobody captures from it since it was asked for."""


def _refunded(session: Session, operation: Operation, answer: Answer, now: datetime) -> None:
    """The books had it from the moment it was asked for; one that did not reach its card is taken back there.

    What an order no longer needs is owed until it is paid, whatever the provider says.
    """
    owed = refunds.of_operation(session, operation.operation_id)
    if owed is not None:
        reason = "" if answer.state == SUCCEEDED else answer.reason or FAILED
        owing.answered(session, owed, operation, reason, now)
        return
    if answer.state == SUCCEEDED:
        return
    amount = operation.amount
    payment = take_refund_back(session, operation.subject_id, amount, operation.operation_id, now)
    reason = (
        f"{amount.amount:,f} {amount.currency} of payment {payment.reference} could not be refunded: {answer.reason}."
    )
    _notify(session, operation, CardProblem(REFUND_FAILED, operation.authorization_id, amount, reason), now)


def _notify(session: Session, operation: Operation, problem: CardProblem, now: datetime) -> None:
    detail = fact_wire.card_problem_fact(problem)
    emit_fact(session, detail, order_id=operation.order_id, subject_id=problem.subject_id, now=now)


_EFFECTS: Mapping[str, Callable[[Session, Operation, Answer, datetime], None]] = {
    AUTHORIZE: _authorized,
    CAPTURE: _captured,
    VOID: _voided,
    REFUND: _refunded,
}
