"""Exchange rates."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select, tuple_
from sqlmodel import Session

from services.orders.domain.exchange import ExchangeRate, Rates
from services.orders.models import ExchangeRateRow
from services.runtime import versioned
from services.runtime.db import table_of

RateKey = tuple[str, str, str]
"""From, to, first day (ISO): the order of rates in lists."""

_rate = table_of(ExchangeRateRow)
_KEY = (_rate.c.from_currency, _rate.c.to_currency, _rate.c.valid_from)
_CURRENCIES: BindParameter[str] = bindparam("currencies", expanding=True)
_LATEST = (
    select(_rate.c.from_currency, _rate.c.to_currency, func.max(_rate.c.valid_from))
    .where(
        _rate.c.from_currency.in_(_CURRENCIES) | _rate.c.to_currency.in_(_CURRENCIES),
        _rate.c.valid_from <= bindparam("on"),
    )
    .group_by(_rate.c.from_currency, _rate.c.to_currency)
)
_RATES = select(_rate).where(tuple_(*_KEY).in_(_LATEST))


def put(session: Session, rate: ExchangeRate, who: str, now: datetime, expected: int | None = None) -> ExchangeRate:
    """Store a rate, replacing one of the same pair and day; gives it with its version. Refused VERSION_STALE."""
    values = {"rate": f"{rate.rate:f}", "changed_at": now, "changed_by": who}
    return replace(rate, version=versioned.put(session, _rate, _key(rate), values, expected))


def find(session: Session, like: ExchangeRate) -> ExchangeRate | None:
    """The stored rate of the same pair and day; None when there is none."""
    is_it = [_rate.c[name] == value for name, value in _key(like).items()]
    row = session.execute(select(_rate).where(*is_it)).first()
    return _rate_of(row) if row else None


def _key(rate: ExchangeRate) -> dict[str, str]:
    first = rate.valid_from.isoformat()
    return {"from_currency": rate.from_currency, "to_currency": rate.to_currency, "valid_from": first}


def rates_of(session: Session, currencies: Collection[str], on: date) -> Rates:
    """The latest rates up to a day between these currencies and every other."""
    rows = session.execute(_RATES, {"currencies": sorted(currencies), "on": on.isoformat()})
    return Rates(tuple(_rate_of(row) for row in rows))


def page(session: Session, *, after: RateKey | None = None, limit: int = 100) -> list[ExchangeRate]:
    """Rates by pair and first day, behind `after`."""
    query = select(_rate)
    if after is not None:
        query = query.where(tuple_(*_KEY) > tuple_(*after))
    return [_rate_of(row) for row in session.execute(query.order_by(*_KEY).limit(limit))]


def _rate_of(row: Any) -> ExchangeRate:
    on = date.fromisoformat(row.valid_from)
    return ExchangeRate(row.from_currency, row.to_currency, Decimal(row.rate), on, version=row.version)
