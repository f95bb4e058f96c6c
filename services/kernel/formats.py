"""Days, instants and amounts as people read them: one value for a company's formats, so that pages and mails agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from services.kernel.clock import business_day
from services.kernel.money import Money
from services.kernel.tax import FREIGHT_UNTAXED, TaxPart, TaxRow, summary

DateOrder = Literal["mdy", "dmy", "ymd"]
Clock = Literal["12h", "24h"]
_LONGEST_PERCENT = len("12.3456")


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


@dataclass(frozen=True, slots=True)
class TaxLine:
    """A line of a document's sums: what tax it is, why nothing is charged where a reason was kept, and the tax."""

    name: str
    reason: str
    tax: Money


def tax_lines(parts: Sequence[TaxPart], currency: str) -> list[TaxLine]:
    """The tax of a document, a line for each rate and for what is not taxed for a reason; one of zero where nothing is taxed.

    What is zero rated is said beside what is taxed. That freight is not taxed goes without saying.
    """
    rows = summary(parts)
    has_rate = any(row.kind.rate for row in rows)
    shown = [
        row for row in rows if row.kind.rate or row.tax.minor or _says_why(row) or (has_rate and not row.kind.reason)
    ]
    lines = [TaxLine(_tax_name(row), row.kind.reason, row.tax) for row in shown]
    return lines or [TaxLine("Tax", "", Money.zero(currency))]


def _says_why(row: TaxRow) -> bool:
    return row.kind.reason not in ("", FREIGHT_UNTAXED)


def _tax_name(row: TaxRow) -> str:
    """Tax with its rate and what it is on; a channel's own tax has no rate that anybody knows."""
    percent = f"{(row.kind.rate * 100).normalize():f}"
    if len(percent) > _LONGEST_PERCENT or not row.is_explained:
        return "Tax"
    if not row.kind.rate and row.kind.reason:
        return f"Not taxed: {amount(row.net)}"
    return f"Tax {percent}% of {amount(row.net)}"
