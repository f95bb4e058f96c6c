"""Tax rates by place and category."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select, tuple_
from sqlmodel import Session

from services.orders.domain.order import Address
from services.orders.domain.taxation import TaxRate, TaxRateKey
from services.orders.models import TaxRateRow
from services.runtime import versioned
from services.runtime.db import table_of

_GOODS = "goods"
_rate = table_of(TaxRateRow)
_NAMES = ("country", "region", "postal_prefix", "category", "valid_from")
_KEY = tuple(_rate.c[name] for name in _NAMES)
_AT_PLACE = (
    select(_rate)
    .where(
        _rate.c.country == bindparam("of"),
        _rate.c.region.in_(bindparam("regions", expanding=True)),
        _rate.c.postal_prefix.in_(bindparam("prefixes", expanding=True)),
        _rate.c.valid_from <= bindparam("on"),
    )
    .order_by(*_KEY)
)
_OF_CATEGORY = select(_rate.c.category).where(_rate.c.category == bindparam("of")).limit(1)


def put(session: Session, rate: TaxRate, who: str, now: datetime, expected: int | None = None) -> TaxRate:
    """Store a rate, replacing one of the same place, category and day; gives it with its version. Refused VERSION_STALE."""
    text = _GOODS if rate.rate is None else f"{rate.rate:f}"
    values = {"rate": text, "reason": rate.reason, "changed_at": now, "changed_by": who}
    return replace(rate, version=versioned.put(session, _rate, _key(rate), values, expected))


def find(session: Session, like: TaxRate) -> TaxRate | None:
    """The stored rate of the same place, category and day; None when there is none."""
    is_it = [_rate.c[name] == value for name, value in _key(like).items()]
    row = session.execute(select(_rate).where(*is_it)).first()
    return _rate_of(row) if row else None


def at_place(session: Session, country: str, place: Address, on: date) -> tuple[TaxRate, ...]:
    """The rates of a country that apply to a place in it and have begun by a day; there may be one for every postal code."""
    code = place.postal_code
    where = {"regions": ["", place.region.upper()], "prefixes": [code[:end] for end in range(len(code) + 1)]}
    rows = session.execute(_AT_PLACE, {"of": country, "on": on.isoformat(), **where})
    return tuple(_rate_of(row) for row in rows)


def is_category(session: Session, category: str) -> bool:
    """Whether some place has a rate for a category."""
    return session.execute(_OF_CATEGORY, {"of": category}).first() is not None


def page(session: Session, *, after: TaxRateKey | None = None, limit: int = 100) -> list[TaxRate]:
    """Rates by place, category and first day, behind `after`."""
    query = select(_rate).order_by(*_KEY).limit(limit)
    if after is not None:
        query = query.where(tuple_(*_KEY) > after)
    return [_rate_of(row) for row in session.execute(query)]


def _key(rate: TaxRate) -> dict[str, str]:
    return dict(zip(_NAMES, rate.key, strict=True))


def _rate_of(row: Any) -> TaxRate:
    return TaxRate(
        country=row.country,
        category=row.category,
        valid_from=date.fromisoformat(row.valid_from),
        rate=None if row.rate == _GOODS else Decimal(row.rate),
        region=row.region,
        postal_prefix=row.postal_prefix,
        reason=row.reason,
        version=row.version,
    )
