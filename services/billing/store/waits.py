"""Orders that wait for credit or for their cash, in the order in which they began to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, text
from sqlmodel import Session

from services.billing.domain.credit import CreditRequest, Waiting
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import Flag, Int64, UtcDateTime

_row = tables.credit_wait.c
_account = tables.credit_account.c
_member = tables.credit_account.alias("member").c
_OF_FAMILY = (
    select(tables.credit_wait)
    .join(
        tables.credit_account,
        (_account.customer_id == _row.customer_id) & (_account.currency == _row.currency),
    )
    .where(
        _row.currency == bindparam("of_currency"),
        _account.family_id
        == select(_member.family_id)
        .where(_member.customer_id == bindparam("customer"), _member.currency == bindparam("of_currency"))
        .scalar_subquery(),
    )
    .order_by(_row.waiting_since, _row.order_id)
)
_OF_ORDER = select(tables.credit_wait).where(_row.order_id == bindparam("order"))
_ALL = select(tables.credit_wait).order_by(_row.waiting_since, _row.order_id)
_REMOVE = delete(tables.credit_wait).where(_row.order_id == bindparam("order"))
_REMOVE_WHOLE = _REMOVE.where(~_row.is_in_part)
_REMOVE_BILLED = _REMOVE.where(_row.amount_minor <= bindparam("billed", type_=Int64))
# one that waits already keeps its place
_PUT = text(
    "INSERT INTO credit_wait (order_id, customer_id, currency, amount_minor, payment_method, deposit_minor, waiting_since, "
    "is_in_part, least_minor) VALUES (:order_id, :customer_id, :currency, :amount_minor, :payment_method, :deposit_minor, :waiting_since, "
    ":is_in_part, :least_minor) "
    "ON CONFLICT (order_id) DO UPDATE SET amount_minor = excluded.amount_minor, "
    "payment_method = excluded.payment_method, deposit_minor = excluded.deposit_minor, is_in_part = excluded.is_in_part, "
    "least_minor = CASE WHEN excluded.least_minor > 0 THEN excluded.least_minor ELSE credit_wait.least_minor END"
).bindparams(bindparam("waiting_since", type_=UtcDateTime()), bindparam("is_in_part", type_=Flag()))


def put(session: Session, waiting: Waiting) -> None:
    """Remember an order that waits; one that waits already keeps its place and asks for the new amount. What is known of the least part stays."""
    asked = waiting.request
    session.execute(
        _PUT,
        {
            "order_id": asked.order_id,
            "customer_id": asked.customer_id,
            "currency": asked.amount.currency,
            "amount_minor": asked.amount.minor,
            "payment_method": asked.payment_method,
            "deposit_minor": asked.deposit.minor,
            "waiting_since": waiting.waiting_since,
            "is_in_part": waiting.is_in_part,
            "least_minor": asked.least.minor if asked.least else 0,
        },
    )


def remove(session: Session, order_id: str) -> None:
    """Forget that an order waits."""
    session.execute(_REMOVE, {"order": order_id})


def remove_whole(session: Session, order_id: str) -> None:
    """Forget that an order waits, unless it is the rest of it that does."""
    session.execute(_REMOVE_WHOLE, {"order": order_id})


def remove_billed(session: Session, order_id: str, billed: Money) -> None:
    """Forget that an order waits once its invoices come to all that it asks for: nothing of it is still to leave."""
    session.execute(_REMOVE_BILLED, {"order": order_id, "billed": billed.minor})


def of_family(session: Session, customer_id: str, currency: str) -> list[Waiting]:
    """Orders that wait of a customer and of all that count in the same limits, the longest first."""
    terms = {"customer": customer_id, "of_currency": currency}
    return [_waiting(row) for row in session.execute(_OF_FAMILY, terms).all()]


def page(session: Session, *, customer_id: str, after: tuple[datetime, str] | None, limit: int) -> list[Waiting]:
    """Orders that wait, the longest first, behind this moment and order; an empty customer does not filter."""
    wanted = _ALL.limit(limit)
    if customer_id:
        wanted = wanted.where(_row.customer_id == customer_id)
    if after is not None:
        since, order_id = after
        wanted = wanted.where(
            (_row.waiting_since > since) | ((_row.waiting_since == since) & (_row.order_id > order_id))
        )
    return [_waiting(row) for row in session.execute(wanted).all()]


def of_order(session: Session, order_id: str) -> Waiting | None:
    """What an order waits for; None when it does not."""
    row = session.execute(_OF_ORDER, {"order": order_id}).one_or_none()
    return None if row is None else _waiting(row)


def _waiting(row: Row[Any]) -> Waiting:
    amount, deposit = Money(row.amount_minor, row.currency), Money(row.deposit_minor, row.currency)
    least = Money(row.least_minor, row.currency) if row.least_minor else None
    request = CreditRequest(row.order_id, row.customer_id, amount, row.payment_method, deposit, least)
    return Waiting(request, row.waiting_since, row.is_in_part)
