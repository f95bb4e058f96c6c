"""Payments, what they pay, and who owes what."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlmodel import Session

from services.billing.domain.payments import Application, Payment
from services.billing.domain.receivables import DueAmount, UnappliedCash
from services.billing.store import tables
from services.kernel.money import Money
from services.kernel.text import fold_key
from services.runtime.db import Int64, UtcDateTime
from services.runtime.statements import changed

_row, _part, _bill = tables.payment.c, tables.payment_application.c, tables.invoice.c
_NOTHING: ColumnElement[int] = literal_column("0")
# ids rise with time, so their order is the order of arrival
_ALL = select(tables.payment).order_by(_row.payment_id)
_BY_REFERENCE = _ALL.where(_row.customer_id == bindparam("customer"), _row.reference_key == bindparam("of_reference"))
_UNAPPLIED = _ALL.where(
    _row.customer_id == bindparam("customer"),
    _row.currency == bindparam("of_currency"),
    _row.unapplied_minor > _NOTHING,
)
_PARTS = (
    select(tables.payment_application)
    .where(_part.payment_id.in_(bindparam("ids", expanding=True)))
    .order_by(_part.payment_id, _part.applied_at, _part.invoice_id)
)
_ADD = insert(tables.payment)
# a remittance may have paid a part of the invoice that the rest of its payment is drawn for later
_ADD_PARTS = text(
    "INSERT INTO payment_application (payment_id, invoice_id, amount_minor, applied_at) "
    "VALUES (:payment_id, :invoice_id, :amount_minor, :applied_at) ON CONFLICT (payment_id, invoice_id) "
    "DO UPDATE SET amount_minor = payment_application.amount_minor + excluded.amount_minor"
).bindparams(bindparam("amount_minor", type_=Int64), bindparam("applied_at", type_=UtcDateTime()))
_AMOUNT = bindparam("amount", type_=Int64)
_DRAW = (
    update(tables.payment)
    .where(_row.payment_id == bindparam("id"), _row.unapplied_minor >= _AMOUNT)
    .values(unapplied_minor=_row.unapplied_minor - _AMOUNT)
)


def by_reference(session: Session, customer_id: str, reference: str) -> Payment | None:
    """A customer's payment with this bank reference, however it is written, if it was recorded."""
    found = _many(session, _BY_REFERENCE, {"customer": customer_id, "of_reference": fold_key(reference)})
    return found[0] if found else None


def with_unapplied(session: Session, customer_id: str, currency: str) -> list[Payment]:
    """A customer's payments with cash left, oldest first."""
    return _many(session, _UNAPPLIED, {"customer": customer_id, "of_currency": currency})


def page(session: Session, *, customer_id: str, after: str, limit: int) -> list[Payment]:
    """Payments beyond this id, oldest first; an empty customer does not filter."""
    terms = {"after": after, "most": limit} | ({"customer": customer_id} if customer_id else {})
    return _many(session, _page(bool(customer_id)), terms)


@cache
def _page(is_of_customer: bool) -> Select[Any]:  # the key of a cache
    """Built once for all customers and once for one."""
    wanted = _ALL.where(_row.payment_id > bindparam("after"))
    if is_of_customer:
        wanted = wanted.where(_row.customer_id == bindparam("customer"))
    return wanted.limit(bindparam("most"))


def add(session: Session, payment: Payment) -> None:
    """Store a new payment with its applications."""
    session.execute(
        _ADD,
        {
            "payment_id": payment.payment_id,
            "customer_id": payment.customer_id,
            "currency": payment.amount.currency,
            "amount_minor": payment.amount.minor,
            "unapplied_minor": payment.unapplied.minor,
            "reference": payment.reference,
            "reference_key": fold_key(payment.reference),
            "asked_digest": payment.asked_digest,
            "received_at": payment.received_at,
        },
    )
    _apply(session, payment.payment_id, payment.applications, payment.received_at)


def draw(session: Session, payment_id: str, application: Application, now: datetime) -> bool:
    """Take cash left unapplied for an invoice, unless there is not as much: one conditional UPDATE decides."""
    terms = {"id": payment_id, "amount": application.amount.minor}
    if changed(session, _DRAW, terms) != 1:
        return False
    _apply(session, payment_id, [application], now)
    return True


def due_amounts(session: Session, customer_id: str) -> list[DueAmount]:
    """What is open by customer, currency and due date; an empty customer means all."""
    open_minor = _bill.total_minor - _bill.paid_minor
    wanted = [open_minor > _NOTHING] + ([_bill.customer_id == customer_id] if customer_id else [])
    key = (_bill.customer_id, _bill.currency, _bill.due_on)
    rows = session.execute(select(*key, func.sum(open_minor)).where(*wanted).group_by(*key))
    return [
        DueAmount(customer, date.fromisoformat(due_on), Money(int(minor), currency))
        for customer, currency, due_on, minor in rows
    ]


def unapplied_cash(session: Session, customer_id: str) -> list[UnappliedCash]:
    """What is unapplied by customer and currency; an empty customer means all."""
    wanted = [_row.unapplied_minor > _NOTHING] + ([_row.customer_id == customer_id] if customer_id else [])
    key = (_row.customer_id, _row.currency)
    rows = session.execute(select(*key, func.sum(_row.unapplied_minor)).where(*wanted).group_by(*key))
    return [UnappliedCash(customer, Money(int(minor), currency)) for customer, currency, minor in rows]


def _apply(session: Session, payment_id: str, applications: Sequence[Application], now: datetime) -> None:
    rows = [
        {
            "payment_id": payment_id,
            "invoice_id": application.invoice_id,
            "amount_minor": application.amount.minor,
            "applied_at": now,
        }
        for application in applications
    ]
    if rows:
        session.execute(_ADD_PARTS, rows)


def _many(session: Session, wanted: Select[Any], terms: Mapping[str, object]) -> list[Payment]:
    rows = session.execute(wanted, terms).all()
    if not rows:
        return []
    found = session.execute(_PARTS, {"ids": [row.payment_id for row in rows]})
    applications = {key: tuple(group) for key, group in groupby(found, key=lambda part: str(part.payment_id))}
    return [_payment(row, applications.get(row.payment_id, ())) for row in rows]


def _payment(row: Row[Any], applications: Sequence[Row[Any]]) -> Payment:
    return Payment(
        row.payment_id,
        row.customer_id,
        Money(row.amount_minor, row.currency),
        row.reference,
        tuple(Application(part.invoice_id, Money(part.amount_minor, row.currency)) for part in applications),
        Money(row.unapplied_minor, row.currency),
        row.received_at,
        row.asked_digest,
    )
