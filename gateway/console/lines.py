"""The lines of an order on a page: so many at a time, and where the others are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from services.kernel.bounds import MAX_LINES
from services.orders.domain.mails import Promise
from services.orders.domain.order import Line
from services.orders.domain.projection import LineQuantities
from services.orders.order.aggregate import OrderAggregate

LINES = 200
"""Lines that a page shows at a time, and a form changes at a time."""

FirstLine = Annotated[
    int, Query(alias="line", ge=1, le=MAX_LINES, description="A line: the page that has it is shown.")
]


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line, how far it has come, and day → units promised for it, the earliest first, units without a day last."""

    line: Line
    reached: LineQuantities
    promises: dict[str, int]


@dataclass(frozen=True, slots=True)
class LinePage:
    """Lines in their order from the `first` on, LINES at most, of the `count` that the order has."""

    rows: Sequence[ShownLine]
    first: int
    count: int

    @property
    def last(self) -> int:
        """The place of the last line that is shown."""
        return self.first + len(self.rows) - 1

    @property
    def more(self) -> int:
        """How many lines are behind it."""
        return self.count - self.last


def shown_lines(found: OrderAggregate, first: int = 1) -> LinePage:
    """The page of lines that has the `first`, or the last page, each line with its quantities and promises."""
    lines = found.order.lines
    start = (min(first, max(len(lines), 1)) - 1) // LINES * LINES
    shown = lines[start : start + LINES]
    reached, promised = found.lines(), _promised(found.promises, {line.line_id for line in shown})
    rows = [ShownLine(line, reached[line.line_id], promised[line.line_id]) for line in shown]
    return LinePage(rows, start + 1, len(lines))


def _promised(promises: Iterable[Promise], line_ids: set[str]) -> dict[str, dict[str, int]]:
    """Line id → day → units, of these lines."""
    by_line: dict[str, dict[str, int]] = {line_id: {} for line_id in line_ids}
    for promise in sorted(promises, key=lambda each: each.promised_on or "~"):
        if promise.line_id in by_line:
            by_day = by_line[promise.line_id]
            by_day[promise.promised_on] = by_day.get(promise.promised_on, 0) + promise.quantity
    return by_line
