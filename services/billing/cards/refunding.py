"""Refunds to the card that a payment came from, inside the caller's transaction."""

from datetime import datetime, timedelta

from sqlmodel import Session

from services.billing.domain.cards import ASKED, REFUND, Operation
from services.billing.domain.payments import Payment
from services.billing.store import operations
from services.kernel.money import Money


def key(request_id: str) -> str:
    """The operation of a refund that is asked for under a business key."""
    return f"{REFUND}/{request_id}"


def ask(session: Session, payment: Payment, amount: Money, request_id: str, now: datetime) -> None:
    """Write down that an amount goes back to the payment's card; the books have it already. Nothing for cash."""
    if payment.is_by_card:
        ask_as(session, payment, amount, key(request_id), now)


def ask_as(
    session: Session, payment: Payment, amount: Money, operation_id: str, now: datetime, wait: timedelta = timedelta()
) -> None:
    """Write down, as an operation of this id, that an amount of a payment by card goes back; it is asked for after a wait."""
    capture = operations.by_id(session, payment.operation_id)
    assert capture is not None, "operations are never deleted"
    operations.add(
        session,
        Operation(
            operation_id,
            REFUND,
            capture.order_id,
            payment.customer_id,
            amount,
            ASKED,
            now,
            capture.authorization_id,
            payment.payment_id,
        ),
        now + wait,
    )
