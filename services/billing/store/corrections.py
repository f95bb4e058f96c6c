"""Corrections of payments and invoices that wait for a second person, and what became of them."""

from typing import Any

from sqlalchemy import Row, bindparam, insert, literal_column, select, update
from sqlmodel import Session

from services.billing.domain.corrections import WAITING, Correction
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.statements import changed

_row = tables.correction.c
_BY_ID = select(tables.correction).where(_row.correction_id == bindparam("id"))
_IS_WAITING = _row.state == literal_column(f"'{WAITING}'")
_OF_PAYMENT = select(tables.correction).where(_row.payment_id == bindparam("payment"), _IS_WAITING)
_OF_INVOICE = select(tables.correction).where(_row.invoice_id == bindparam("invoice"), _IS_WAITING)
_DECIDE = (
    update(tables.correction)
    .where(_row.correction_id == bindparam("id"), _IS_WAITING)
    .values(
        state=bindparam("new_state"),
        decided_by=bindparam("by"),
        decided_at=bindparam("at", type_=_row.decided_at.type),
        note=bindparam("why"),
    )
)


def add(session: Session, asked: Correction) -> None:
    """Keep what somebody asks for."""
    names = (
        "correction_id",
        "kind",
        "reason",
        "request",
        "asked_by",
        "asked_at",
        "state",
        "decided_by",
        "note",
    )
    values = {name: getattr(asked, name) for name in names}
    session.execute(
        insert(tables.correction),
        values
        | {"payment_id": asked.payment_id or None, "invoice_id": asked.invoice_id or None}
        | {"currency": asked.amount.currency, "amount_minor": asked.amount.minor},
    )


def by_id(session: Session, correction_id: str) -> Correction | None:
    """A correction by identity."""
    row = session.execute(_BY_ID, {"id": correction_id}).one_or_none()
    return None if row is None else _correction(row)


def waiting_of(session: Session, payment_id: str) -> Correction | None:
    """The correction of a payment that waits."""
    row = session.execute(_OF_PAYMENT, {"payment": payment_id}).one_or_none()
    return None if row is None else _correction(row)


def waiting_of_invoice(session: Session, invoice_id: str) -> Correction | None:
    """The correction of an invoice that waits."""
    row = session.execute(_OF_INVOICE, {"invoice": invoice_id}).one_or_none()
    return None if row is None else _correction(row)


def decide(session: Session, decided: Correction) -> bool:
    """Record the decision: one conditional UPDATE, whose row count says whether it is the first."""
    terms = {
        "id": decided.correction_id,
        "new_state": decided.state,
        "by": decided.decided_by,
        "at": decided.decided_at,
        "why": decided.note,
    }
    return changed(session, _DECIDE, terms) == 1


def page(
    session: Session, *, state: str, payment_id: str, after: str, limit: int, invoice_id: str = ""
) -> list[Correction]:
    """Corrections by identity, which is their age, beyond `after`; an empty filter does not filter."""
    wanted = select(tables.correction).where(_row.correction_id > after)
    if state:
        wanted = wanted.where(_row.state == state)
    if payment_id:
        wanted = wanted.where(_row.payment_id == payment_id)
    if invoice_id:
        wanted = wanted.where(_row.invoice_id == invoice_id)
    return [_correction(row) for row in session.execute(wanted.order_by(_row.correction_id).limit(limit))]


def _correction(row: Row[Any]) -> Correction:
    return Correction(
        row.correction_id,
        row.payment_id or "",
        row.kind,
        Money(row.amount_minor, row.currency),
        row.reason,
        row.request,
        row.asked_by,
        row.asked_at,
        row.state,
        row.decided_by,
        row.decided_at,
        row.note,
        row.invoice_id or "",
    )
