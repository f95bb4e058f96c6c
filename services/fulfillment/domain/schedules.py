"""When a warehouse works: its days, its cut-off, and how many units it handles a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from services.fulfillment.domain.workdays import HANDLING_DAYS, add_working_days, promised_on
from services.kernel.calendars import Calendar, after_working_days
from services.kernel.clock import business_day

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_CLOSED_DAYS = 366
MOST_DAYS_BEHIND = 365
"""Days that a full warehouse is behind, at most: beyond that nobody can plan."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A warehouse's working days by its own clock, 0 is Monday, less `closed_on` and the public holidays of `holidays_of` ("US-TX").

    What comes after the `cut_off` begins on the next working day; None never cuts off. `daily_units` None is as many as come.
    """

    warehouse_id: str
    time_zone: str = "UTC"
    days: frozenset[int] = frozenset(range(5))
    holidays_of: str = ""
    closed_on: tuple[date, ...] = ()
    cut_off: time | None = None
    daily_units: int | None = None
    version: int = field(default=0, compare=False)
    holidays: frozenset[date] = field(default=frozenset(), compare=False)
    calendar: Calendar = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """The days on which anybody works there, put together once: they are asked for by each way of each quote."""
        off = self.holidays | {*self.closed_on}
        calendar = Calendar(self.warehouse_id, self.time_zone, self.days, holidays=off)
        object.__setattr__(self, "calendar", calendar)

    def after(self, day: date, count: int) -> date:
        """The working day that comes `count` working days after `day`; `day` itself, or the first one behind it, for none."""
        return after_working_days(self.calendar, day - timedelta(days=1), count + 1)


@dataclass(frozen=True, slots=True)
class Start:
    """The day on which a warehouse takes up an order that comes now, and why that is not today; empty when it is."""

    day: date
    why: str = ""

    @property
    def words(self) -> str:
        """For people: when it begins and why so late; empty when it begins today."""
        return f"begins on {self.day.isoformat()}: {self.why}" if self.why else ""


def start(schedule: Schedule, now: datetime, waiting: int, units: int) -> Start:
    """When it takes up so many units that come now, behind those that are `waiting` to leave."""
    zone = ZoneInfo(schedule.time_zone)
    today = business_day(now, zone)
    day, reasons = today, list[str]()
    if not schedule.calendar.is_working_day(today):
        day = schedule.after(today, 0)
        reasons.append(f"it is closed on {today.isoformat()}")
    elif schedule.cut_off and now.astimezone(zone).time() >= schedule.cut_off:
        day = schedule.after(today, 1)
        reasons.append(f"its cut-off at {schedule.cut_off:%H:%M} has passed")
    behind = _days_behind(schedule, waiting, units)
    if behind:
        day = schedule.after(day, behind)
        reasons.append(f"it handles {schedule.daily_units:,} units a day, and {waiting:,} are before these {units:,}")
    return Start(day, ", and ".join(reasons))


def _days_behind(schedule: Schedule, waiting: int, units: int) -> int:
    """Whole days of work before the last of these units."""
    if schedule.daily_units is None:
        return 0
    return min(max(0, waiting + units - 1) // schedule.daily_units, MOST_DAYS_BEHIND)


def promised_by(schedule: Schedule, starts_on: date, transit_days: int) -> date:
    """The day that a shipment is promised for: handling on the warehouse's working days, then the carrier's days, Monday to Friday."""
    return add_working_days(schedule.after(starts_on, HANDLING_DAYS), transit_days)


Schedules = Mapping[str, Schedule]
"""Warehouse id → its schedule; one that has none works Monday to Friday, whatever the hour."""


class _From(Protocol):
    """A way from a warehouse that takes so many days."""

    @property
    def warehouse_id(self) -> str: ...
    @property
    def transit_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Timing:
    """When warehouses take up what comes now, behind what they have: warehouse id → units that are waiting to leave."""

    schedules: Schedules
    waiting: Mapping[str, int]
    now: datetime

    def start(self, warehouse_id: str, units: int) -> Start | None:
        """When it takes up so many units; None for a warehouse without a schedule, which does at once."""
        schedule = self.schedules.get(warehouse_id)
        return start(schedule, self.now, self.waiting.get(warehouse_id, 0), units) if schedule else None

    def promised_on(self, way: _From, today: date, units: int) -> date:
        """The day that so many units are promised for by a way; `today` is the company's business day."""
        begins = self.start(way.warehouse_id, units)
        if begins is None:
            return promised_on(today, way.transit_days)
        return promised_by(self.schedules[way.warehouse_id], begins.day, way.transit_days)
