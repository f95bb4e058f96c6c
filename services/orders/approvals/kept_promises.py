"""The ledger of promises as people read it, and the on-time figures that come from it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlmodel import Session

from services.kernel.clock import business_day
from services.kernel.errors import InvalidArgument
from services.orders.approvals.promise_ledger import working_days
from services.orders.domain.access import Scope
from services.orders.domain.promise_ledger import KeptPromise, OnTime, PromiseFilter
from services.orders.policies import versions
from services.orders.store import promises as store

MAX_SPAN_DAYS = 3660


def listed(
    session: Session, wanted: PromiseFilter, scope: Scope, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[KeptPromise]:
    """Promises that a scope shows, the newest first, from behind `after` (the instant given, id)."""
    return store.listed(session, wanted, scope, after=after, limit=limit)


def today(session: Session, now: datetime) -> date:
    """The day that promises are measured by: that of the warehouses' calendar."""
    return business_day(now, working_days(versions.policy_in_force(session)).time_zone)


def on_time(session: Session, since: date, until: date, scope: Scope, now: datetime) -> OnTime:
    """The figures of what was delivered in a span of days, and of what is open; InvalidArgument SPAN_INVALID for none, or more than ten years."""
    if not 0 <= (until - since).days <= MAX_SPAN_DAYS:
        raise InvalidArgument(
            "SPAN_INVALID", f"until must not be before since, and at most {MAX_SPAN_DAYS} days after it"
        )
    return store.on_time(session, since.isoformat(), until.isoformat(), today(session, now).isoformat(), scope)


def numbers_of(session: Session, order_ids: Collection[str], scope: Scope) -> dict[str, str]:
    """Order id → number, of orders that a scope shows."""
    return store.numbers(session, order_ids, scope)
