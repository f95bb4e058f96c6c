"""The chart of what comes of a SKU: a bar a day, as high as its units, with those that orders wait for set apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

from gateway.http.neighbors.outlook import Outlook, OutlookReceiptShape

WIDTH, HEIGHT, FLOOR = 600, 120, 100
_BAR = 16
_MOST = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """A day: where it stands, how high its free and its taken units are, and what it says."""

    x: int
    free_y: int
    free_height: int
    taken_y: int
    taken_height: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from today to the last day."""

    bars: tuple[Bar, ...]
    first: str
    last: str


def supply_chart(outlook: Outlook) -> Chart | None:
    """The chart of the first receipts, the first to come first; None where nothing comes."""
    due = attrgetter("due_on")
    by_day = {day: list(some) for day, some in groupby(sorted(outlook.receipts[:_MOST], key=due), due)}
    if not by_day:
        return None
    today, last = date.fromisoformat(outlook.atp[0].day), date.fromisoformat(max(by_day))
    span = max(1, (last - today).days)
    units = {day: sum(one.remaining_quantity for one in some) for day, some in by_day.items()}
    most = max(units.values())
    bars = []
    for day, some in by_day.items():
        whole = max(2, FLOOR * units[day] // most)
        taken = whole * sum(one.taken_quantity for one in some) // units[day]
        x = (WIDTH - _BAR) * (date.fromisoformat(day) - today).days // span
        bars.append(Bar(x, FLOOR - whole, whole - taken, FLOOR - taken, taken, _text(day, some)))
    return Chart(tuple(bars), today.isoformat(), last.isoformat())


def _text(day: str, some: Sequence[OutlookReceiptShape]) -> str:
    parts = (f"{one.remaining_quantity:,} of {one.reference}, {one.taken_quantity:,} taken" for one in some)
    return f"{day}: {'; '.join(parts)}"
