"""Exchange rates: entered by accounting, by day."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.orders.domain.exchange import ExchangeRate
from services.orders.store import exchange as store
from services.runtime.versioned import is_unchanged


def put_rate(
    session: Session, rate: ExchangeRate, who: str, now: datetime, expected: int | None = None
) -> ExchangeRate:
    """Keep a rate; one of the same pair and day is replaced, the same again changes nothing. Refused VERSION_STALE."""
    known = store.find(session, rate)
    if known is not None and is_unchanged(known, rate, expected):
        return known
    return store.put(session, rate, who, now, expected)


def list_rates(session: Session, *, after: tuple[str, str, str] | None = None, limit: int = 100) -> list[ExchangeRate]:
    """Rates by pair and first day, behind `after` (from, to, ISO day)."""
    return store.page(session, after=after, limit=limit)
