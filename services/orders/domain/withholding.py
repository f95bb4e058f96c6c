"""What a change that people have not settled holds back of an accepted order, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.orders.domain.changes import ChangeOrder, LineChange
from services.orders.domain.order import ACCEPTED, Line, Order
from services.orders.domain.projection import LineProgress, Progress

_OF_ALL_LINES = frozenset({"address", "date", "split"})
"""Kinds of difference that concern whatever has not left."""


def touched_lines(order: Order, change: ChangeOrder) -> frozenset[str]:
    """Ids of the order's lines that the change takes units from, replaces, prices anew, or sends to another place or day.

    More units and a new line take nothing from what was asked for: they touch no line.
    """
    if _OF_ALL_LINES & set(change.kinds):
        return frozenset(line.line_id for line in order.lines)
    asked = {one.line_id: one for one in change.request.lines if one.line_id}
    priced = {row.line_id for row in change.difference if row.kind == "price"}
    return frozenset(
        line.line_id
        for line in order.lines
        if line.line_id in priced or (line.line_id in asked and _takes_from(line, asked[line.line_id]))
    )


def _takes_from(line: Line, asked: LineChange) -> bool:
    return (asked.quantity is not None and asked.quantity < line.quantity) or asked.sku not in ("", line.sku)


def withheld_lines(order: Order, change: ChangeOrder | None) -> frozenset[str]:
    """Ids of the lines that get no new release now; none without a change that still holds them back."""
    return touched_lines(order, change) if change is not None and change.is_withholding else frozenset()


def withholds_until(
    order: Order, progress: Progress, change: ChangeOrder, span: timedelta, now: datetime
) -> datetime | None:
    """Until when a change that is proposed now holds lines back; None when it holds back nothing.

    An order that nobody has accepted releases nothing anyway, and what the warehouses have already is not held back.
    """
    if order.phase != ACCEPTED or not span:
        return None
    touched = touched_lines(order, change)
    to_come = (
        line
        for line in order.lines
        if progress.lines.get(line.line_id, LineProgress()).released < line.quantity and line.line_id in touched
    )
    return now + span if any(to_come) else None
