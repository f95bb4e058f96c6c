"""Days, instants and amounts as people read them: one value for a company's formats, so that pages and mails agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from services.kernel.clock import business_day
from services.kernel.money import Money

DateOrder = Literal["mdy", "dmy", "ymd"]
Clock = Literal["12h", "24h"]


@dataclass(frozen=True, slots=True)
class Formats:
    """How a company writes days and times, and the zone of its clock (an IANA name).

    Months are abbreviated English words, so that nobody reads a day for a month.
    """

    time_zone: str = "UTC"
    date_order: DateOrder = "mdy"
    clock: Clock = "12h"

    def day(self, on: date) -> str:
        """The whole date: "Dec 1, 2026", "1 Dec 2026" or "2026-12-01"."""
        if self.date_order == "ymd":
            return f"{on:%Y-%m-%d}"
        return f"{on:%b} {on.day}, {on.year}" if self.date_order == "mdy" else f"{on.day} {on:%b} {on.year}"

    def short_day(self, on: date) -> str:
        """The date where the year is plain: "Dec 1", "1 Dec" or "12-01"."""
        if self.date_order == "ymd":
            return f"{on:%m-%d}"
        return f"{on:%b} {on.day}" if self.date_order == "mdy" else f"{on.day} {on:%b}"

    def time(self, at: datetime) -> str:
        """The minute of an aware instant on the company's clock, without its zone: "5:00 PM" or "17:00"."""
        local = at.astimezone(ZoneInfo(self.time_zone))
        return f"{local.hour % 12 or 12}:{local:%M} {local:%p}" if self.clock == "12h" else f"{local:%H:%M}"

    def minute(self, at: datetime) -> str:
        """Day and minute on the company's clock, without its zone: "Dec 1, 2026, 5:00 PM"."""
        return f"{self.day(business_day(at, self.time_zone))}, {self.time(at)}"

    def instant(self, at: datetime) -> str:
        """Day, minute and the zone by its abbreviation: "Dec 1, 2026, 5:00 PM CST"."""
        return f"{self.minute(at)} {self.zone(at)}"

    def zone(self, at: datetime) -> str:
        """The abbreviation of the zone at an instant: "CST", in summer "CDT"."""
        return at.astimezone(ZoneInfo(self.time_zone)).tzname() or self.time_zone


def amount(money: Money) -> str:
    """The amount with its thousands in groups, without its currency: "1,329.00" for 132900 minor units of USD."""
    return f"{money.amount:,f}"
