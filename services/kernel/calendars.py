"""Business hours and working days: when a deadline falls, and when a plant is ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.kernel.clock import business_day

ALWAYS_NAME = "always"
_LONGEST_DAYS = 8_000
"""Days that are looked through: a year of working days where only one in the week is one, and as many of those are off."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days (0 is Monday) with their hours in a time zone, less `holidays`.

    `always` counts every hour of every day; a calendar without a working day is refused where policies are read.
    """

    name: str
    time_zone: str = "UTC"
    days: frozenset[int] = frozenset(range(7))
    opens: time = time(0, 0)
    closes: time = time(0, 0)
    holidays: frozenset[date] = frozenset()

    @property
    def is_always(self) -> bool:
        """Whether every hour counts."""
        return self.opens == self.closes and len(self.days) == 7 and not self.holidays

    def is_working_day(self, day: date) -> bool:
        """Whether people or a plant work on a day."""
        return day.weekday() in self.days and day not in self.holidays


ALWAYS = Calendar(ALWAYS_NAME)


def after_hours(calendar: Calendar, start: datetime, hours: int) -> datetime:
    """The UTC instant when so many business hours have passed since `start`.

    Hours outside opening times do not count; 0 hours outside them is the next opening. A day that opens and closes at the
    same time is open all day.
    """
    left = timedelta(hours=hours)
    if calendar.is_always:
        return (start + left).astimezone(UTC)
    zone = ZoneInfo(calendar.time_zone)
    today = business_day(start, zone)
    for day in (today + timedelta(days=ahead) for ahead in range(-1, _LONGEST_DAYS)):  # a night shift began yesterday
        if not calendar.is_working_day(day):
            continue
        opens, closes = _hours_of(calendar, day, zone)
        begin = max(opens, start.astimezone(UTC))
        if begin > closes or (begin == closes and left):
            continue
        if begin + left <= closes:
            return begin + left
        left -= closes - begin
    raise ValueError(f"calendar {calendar.name} has no working day within {_LONGEST_DAYS} days")


def _hours_of(calendar: Calendar, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Opening and closing of a day as UTC instants, so that a change of the clock counts the hours that really pass."""
    opens = datetime.combine(day, calendar.opens, zone)
    ends_on = day if calendar.closes > calendar.opens else day + timedelta(days=1)
    closes = datetime.combine(ends_on, calendar.closes, zone)
    return opens.astimezone(UTC), closes.astimezone(UTC)


def after_working_days(calendar: Calendar, start: date, days: int) -> date:
    """The day when so many working days have passed since `start`, which itself does not count; never before `start`."""
    day, left = start, days
    for _ in range(_LONGEST_DAYS):
        if left <= 0:
            return day
        day += timedelta(days=1)
        if calendar.is_working_day(day):
            left -= 1
    raise ValueError(f"calendar {calendar.name} has no working day within {_LONGEST_DAYS} days")


def before_working_days(calendar: Calendar, end: date, days: int) -> date:
    """The working day from which so many working days lead to `end`; that day itself for none, and a day years ago for more than those have."""
    day, left = end, days
    for _ in range(_LONGEST_DAYS):
        if left <= 0:
            return day
        day -= timedelta(days=1)
        if calendar.is_working_day(day):
            left -= 1
    return day
