"""Receivables: what customers owe, by how long it is overdue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class DueAmount:
    """What a customer still owes on invoices due on one day."""

    customer_id: str
    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class UnappliedCash:
    """A customer's cash that pays no invoice yet."""

    customer_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Receivable:
    """A customer's open invoices in one currency by age, in minor units, and cash not applied to them.

    `overdue_since` is the day on which the oldest of those that are over fell due; None when none is.
    """

    customer_id: str
    currency: str
    current: int = 0
    days_30: int = 0
    days_60: int = 0
    older: int = 0
    unapplied: int = 0
    overdue_since: date | None = None


def ageing(today: date, due: Iterable[DueAmount], unapplied: Iterable[UnappliedCash]) -> Sequence[Receivable]:
    """One row a customer and currency, in that order: not yet due, 1 to 30, 31 to 60 and more than 60 days over."""
    rows: dict[tuple[str, str], Receivable] = {}
    for part in due:
        row = _row(rows, part.customer_id, part.amount.currency)
        bucket = _bucket((today - part.due_on).days)
        since = _earlier(row.overdue_since, part.due_on) if part.due_on < today else row.overdue_since
        more = getattr(row, bucket) + part.amount.minor
        rows[row.customer_id, row.currency] = replace(row, overdue_since=since, **{bucket: more})
    for cash in unapplied:
        row = _row(rows, cash.customer_id, cash.amount.currency)
        rows[row.customer_id, row.currency] = replace(row, unapplied=row.unapplied + cash.amount.minor)
    return [rows[key] for key in sorted(rows)]


def _row(rows: dict[tuple[str, str], Receivable], customer_id: str, currency: str) -> Receivable:
    return rows.get((customer_id, currency), Receivable(customer_id, currency))


def _earlier(one: date | None, other: date) -> date:
    return other if one is None else min(one, other)


def _bucket(days_over: int) -> str:
    if days_over <= 0:
        return "current"
    if days_over <= 30:
        return "days_30"
    return "days_60" if days_over <= 60 else "older"
