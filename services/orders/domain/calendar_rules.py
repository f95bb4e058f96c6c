"""Calendars as a policy names them: working hours, and a country whose public holidays are free."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.calendars import ALWAYS_NAME
from services.kernel.errors import InvalidArgument
from services.orders.domain import policy_text as read
from services.orders.domain.policy_text import invalid

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BUSINESS = "business"
PLANT = "plant"
"""The calendar that promises of the plant are counted in, when the policy has one of this name."""
WAREHOUSE = "warehouse"
"""The calendar that goods move by, when the policy has one of this name; else business days count."""
MAX_CALENDARS = 50
MAX_HOLIDAYS = 500
_COUNTRY = re.compile(r"([A-Z]{2})?")
_SUBDIVISION = re.compile(r"[A-Z0-9-]{0,10}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """Working days and hours in a time zone; `country` and `subdivision` (ISO 3166) add public holidays to `holidays`.

    Opening and closing at the same time is open all day.
    """

    name: str
    time_zone: str = "UTC"
    days: tuple[str, ...] = WEEKDAYS[:5]
    opens: time = time(9)
    closes: time = time(17)
    country: str = ""
    subdivision: str = ""
    holidays: tuple[date, ...] = ()


USUAL = CalendarRule(BUSINESS)
"""Business hours when none are set: Monday to Friday, 9 to 17 UTC."""


def parse_calendars(value: object) -> tuple[CalendarRule, ...]:
    """The calendars by name, `business` among them; `always` counts every hour and cannot be redefined."""
    if not isinstance(value, dict) or len(value) > MAX_CALENDARS:
        raise invalid("calendars", f"must be an object of at most {MAX_CALENDARS} calendars by name")
    found = {USUAL.name: USUAL}
    for name, rule in value.items():
        word = read.word(name, "calendars")
        if word == ALWAYS_NAME:
            raise invalid(f"calendar {word}", "this name counts every hour and is taken")
        found[word] = _calendar(word, rule)
    return tuple(found[name] for name in sorted(found))


def _calendar(name: str, value: object) -> CalendarRule:
    where = f"calendar {name}"
    known = ("time_zone", "days", "opens", "closes", "country", "subdivision", "holidays")
    row = read.members(value, where, known)
    days = tuple(
        read.one_of(day, f"{where}: days", WEEKDAYS) for day in read.rows(row.get("days", WEEKDAYS[:5]), where, 7)
    )
    if not days:
        raise invalid(where, "at least one day is a working day")
    country = read.words(row.get("country", ""), f"{where}: country")
    subdivision = read.words(row.get("subdivision", ""), f"{where}: subdivision")
    if not _COUNTRY.fullmatch(country) or not _SUBDIVISION.fullmatch(subdivision) or (subdivision and not country):
        raise invalid(where, "country is ISO 3166 such as US, subdivision a part of it such as TX")
    free = read.rows(row.get("holidays", ()), f"{where}: holidays", MAX_HOLIDAYS)
    return CalendarRule(
        name=name,
        time_zone=_zone(row.get("time_zone", "UTC"), where),
        days=tuple(day for day in WEEKDAYS if day in days),
        opens=_time(row.get("opens", "09:00"), f"{where}: opens"),
        closes=_time(row.get("closes", "17:00"), f"{where}: closes"),
        country=country,
        subdivision=subdivision,
        holidays=tuple(sorted({_day(day, where) for day in free})),
    )


def _zone(value: Any, where: str) -> str:
    try:
        return ZoneInfo(read.words(value, f"{where}: time_zone")).key
    except (KeyError, ValueError, OSError) as unknown:
        if isinstance(unknown, InvalidArgument):
            raise
        raise invalid(where, "time_zone is an IANA name such as America/Chicago") from unknown


def _time(value: object, where: str) -> time:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise invalid(where, "write a time as 09:00")
    return time.fromisoformat(value)


def _day(value: object, where: str) -> date:
    try:
        return date.fromisoformat(read.words(value, where)) if not isinstance(value, date) else value
    except ValueError as unreadable:
        raise invalid(where, "write holidays as 2026-12-25") from unreadable
