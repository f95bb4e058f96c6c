"""Credit accounts and what orders have committed to them."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, bindparam, case, exists, func, literal_column, select, text, update
from sqlmodel import Session

from services.billing.domain.credit import Account, Commitment, CreditRequest, CreditTerms, OverdueRule
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import Flag, Int64
from services.runtime.statements import changed

_account_row, _deposit = tables.credit_account.c, tables.order_deposit.c
_is_account = (_account_row.customer_id == bindparam("customer")) & (_account_row.currency == bindparam("of_currency"))
_held = (
    select(_deposit.order_id, func.sum(_deposit.remaining_minor).label("minor"))
    .where(
        _deposit.customer_id == bindparam("customer"),
        _deposit.currency == bindparam("of_currency"),
        _deposit.remaining_minor > literal_column("0"),
        _deposit.order_id != bindparam("order"),
    )
    .group_by(_deposit.order_id)
    .subquery("held_for_orders")
)
_beyond = _held.c.minor - func.coalesce(tables.commitment.c.remaining_minor, literal_column("0"))
# what is held for other orders beyond what they have committed: it pays them and is no room for this one
_PAID_AHEAD = (
    select(func.coalesce(func.sum(case((_beyond > literal_column("0"), _beyond), else_=literal_column("0"))), 0))
    .select_from(_held.outerjoin(tables.commitment, tables.commitment.c.order_id == _held.c.order_id))
    .scalar_subquery()
)
_member = tables.credit_account.alias("member")
_HAS_FAMILY = exists().where(
    _member.c.currency == _account_row.currency,
    _member.c.family_id == _account_row.family_id,
    _member.c.customer_id != _account_row.customer_id,
)
_ACCOUNT = select(tables.credit_account, _PAID_AHEAD.label("paid_ahead_minor"), _HAS_FAMILY.label("has_family")).where(
    _is_account
)
# a family queues at its topmost parent's row, because what one member owes counts in the limits above it
_TAKE = (
    update(tables.credit_account)
    .where(
        _account_row.currency == bindparam("of_currency"),
        _account_row.customer_id
        == select(_member.c.family_id)
        .where(_member.c.customer_id == bindparam("customer"), _member.c.currency == bindparam("of_currency"))
        .scalar_subquery(),
    )
    .values(limit_minor=_account_row.limit_minor)
    .returning(_account_row.customer_id)
)
_OPEN = text(
    "INSERT INTO credit_account (customer_id, currency, limit_minor, committed_minor, receivable_minor, net_days, parent_id, family_id) "
    "VALUES (:customer, :of_currency, 0, 0, 0, 0, '', :customer) ON CONFLICT (customer_id, currency) DO NOTHING"
)
_LIMIT = (
    update(tables.credit_account)
    .where(_is_account)
    .values(limit_minor=bindparam("new_limit"), net_days=bindparam("days"))
)
_AMOUNT = bindparam("amount", type_=Int64)
_COMMIT = (
    update(tables.credit_account)
    .where(
        _is_account,
        _account_row.limit_minor - _account_row.committed_minor - _account_row.receivable_minor - _PAID_AHEAD
        >= _AMOUNT,
    )
    .values(committed_minor=_account_row.committed_minor + _AMOUNT)
)
_MOVE = (
    update(tables.credit_account)
    .where(_is_account)
    .values(
        committed_minor=_account_row.committed_minor + bindparam("committed", type_=Int64),
        receivable_minor=_account_row.receivable_minor + bindparam("receivable", type_=Int64),
    )
)
_COMMITMENT = select(tables.commitment).where(tables.commitment.c.order_id == bindparam("order"))
_COMMITMENTS = select(tables.commitment).where(tables.commitment.c.order_id.in_(bindparam("orders", expanding=True)))
_RECORD = text(
    "INSERT INTO commitment (order_id, customer_id, currency, amount_minor, remaining_minor, invoiced_minor, "
    "released_minor, is_released, payment_method, deposit_minor) "
    "VALUES (:order_id, :customer_id, :currency, :amount, :amount, 0, 0, :is_released, :payment_method, :deposit) "
    "ON CONFLICT (order_id) DO UPDATE SET amount_minor = commitment.amount_minor + excluded.amount_minor, "
    "remaining_minor = commitment.remaining_minor + excluded.remaining_minor, is_released = excluded.is_released, "
    "payment_method = excluded.payment_method, deposit_minor = excluded.deposit_minor"
).bindparams(bindparam("is_released", type_=Flag()))
_CHANGE = (
    update(tables.commitment)
    .where(tables.commitment.c.order_id == bindparam("order"))
    .values(
        remaining_minor=bindparam("remaining"),
        invoiced_minor=bindparam("invoiced"),
        released_minor=bindparam("released"),
        is_released=bindparam("is_over"),
        payment_method=bindparam("method"),
        deposit_minor=bindparam("deposit", type_=Int64),
    )
)


def account(session: Session, customer_id: str, currency: str) -> Account | None:
    """The account as it stands; None for a customer without one."""
    row = session.execute(_ACCOUNT, _key(customer_id, currency) | {"order": ""}).one_or_none()
    return None if row is None else account_of(row)


def take(session: Session, customer_id: str, currency: str) -> str:
    """Lock the account's family until the transaction ends, by a write that changes nothing, and name it; empty without an account."""
    return str(session.execute(_TAKE, _key(customer_id, currency)).scalar() or "")


def take_or_open(session: Session, customer_id: str, currency: str) -> str:
    """Lock the account as take(); a customer without one gets one without credit, so that cash and invoices have a home."""
    family = take(session, customer_id, currency)
    if not family:
        session.execute(_OPEN, _key(customer_id, currency))
        family = take(session, customer_id, currency)
        assert family, "the row was there or has just been inserted"
    return family


def taken(session: Session, customer_id: str, currency: str) -> Account:
    """The account as it stands, locked as by take_or_open(), in the family that it is of by then."""
    family = take_or_open(session, customer_id, currency)
    while True:
        found = account(session, customer_id, currency)
        assert found is not None, "it has just been locked"
        if found.family_id == family:
            return found
        family = take(session, customer_id, currency)  # its parent was changed while this waited for the lock


def put_limit(session: Session, customer_id: str, limit: Money, net_days: int) -> None:
    """Create the account or replace its limit and days; what is committed and owed stays."""
    take_or_open(session, customer_id, limit.currency)
    session.execute(_LIMIT, _key(customer_id, limit.currency) | {"new_limit": limit.minor, "days": net_days})


def commit_within_limit(session: Session, customer_id: str, order_id: str, amount: Money) -> bool:
    """Commit an order's amount if the headroom has room for it: one conditional UPDATE, whose row count decides.

    Cash held for the order is room for it; what is held for others is none.
    """
    terms = _key(customer_id, amount.currency) | {"order": order_id, "amount": amount.minor}
    return changed(session, _COMMIT, terms) == 1


def move(session: Session, customer_id: str, *, committed: Money, receivable: Money) -> None:
    """Add to what a customer has committed and owes; negative amounts take away."""
    added = {"committed": committed.minor, "receivable": receivable.minor}
    session.execute(_MOVE, _key(customer_id, committed.currency) | added)


def commitment(session: Session, order_id: str) -> Commitment | None:
    """What an order has committed; None when it never did."""
    row = session.execute(_COMMITMENT, {"order": order_id}).one_or_none()
    return None if row is None else _commitment(row)


def commitments(session: Session, order_ids: list[str]) -> dict[str, Commitment]:
    """Order id → what it has committed, of those that ever did."""
    rows = session.execute(_COMMITMENTS, {"orders": order_ids})
    return {row.order_id: _commitment(row) for row in rows}


def record_commitment(session: Session, request: CreditRequest, adding: Money) -> None:
    """Remember what an order commits now; after a release it adds to the same row, which is active again."""
    session.execute(
        _RECORD,
        {
            "order_id": request.order_id,
            "customer_id": request.customer_id,
            "currency": adding.currency,
            "amount": adding.minor,
            "is_released": False,
            "payment_method": request.payment_method,
            "deposit": request.deposit.minor,
        },
    )


def release_commitment(session: Session, held: Commitment) -> None:
    """What remains of an order's commitment is given back."""
    rest = held.remaining
    _change(session, replace(held, remaining=rest - rest, released=held.released + rest, is_released=True))


def reduce_commitment(session: Session, held: Commitment, request: CreditRequest, amount: Money) -> None:
    """Part of an order's commitment is given back, none when zero; the rest stays on the terms of the request."""
    parts = replace(held, remaining=held.remaining - amount, released=held.released + amount)
    _change(session, replace(parts, payment_method=request.payment_method, deposit=request.deposit))


def invoice_commitment(session: Session, held: Commitment, moved: Money) -> None:
    """Part of an order's commitment became an invoice."""
    _change(session, replace(held, remaining=held.remaining - moved, invoiced=held.invoiced + moved))


def _key(customer_id: str, currency: str) -> dict[str, object]:
    return {"customer": customer_id, "of_currency": currency}


def _change(session: Session, to: Commitment) -> None:
    parts = {"remaining": to.remaining.minor, "invoiced": to.invoiced.minor, "released": to.released.minor}
    terms = {"method": to.payment_method, "deposit": to.deposit.minor}
    session.execute(_CHANGE, {"order": to.order_id, "is_over": to.is_released, **parts, **terms})


def account_of(row: Row[Any]) -> Account:
    """The account of a row that says also what is paid ahead and whether others are of its family."""
    return Account(
        row.customer_id,
        Money(row.limit_minor, row.currency),
        Money(row.committed_minor, row.currency),
        Money(row.receivable_minor, row.currency),
        Money(int(row.paid_ahead_minor), row.currency),
        row.family_id,
        bool(row.has_family),
        _terms(row),
    )


def _terms(row: Row[Any]) -> CreditTerms:
    rule = None if row.overdue_days is None else OverdueRule(row.overdue_days, Money(row.overdue_minor, row.currency))
    return CreditTerms(row.parent_id, rule, bool(row.ships_what_fits), row.terms_changed_by, row.terms_changed_at)


def _commitment(row: Row[Any]) -> Commitment:
    return Commitment(
        row.order_id,
        row.customer_id,
        Money(row.amount_minor, row.currency),
        Money(row.remaining_minor, row.currency),
        Money(row.invoiced_minor, row.currency),
        Money(row.released_minor, row.currency),
        row.is_released,
        row.payment_method,
        Money(row.deposit_minor, row.currency),
    )
