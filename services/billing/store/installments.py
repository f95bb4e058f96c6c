"""Installments of invoices, what came too late for a discount, and what falls due when."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, literal_column, select
from sqlmodel import Session

from services.billing.domain.invoices import Invoice
from services.billing.domain.receivables import DueAmount
from services.billing.store import tables
from services.kernel.money import Money
from services.kernel.terms import Installment

_row, _bill = tables.invoice_installment.c, tables.invoice.c
_part, _payment = tables.payment_application.c, tables.payment.c
_NOTHING: ColumnElement[int] = literal_column("0")
_PARTED = "@"
"""What the text of terms with installments has, and no other."""
_OPEN = (
    _bill.total_minor
    - _bill.paid_minor
    - _bill.discount_taken_minor
    - _bill.settled_elsewhere_minor
    - _bill.credited_minor
    - _bill.written_off_minor
)
_ADD = insert(tables.invoice_installment)
_OF_INVOICES = (
    select(tables.invoice_installment)
    .where(_row.invoice_id.in_(bindparam("ids", expanding=True)))
    .order_by(_row.invoice_id, _row.position)
)
_PAID_LATE = (
    select(_part.invoice_id, func.sum(_part.amount_minor).label("minor"))
    .join(tables.payment, _payment.payment_id == _part.payment_id)
    .join(tables.invoice, _bill.invoice_id == _part.invoice_id)
    .where(_part.invoice_id.in_(bindparam("ids", expanding=True)), _payment.received_on > _bill.discount_until)
    .group_by(_part.invoice_id)
)


def add(session: Session, invoice: Invoice) -> None:
    """Store the installments of a new invoice; one that falls due on one day has none."""
    rows = [
        {
            "invoice_id": invoice.invoice_id,
            "position": position,
            "due_on": one.due_on.isoformat(),
            "amount_minor": one.amount.minor,
        }
        for position, one in enumerate(invoice.installments)
    ]
    if rows:
        session.execute(_ADD, rows)


def of_invoices(session: Session, rows: Iterable[Row[Any]]) -> dict[str, tuple[Installment, ...]]:
    """Invoice id → its installments, of those of these rows that have any."""
    currencies = {row.invoice_id: row.currency for row in rows if _PARTED in row.terms}
    if not currencies:
        return {}
    found = session.execute(_OF_INVOICES, {"ids": sorted(currencies)}).all()
    return {
        key: tuple(
            Installment(date.fromisoformat(one.due_on), Money(one.amount_minor, currencies[key])) for one in group
        )
        for key, group in groupby(found, key=lambda one: str(one.invoice_id))
    }


def paid_late(session: Session, rows: Iterable[Row[Any]]) -> dict[str, Money]:
    """Invoice id → what came after the last day of its discount, where anything did."""
    currencies = {row.invoice_id: row.currency for row in rows if row.discount_until and row.paid_minor}
    if not currencies:
        return {}
    found = session.execute(_PAID_LATE, {"ids": sorted(currencies)})
    return {row.invoice_id: Money(int(row.minor), currencies[row.invoice_id]) for row in found}


def due_amounts(session: Session, customer_id: str) -> list[DueAmount]:
    """What is open by customer, currency and due date; an empty customer means all."""
    wanted = [_OPEN > _NOTHING] + ([_bill.customer_id == customer_id] if customer_id else [])
    key = (_bill.customer_id, _bill.currency, _bill.due_on)
    parted = _bill.terms.contains(_PARTED)
    rows = session.execute(select(*key, func.sum(_OPEN)).where(*wanted, ~parted).group_by(*key))
    whole = [
        DueAmount(customer, date.fromisoformat(due_on), Money(int(minor), currency))
        for customer, currency, due_on, minor in rows
    ]
    query = (
        select(_bill.invoice_id, *key[:2], _OPEN.label("open_minor"), _row.due_on, _row.amount_minor)
        .join(tables.invoice_installment, _row.invoice_id == _bill.invoice_id)
        .where(*wanted, parted)
        .order_by(_bill.invoice_id, _row.position)
    )
    grouped = groupby(session.execute(query).all(), key=lambda row: str(row.invoice_id))
    return whole + [due for _, group in grouped for due in _open_parts(list(group))]


def _open_parts(rows: Sequence[Row[Any]]) -> list[DueAmount]:
    """What is open of the installments of one invoice: what is settled, credited or given up counts towards the earliest."""
    left, dues = rows[0].open_minor, []
    for row in reversed(rows):
        minor = min(left, row.amount_minor)
        if minor:
            dues.append(DueAmount(row.customer_id, date.fromisoformat(row.due_on), Money(minor, row.currency)))
        left -= minor
    return dues
