"""Cash held for orders."""

from itertools import groupby

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal_column, select, union_all, update
from sqlmodel import Session

from services.billing.domain.credit import OrderCash
from services.billing.domain.payments import Deposit, Payment
from services.billing.store import tables
from services.billing.store.billed_lines import IS_OF_GOODS, REVERSED_MINOR
from services.kernel.money import Money
from services.runtime.db import Int64, Text
from services.runtime.statements import changed

_row, _bill = tables.order_deposit.c, tables.invoice.c
_NOTHING: ColumnElement[int] = literal_column("0")
_OF_PAYMENTS = (
    select(tables.order_deposit)
    .where(_row.payment_id.in_(bindparam("ids", expanding=True)))
    .order_by(_row.payment_id, _row.order_id)
)
_OF_ORDERS = bindparam("orders", type_=Text, expanding=True)
_CASH = union_all(
    select(
        _row.order_id,
        func.sum(_row.remaining_minor).label("held"),
        literal_column("0").label("paid"),
        literal_column("0").label("spared"),
    )
    .where(_row.order_id.in_(_OF_ORDERS))
    .group_by(_row.order_id),
    select(
        _bill.order_id,
        literal_column("0"),
        func.sum(_bill.paid_minor),
        # what is credited of it because it had not left is asked for again
        func.sum(_bill.credited_minor + _bill.written_off_minor - REVERSED_MINOR),
    )
    .where(_bill.order_id.in_(_OF_ORDERS), IS_OF_GOODS)
    .group_by(_bill.order_id),
)
_HELD = (
    select(_row.payment_id)
    .where(_row.order_id == bindparam("order"), _row.remaining_minor > _NOTHING)
    .order_by(_row.payment_id)
)
_ADD, _REMOVE = (
    insert(tables.order_deposit),
    delete(tables.order_deposit).where(_row.payment_id == bindparam("payment")),
)
_AMOUNT = bindparam("amount", type_=Int64)
_IS_ONE = (_row.payment_id == bindparam("payment")) & (_row.order_id == bindparam("order"))
_DEDUCT = (
    update(tables.order_deposit)
    .where(_IS_ONE, _row.remaining_minor >= _AMOUNT)
    .values(remaining_minor=_row.remaining_minor - _AMOUNT)
)


def of_payments(session: Session, payment_ids: list[str], currencies: dict[str, str]) -> dict[str, tuple[Deposit, ...]]:
    """Payment id → what it holds for orders; `currencies` is payment id → its currency. Payments that hold nothing are missing."""
    rows = session.execute(_OF_PAYMENTS, {"ids": payment_ids}).all()
    return {
        key: tuple(
            Deposit(row.order_id, Money(row.amount_minor, currencies[key]), Money(row.remaining_minor, currencies[key]))
            for row in group
        )
        for key, group in groupby(rows, key=lambda row: str(row.payment_id))
    }


def cash_of(session: Session, order_id: str, currency: str) -> OrderCash:
    """What is held for an order, what is paid on its invoices, and what of them need not be."""
    return cash_of_orders(session, [order_id], currency)[order_id]


def cash_of_orders(session: Session, order_ids: list[str], currency: str) -> dict[str, OrderCash]:
    """Order id → its cash; every order is there."""
    sums = {order_id: [0, 0, 0] for order_id in order_ids}
    for row in session.execute(_CASH, {"orders": order_ids}):
        sums[row.order_id] = [a + int(b) for a, b in zip(sums[row.order_id], row[1:], strict=True)]
    return {order_id: OrderCash(*(Money(minor, currency) for minor in parts)) for order_id, parts in sums.items()}


def holding_payments(session: Session, order_id: str) -> list[str]:
    """Payments that hold cash for an order, oldest first."""
    return [str(one) for one in session.execute(_HELD, {"order": order_id}).scalars()]


def add(session: Session, payment: Payment) -> None:
    """Hold the parts of a payment that are for orders."""
    rows = [
        {
            "payment_id": payment.payment_id,
            "order_id": one.order_id,
            "customer_id": payment.customer_id,
            "currency": payment.amount.currency,
            "amount_minor": one.amount.minor,
            "remaining_minor": one.remaining.minor,
        }
        for one in payment.deposits
    ]
    if rows:
        session.execute(_ADD, rows)


def deduct(session: Session, payment_id: str, order_id: str, amount: Money) -> bool:
    """Take from what is held, unless there is not as much: one conditional UPDATE decides."""
    return changed(session, _DEDUCT, {"payment": payment_id, "order": order_id, "amount": amount.minor}) == 1


def remove(session: Session, payment_id: str) -> None:
    """Hold nothing of a payment any more."""
    session.execute(_REMOVE, {"payment": payment_id})
