"""Cash of returns that has gone back."""

from datetime import datetime

from sqlmodel import Session

from services.billing.domain.credit_notes import LeftOver
from services.billing.store import tables
from services.runtime.statements import inserted


def add(session: Session, credit_note_id: str, left: LeftOver, request_id: str, now: datetime) -> bool:
    """Keep that a part of a credit note's cash goes back; False when it went back before."""
    return inserted(
        session,
        tables.return_refund,
        credit_note_id=credit_note_id,
        payment_id=left.payment_id,
        request_id=request_id,
        amount_minor=left.amount.minor,
        refunded_at=now,
    )
