"""Families of credit accounts: those under one topmost parent, whose limits count all below them; and what stops credit."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text, update
from sqlmodel import Session

from services.billing.domain.credit import Account, CreditTerms
from services.billing.domain.credit import room as room_of
from services.billing.store import credit, installments, tables
from services.kernel.money import Money
from services.runtime import sessions

_row = tables.credit_account.c
_is_account = (_row.customer_id == bindparam("customer")) & (_row.currency == bindparam("of_currency"))
_FAMILY = text("""
SELECT a.*, COALESCE((
  SELECT SUM(CASE WHEN h.minor > COALESCE(c.remaining_minor, 0) THEN h.minor - COALESCE(c.remaining_minor, 0) ELSE 0 END)
  FROM (
    SELECT d.order_id, SUM(d.remaining_minor) AS minor FROM order_deposit AS d
    WHERE d.customer_id = a.customer_id AND d.currency = a.currency AND d.remaining_minor > 0 AND d.order_id <> :order
    GROUP BY d.order_id
  ) AS h LEFT JOIN commitment AS c ON c.order_id = h.order_id
), 0) AS paid_ahead_minor, TRUE AS has_family
FROM credit_account AS a WHERE a.currency = :of_currency AND a.family_id = :family
""")
_FAMILY_OF = select(_row.family_id).where(_is_account)
_PUT = (
    update(tables.credit_account)
    .where(_is_account)
    .values(
        parent_id=bindparam("parent"),
        overdue_days=bindparam("days"),
        overdue_minor=bindparam("least"),
        ships_what_fits=bindparam("in_part"),
        terms_changed_by=bindparam("who"),
        terms_changed_at=bindparam("at"),
    )
)
_JOIN = text("""
WITH RECURSIVE below (customer_id) AS (
  SELECT CAST(:customer AS TEXT) UNION SELECT a.customer_id FROM credit_account AS a
  JOIN below AS b ON a.parent_id = b.customer_id WHERE a.currency = :of_currency
)
UPDATE credit_account SET family_id = :family
WHERE currency = :of_currency AND customer_id IN (SELECT customer_id FROM below)
""")


def have_room(session: Session, account: Account, order_id: str, amount: Money) -> bool:
    """Whether an account's limit and its parents' have room for an order's amount, all under them counted; the family is taken."""
    return not account.has_family or room(session, account, order_id, amount.currency) >= amount


def room(session: Session, account: Account, order_id: str, currency: str) -> Money:
    """How much more an account's limit and its parents' let an order commit; negative when over. The family is taken."""
    return room_of(members(session, account.family_id, currency, order_id), account.customer_id)


def members(session: Session, family_id: str, currency: str, order_id: str = "") -> list[Account]:
    """Every account of a family; what is held for the order is no cash of others."""
    terms = {"family": family_id, "of_currency": currency, "order": order_id}
    return [credit.account_of(row) for row in session.execute(_FAMILY, terms)]


def is_stopped(session: Session, account: Account, now: datetime) -> bool:
    """Whether overdue invoices stop an account's credit today."""
    rule = account.terms.overdue_rule
    if rule is None:
        return False
    last_day = sessions.business_day(session, now) - timedelta(days=rule.days)
    zero = Money.zero(rule.least.currency)
    due = installments.due_amounts(session, account.customer_id)
    overdue = (one.amount for one in due if one.due_on < last_day and one.amount.currency == zero.currency)
    return rule.stops(Money.total(overdue, zero.currency))


def family_of(session: Session, customer_id: str, currency: str) -> str:
    """The topmost parent of an account; itself without one, empty without an account."""
    found = session.execute(_FAMILY_OF, {"customer": customer_id, "of_currency": currency}).scalar()
    return str(found or "")


def take(session: Session, accounts: Collection[tuple[str, str]]) -> None:
    """Lock these accounts, each a customer and a currency, by the family that is taken for each: no two wait in a circle."""
    if len(accounts) == 1:
        ordered = [("", *one) for one in accounts]
    else:
        ordered = sorted((family_of(session, *one) or one[0], *one) for one in accounts)
    for _, customer_id, currency in ordered:
        credit.take_or_open(session, customer_id, currency)


def put_terms(session: Session, customer_id: str, currency: str, family_id: str, terms: CreditTerms) -> None:
    """Set an account's terms, and the family that it and all below it are of by them; both families are taken."""
    key, rule = {"customer": customer_id, "of_currency": currency}, terms.overdue_rule
    days, least = (rule.days, rule.least.minor) if rule is not None else (None, None)
    session.execute(
        _PUT,
        key
        | {"parent": terms.parent_id, "days": days, "least": least, "in_part": terms.ships_what_fits}
        | {"who": terms.changed_by, "at": terms.changed_at},
    )
    session.execute(_JOIN, key | {"family": family_id})
