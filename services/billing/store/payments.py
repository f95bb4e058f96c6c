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
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlmodel import Session

from services.billing.domain.payments import (
    APPLIED,
    HELD,
    REFUNDED,
    REVERSED,
    UNAPPLIED,
    Application,
    Deposit,
    Payment,
)
from services.billing.domain.receivables import UnappliedCash
from services.billing.store import deposits, tables
from services.kernel.money import Money
from services.kernel.text import fold_key
from services.runtime.db import Flag, Int64, UtcDateTime
from services.runtime.statements import changed

_row, _part = tables.payment.c, tables.payment_application.c
_held = tables.order_deposit.c
_NOTHING: ColumnElement[int] = literal_column("0")
# ids rise with time, so their order is the order of arrival
_ALL = select(tables.payment).order_by(_row.payment_id)
_BY_REFERENCE = _ALL.where(_row.customer_id == bindparam("customer"), _row.reference_key == bindparam("of_reference"))
_BY_IDS = _ALL.where(_row.payment_id.in_(bindparam("ids", expanding=True)))
_OF_INVOICE = _ALL.where(_row.payment_id.in_(select(_part.payment_id).where(_part.invoice_id == bindparam("invoice"))))
_UNAPPLIED = _ALL.where(
    _row.customer_id == bindparam("customer"),
    _row.currency == bindparam("of_currency"),
    _row.unapplied_minor > _NOTHING,
    ~_row.is_on_account,
)
_PARTS = (
    select(tables.payment_application)
    .where(_part.payment_id.in_(bindparam("ids", expanding=True)))
    .order_by(_part.payment_id, _part.applied_at, _part.invoice_id)
)
_IS_HELD = exists().where(_held.payment_id == _row.payment_id, _held.remaining_minor > _NOTHING)
_IS_CURRENT = _row.reversed_at.is_(None)
_STATE: Mapping[str, ColumnElement[bool]] = {
    APPLIED: _IS_CURRENT & (_row.unapplied_minor == _NOTHING) & (_row.returned_minor == _NOTHING) & ~_IS_HELD,
    HELD: _IS_CURRENT & _IS_HELD,
    UNAPPLIED: _IS_CURRENT & (_row.unapplied_minor > _NOTHING),
    REFUNDED: _IS_CURRENT & (_row.returned_minor > _NOTHING),
    REVERSED: _row.reversed_at.is_not(None),
}
_ADD = insert(tables.payment)
# a remittance may have paid a part of the invoice that the rest of its payment is drawn for later
_ADD_PARTS = text(
    "INSERT INTO payment_application (payment_id, invoice_id, amount_minor, applied_at) "
    "VALUES (:payment_id, :invoice_id, :amount_minor, :applied_at) ON CONFLICT (payment_id, invoice_id) "
    "DO UPDATE SET amount_minor = payment_application.amount_minor + excluded.amount_minor"
).bindparams(bindparam("amount_minor", type_=Int64), bindparam("applied_at", type_=UtcDateTime()))
_AMOUNT = bindparam("amount", type_=Int64)
_TAKE_PARTS = delete(tables.payment_application).where(_part.payment_id == bindparam("id"))
_REUSE = (
    update(tables.payment)
    .where(_row.payment_id == bindparam("id"), _row.revision == bindparam("of_revision", type_=Int64))
    .values(
        customer_id=bindparam("customer"),
        unapplied_minor=bindparam("unapplied", type_=Int64),
        is_on_account=bindparam("on_account", type_=Flag()),
        asked_digest=bindparam("digest"),
        returned_minor=bindparam("returned", type_=Int64),
        reversed_at=bindparam("reversed", type_=UtcDateTime()),
        revision=_row.revision + 1,
    )
)
_FREE_REFERENCE = (
    update(tables.payment)
    .where(_row.payment_id == bindparam("id"))
    .values(reference=bindparam("now_reference"), reference_key=bindparam("key"))
)
_DRAW = (
    update(tables.payment)
    .where(_row.payment_id == bindparam("id"), _row.unapplied_minor >= _AMOUNT)
    .values(unapplied_minor=_row.unapplied_minor - _AMOUNT)
)


def by_reference(session: Session, customer_id: str, reference: str) -> Payment | None:
    """A customer's payment with this bank reference, however it is written, if it was recorded."""
    found = _many(session, _BY_REFERENCE, {"customer": customer_id, "of_reference": fold_key(reference)})
    return found[0] if found else None


def by_id(session: Session, payment_id: str) -> Payment | None:
    """A payment by identity."""
    return next(iter(by_ids(session, [payment_id])), None)


def by_ids(session: Session, payment_ids: Sequence[str]) -> list[Payment]:
    """Payments by identity, oldest first."""
    return _many(session, _BY_IDS, {"ids": list(payment_ids)})


def of_invoice(session: Session, invoice_id: str) -> list[Payment]:
    """Payments that pay an invoice, oldest first."""
    return _many(session, _OF_INVOICE, {"invoice": invoice_id})


def with_unapplied(session: Session, customer_id: str, currency: str) -> list[Payment]:
    """A customer's payments with cash left that pays whatever is open, oldest first."""
    return _many(session, _UNAPPLIED, {"customer": customer_id, "of_currency": currency})


def page(
    session: Session,
    *,
    customer_id: str,
    after: str,
    limit: int,
    reference: str = "",
    state: str = "",
    is_newest_first: bool = False,
) -> list[Payment]:
    """Payments behind this id, oldest first unless the newest are wanted; an empty filter does not filter.

    `reference` is how the bank reference begins, however it is written; `state` one of STATES.
    """
    terms: dict[str, object] = {"most": limit}
    given = {"after": after, "customer": customer_id, "key": _beginning(reference)}
    terms |= {name: value for name, value in given.items() if value}
    return _many(session, _page(frozenset(terms), state, is_newest_first), terms)


@cache
def _page(given: frozenset[str], state: str, is_newest_first: bool) -> Select[Any]:  # the key of a cache
    """The query for these terms and this state; built once for each choice of them."""
    wanted = _ALL.order_by(None).order_by(_row.payment_id.desc() if is_newest_first else _row.payment_id)
    if "after" in given:
        after: ColumnElement[str] = bindparam("after")
        wanted = wanted.where(_row.payment_id < after if is_newest_first else _row.payment_id > after)
    if "customer" in given:
        wanted = wanted.where(_row.customer_id == bindparam("customer"))
    if "key" in given:
        wanted = wanted.where(_row.reference_key.like(bindparam("key"), escape="\\"))
    return (wanted.where(_STATE[state]) if state else wanted).limit(bindparam("most"))


def _beginning(reference: str) -> str:
    """The pattern of bank references that begin so; empty for none."""
    key = fold_key(reference)
    for sign in ("\\", "%", "_"):
        key = key.replace(sign, f"\\{sign}")
    return f"{key}%" if key else ""


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
            "received_on": payment.received_on.isoformat(),
            "is_on_account": payment.is_on_account,
            "returned_minor": 0,
            "reversed_at": None,
            "revision": 0,
            "operation_id": payment.operation_id,
            "fee_minor": payment.fee_minor,
        },
    )
    _apply(session, payment.payment_id, payment.applications, payment.received_at)
    deposits.add(session, payment)


def reuse(session: Session, before: Payment, after: Payment, now: datetime) -> bool:
    """Put a payment to another use, unless somebody else has meanwhile; a reversed one gives its reference back."""
    returned = after.returned or Money.zero(after.amount.currency)
    terms = {
        "id": before.payment_id,
        "of_revision": before.revision,
        "customer": after.customer_id,
        "unapplied": after.unapplied.minor,
        "on_account": after.is_on_account,
        "digest": after.asked_digest,
        "returned": returned.minor,
        "reversed": after.reversed_at,
    }
    if changed(session, _REUSE, terms) != 1:
        return False
    if after.is_reversed:
        mark = f"\n{after.payment_id}"
        given_back = {"now_reference": after.reference + mark, "key": fold_key(after.reference) + mark}
        session.execute(_FREE_REFERENCE, {"id": after.payment_id, **given_back})
    session.execute(_TAKE_PARTS, {"id": before.payment_id})
    deposits.remove(session, before.payment_id)
    _apply(session, after.payment_id, after.applications, now)
    deposits.add(session, after)
    return True


def deduct(session: Session, payment_id: str, order_id: str, application: Application, now: datetime) -> bool:
    """Take cash held for an order for its invoice, unless there is not as much."""
    if not deposits.deduct(session, payment_id, order_id, application.amount):
        return False
    _apply(session, payment_id, [application], now)
    return True


def draw(session: Session, payment_id: str, application: Application, now: datetime) -> bool:
    """Take cash left unapplied for an invoice, unless there is not as much: one conditional UPDATE decides."""
    terms = {"id": payment_id, "amount": application.amount.minor}
    if changed(session, _DRAW, terms) != 1:
        return False
    _apply(session, payment_id, [application], now)
    return True


def unapplied_cash(session: Session, customer_id: str) -> list[UnappliedCash]:
    """What pays no invoice yet by customer and currency, held for orders or not; an empty customer means all."""
    by_account = [
        select(of.customer_id, of.currency, func.sum(minor).label("minor"))
        .where(minor > _NOTHING, *([of.customer_id == customer_id] if customer_id else []))
        .group_by(of.customer_id, of.currency)
        for of, minor in ((_row, _row.unapplied_minor), (_held, _held.remaining_minor))
    ]
    parts = union_all(*by_account).subquery().c
    of = (parts.customer_id, parts.currency)
    rows = session.execute(select(*of, func.sum(parts.minor)).group_by(*of))
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
    ids = [row.payment_id for row in rows]
    found = session.execute(_PARTS, {"ids": ids})
    applications = {key: tuple(group) for key, group in groupby(found, key=lambda part: str(part.payment_id))}
    held = deposits.of_payments(session, ids, {row.payment_id: row.currency for row in rows})
    return [_payment(row, applications.get(row.payment_id, ()), held.get(row.payment_id, ())) for row in rows]


def _payment(row: Row[Any], applications: Sequence[Row[Any]], held: tuple[Deposit, ...]) -> Payment:
    return Payment(
        row.payment_id,
        row.customer_id,
        Money(row.amount_minor, row.currency),
        row.reference.partition("\n")[0],
        tuple(Application(part.invoice_id, Money(part.amount_minor, row.currency)) for part in applications),
        Money(row.unapplied_minor, row.currency),
        row.received_at,
        row.asked_digest,
        held,
        row.is_on_account,
        Money(row.returned_minor, row.currency),
        row.reversed_at,
        row.revision,
        date.fromisoformat(row.received_on),
        row.operation_id,
        row.fee_minor,
    )
