"""What a page asks for, inside the caller's transaction that has taken the customer's account where it decides."""

from datetime import datetime

from sqlmodel import Session

from services.billing.domain.cards import CAPTURE
from services.billing.domain.checkouts import SETUP, Checkout
from services.billing.store import invoices, operations
from services.kernel.errors import Refused
from services.kernel.money import Money
from services.runtime import sessions


def amount(session: Session, invoice_id: str, now: datetime) -> Money:
    """What settles an invoice that exists today; Refused INVOICE_NOT_OPEN, and CAPTURE_UNDER_WAY while its order's card is charged."""
    invoice = invoices.by_ids(session, [invoice_id])[invoice_id]
    if not invoice.open.minor:
        raise Refused("INVOICE_NOT_OPEN", f"{invoice.number} has nothing open: there is nothing to pay")
    if any(one.is_asked for one in operations.of_subject(session, invoice_id, CAPTURE)):
        raise Refused("CAPTURE_UNDER_WAY", f"{invoice.number} is being charged to its order's card: wait for that")
    return invoice.settled_by(sessions.business_day(session, now))


def is_wanted(session: Session, known: Checkout, now: datetime) -> bool:
    """Whether a page asks for what settles its invoice today; one for a card always does."""
    if known.kind == SETUP:
        return True
    try:
        return amount(session, known.invoice_id, now) == known.amount
    except Refused:
        return False
