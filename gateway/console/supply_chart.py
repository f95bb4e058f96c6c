"""The chart of what comes of a SKU: a bar a receipt, as high as its units, with those that wait for it set apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gateway.http.neighbors.outlook import Outlook

WIDTH, HEIGHT, FLOOR = 600, 120, 100
_BAR = 16
_MOST = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """A receipt: where it stands, how high its free and its taken units are, its day and what it says."""

    x: int
    free_y: int
    free_height: int
    taken_y: int
    taken_height: int
    day: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from today to the last day."""

    bars: tuple[Bar, ...]
    first: str
    last: str


def supply_chart(outlook: Outlook) -> Chart | None:
    """The chart of the first receipts; None where nothing comes."""
    shown = outlook.receipts[:_MOST]
    if not shown:
        return None
    today = date.fromisoformat(outlook.atp[0].day)
    last = date.fromisoformat(shown[-1].due_on)
    span = max(1, (last - today).days)
    most = max(one.remaining_quantity for one in shown)
    bars = []
    for one in shown:
        whole = max(2, FLOOR * one.remaining_quantity // most)
        taken = whole * one.taken_quantity // one.remaining_quantity
        x = (WIDTH - _BAR) * (date.fromisoformat(one.due_on) - today).days // span
        text = f"{one.due_on}: {one.remaining_quantity:,} of {one.reference}, {one.taken_quantity:,} taken"
        bars.append(Bar(x, FLOOR - whole, whole - taken, FLOOR - taken, taken, one.due_on, text))
    return Chart(tuple(bars), today.isoformat(), last.isoformat())
