"""What is to be asked of the provider next, written down before it is asked; each inside the caller's transaction."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing.domain import cards
from services.billing.domain.cards import ASKED, AUTHORIZE, CAPTURE, Operation
from services.billing.domain.credit import CARD, Commitment, CreditRequest
from services.billing.domain.invoices import Invoice
from services.billing.store import authorizations, credit, invoices, operations, waits
from services.kernel.money import Money


def cover(session: Session, asked: CreditRequest, token: str, now: datetime) -> Operation | None:
    """The authorization to ask for, so that all of an order is authorized that is not billed; None when there is none to ask for.

    What is authorized stays, as does a card that was declined: only another one is tried.
    """
    billed = invoices.billed_total(session, asked.order_id, asked.amount.currency)
    wanted = asked.amount - billed
    if wanted.minor <= 0 or cards.usable(authorizations.of_order(session, asked.order_id), wanted, now):
        return None
    tries = _tries(session, asked.order_id)
    if tries and tries[-1].is_asked:
        return tries[-1]
    if not token or (tries and tries[-1].is_refused and tries[-1].token_digest == cards.digest(token)):
        return None
    return authorize(session, asked.order_id, asked.customer_id, wanted + _open(session, asked), token, now)


def give(session: Session, order_id: str, token: str, now: datetime) -> Operation | None:
    """The authorization to ask for on another card: for all of an order that is not captured; None when nothing is left of it."""
    held, waiting = credit.commitment(session, order_id), waits.of_order(session, order_id)
    if waiting is not None:
        asked = waiting.request
    elif held is not None and held.payment_method == CARD:
        asked = CreditRequest(order_id, held.customer_id, held.remaining + held.invoiced, CARD, held.amount)
    else:
        return None
    if asked.payment_method != CARD:
        return None
    billed = invoices.billed_total(session, order_id, asked.amount.currency)
    left = asked.amount - billed if waiting is not None or held is None else held.remaining
    wanted = max(left, left - left) + _open(session, asked)
    return authorize(session, order_id, asked.customer_id, wanted, token, now) if wanted.minor else None


def _open(session: Session, asked: CreditRequest) -> Money:
    """What an order's invoices have open: it is to be captured, too."""
    found = invoices.open_of_orders(session, [asked.order_id])
    return Money.total((one.open for one in found), asked.amount.currency)


def authorize(session: Session, order_id: str, customer_id: str, amount: Money, token: str, now: datetime) -> Operation:
    """A new authorization to ask for."""
    operation = Operation(
        cards.operation_id(AUTHORIZE, order_id, operations.count(session, order_id, AUTHORIZE)),
        AUTHORIZE,
        order_id,
        customer_id,
        amount,
        ASKED,
        now,
        token=token,
        token_digest=cards.digest(token),
    )
    operations.add(session, operation)
    return operation


def capture(session: Session, invoice: Invoice, token: str, now: datetime) -> Operation | None:
    """The capture of what an invoice has open: the one that has no answer, or a new one; None when nothing is open."""
    known = operations.of_subject(session, invoice.invoice_id, CAPTURE)
    asked = next((one for one in known if one.is_asked), None)
    if asked is not None:
        return asked
    if not invoice.open.minor:
        return None
    operation = Operation(
        cards.operation_id(CAPTURE, invoice.invoice_id, len(known)),
        CAPTURE,
        invoice.order_id,
        invoice.customer_id,
        invoice.open,
        ASKED,
        now,
        subject_id=invoice.invoice_id,
        token=token,
    )
    operations.add(session, operation)
    return operation


def assign(session: Session, operation: Operation, now: datetime) -> Operation | None:
    """What must be asked first for a capture: itself, once it has an authorization to take from; None when there is no card.

    An authorization serves one capture at a time, so that what the provider has received tells which of them were done. One that
    is too old or too small is replaced by a new one for all that is still to be captured.
    """
    if operation.authorization_id:
        return operation
    known = operations.of_order(session, operation.order_id)
    under_way = [one for one in known if one.is_asked and one.kind == CAPTURE and one.authorization_id]
    if under_way:
        return under_way[0]
    authorized = authorizations.of_order(session, operation.order_id)
    found = cards.usable(authorized, operation.amount, now)
    if found is not None and authorizations.take(session, found.authorization_id, operation.amount):
        is_final = _is_last(session, operation, known)
        operations.assign(session, operation.operation_id, found.authorization_id, is_final=is_final)
        return replace(operation, authorization_id=found.authorization_id, is_final=is_final)
    tries = _tries(session, operation.order_id)
    if tries and tries[-1].is_asked:
        return tries[-1]
    if not operation.token:
        return None
    wanted = _still_to_capture(session, operation, known)
    return authorize(session, operation.order_id, operation.customer_id, wanted, operation.token, now)


def _tries(session: Session, order_id: str) -> list[Operation]:
    """Authorizations asked for, oldest first, that nobody has given up."""
    return [one for one in operations.of_order(session, order_id) if one.kind == AUTHORIZE and not one.is_abandoned]


def _still_to_capture(session: Session, operation: Operation, known: list[Operation]) -> Money:
    held = credit.commitment(session, operation.order_id)
    asked = [one.amount for one in known if one.is_asked and one.kind == CAPTURE]
    return Money.total([*asked, *([held.remaining] if held else [])], operation.amount.currency)


def _is_last(session: Session, operation: Operation, known: list[Operation]) -> bool:
    """Whether nothing of the order is left to be captured after this one."""
    held: Commitment | None = credit.commitment(session, operation.order_id)
    if held is not None and held.remaining.minor:
        return False
    others = [one for one in known if one.is_asked and one.kind == CAPTURE and one != operation]
    still_open = invoices.open_of_orders(session, [operation.order_id])
    return not others and all(one.invoice_id == operation.subject_id for one in still_open if not one.fee_id)
