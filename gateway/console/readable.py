"""Amounts, quantities, days and instants as people read them, in the company's formats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from markupsafe import Markup

from gateway.http.plumbing.shapes import MoneyShape
from services.kernel import formats as kernel
from services.kernel.clock import business_day
from services.kernel.formats import Formats
from services.kernel.money import Money, UnitPrice

_AMOUNT = re.compile(r"(?<![\d.])\d{4,15}(?=(\.\d+)? [A-Z]{3}\b)")
_DAY = re.compile(r"\b\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b")

amount = kernel.amount


def price(unit: UnitPrice) -> str:
    """3,640.00: what a unit costs, in groups of three, with all its decimals."""
    return f"{Decimal(unit.text):,f}"


def number(value: int) -> str:
    """12,500: a quantity or a count, in groups of three."""
    return f"{value:,}"


def grouped(text: str) -> str:
    """A sentence with the thousands of its amounts in groups: "24900.00 USD" reads "24,900.00 USD"."""
    return _AMOUNT.sub(lambda found: f"{int(found.group()):,}", text)


def minor(units: int, currency: str) -> Money:
    """Minor units as money."""
    return Money(units, currency)


def money(shown: MoneyShape) -> Money:
    """Money as the API shows it."""
    return Money.parse(shown.amount, shown.currency)


def instant(value: datetime | str) -> datetime:
    """An instant, also from the ISO text that facts carry."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def iso(value: datetime | date | str) -> str:
    """For the datetime attribute."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value if isinstance(value, str) else value.isoformat()


def span(seconds: float) -> str:
    """3 h: the largest unit alone, as a glance needs it."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def since(moment: datetime, now: datetime) -> str:
    """How long ago."""
    return span(max((now - moment).total_seconds(), 0))


def until(moment: datetime, now: datetime) -> str:
    """in 21 h, or 3 h late."""
    seconds = (moment - now).total_seconds()
    return f"in {span(seconds)}" if seconds >= 60 else f"{span(-seconds)} late"


@dataclass(frozen=True, slots=True)
class Readable:
    """Days and instants in a company's formats; the script file rewrites the `time` elements to the reader's own zone."""

    formats: Formats

    def when(self, value: datetime | str) -> str:
        """Day and minute on the company's clock; its zone is named once on the page."""
        return self.formats.minute(instant(value))

    def day(self, value: date | str) -> str:
        """The whole date; an instant with its time."""
        if isinstance(value, datetime):
            return self.when(value)
        return self.formats.day(date.fromisoformat(value[:10]) if isinstance(value, str) else value)

    def day_only(self, value: str) -> str:
        """The date where the year is plain."""
        return self.formats.short_day(date.fromisoformat(value))

    def moment(self, value: datetime | date | str) -> Markup:
        """A `time` element that shows an instant, or a day, which is the same in every zone."""
        if isinstance(value, str):
            value = instant(value)
        if not isinstance(value, datetime):
            return Markup('<time datetime="{}">{}</time>').format(iso(value), self.day(value))
        return Markup('<time datetime="{}" data-local="text">{}</time>').format(iso(value), self.when(value))

    def ago(self, value: date, words: str, *, is_late: bool = False) -> Markup:
        """A `time` element that shows these words, and the instant to whoever points at it."""
        marked = Markup('<time datetime="{}" title="{}"{}{}>{}</time>')
        late = Markup(' class="late"') if is_late else ""
        local = Markup(' data-local="title"') if isinstance(value, datetime) else ""
        return marked.format(iso(value), self.day(value), local, late, words)

    def sentence(self, text: str) -> str:
        """A sentence of ours with its amounts in groups and its ISO days as the company writes them."""
        return _DAY.sub(lambda found: self._day_in(found.group()), grouped(text))

    def due(self, on: date, now: datetime) -> str:
        """in 21 h, or 3 h late, for an instant; in 3 d, today, 2 d late, for a day."""
        if isinstance(on, datetime):
            return until(on, now)
        days = (on - self._today(now)) // timedelta(days=1)
        return "today" if days == 0 else (f"in {days} d" if days > 0 else f"{-days} d late")

    def is_late(self, on: date, now: datetime) -> bool:
        """Whether the instant, or the whole day, is over."""
        return on < now if isinstance(on, datetime) else on < self._today(now)

    def _today(self, now: datetime) -> date:
        return business_day(now, self.formats.time_zone)

    def _day_in(self, text: str) -> str:
        try:
            return self.formats.day(date.fromisoformat(text))
        except ValueError:  # February 30 in what somebody else wrote
            return text
