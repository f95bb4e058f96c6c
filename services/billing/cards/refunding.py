"""Refunds to the card that a payment came from, inside the caller's transaction."""

from datetime import datetime

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
    if not payment.is_by_card:
        return
    capture = operations.by_id(session, payment.operation_id)
    assert capture is not None, "operations are never deleted"
    operations.add(
        session,
        Operation(
            key(request_id),
            REFUND,
            capture.order_id,
            payment.customer_id,
            amount,
            ASKED,
            now,
            capture.authorization_id,
            payment.payment_id,
        ),
    )
