"""Business days of a country: its weekends and public holidays, from the `holidays` library."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

import holidays

from services.kernel.errors import InvalidArgument

_PLACE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,6}))?")


def check_place(place: str) -> None:
    """Refuse what names no calendar: "" (every day is a business day), "US", or "US-TX" with the part of the country."""
    if not place:
        return
    named = _PLACE.fullmatch(place)
    if not named or not _is_known(*named.groups()):
        raise InvalidArgument(
            "CALENDAR_UNKNOWN",
            f"the public holidays of {place[:20]!r} are not known: name a country such as US, or a part of it such as US-TX",
        )


def next_business_day(place: str, day: date) -> date:
    """The day itself when people of the place work on it, else the next one on which they do; "" moves nothing."""
    if not place:
        return day
    while not _calendar(place, day.year).is_working_day(day):
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=64)
def public_holidays(place: str) -> frozenset[date]:
    """The public holidays of a place, from 2020 to 2100; none of ""."""
    if not place:
        return frozenset()
    country, _, part = place.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=range(2020, 2101)))


@lru_cache(maxsize=1_000)
def _calendar(place: str, year: int) -> holidays.HolidayBase:
    """The calendar of one year; threads share it, so it learns nothing later."""
    country, _, part = place.partition("-")
    return holidays.country_holidays(country, subdiv=part or None, years=year, expand=False)


@lru_cache(maxsize=256)
def _is_known(country: str, part: str | None) -> bool:
    try:
        holidays.country_holidays(country, subdiv=part, years=2026)
    except NotImplementedError:
        return False
    return True
