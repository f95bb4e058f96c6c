"""What a change that people have not settled holds back of an accepted order, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.orders.domain.amendment import below_minimum
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


_DONE_FOR_GOOD = frozenset({"LINE_PICKED", "BELOW_PICKED", "BELOW_INVOICED", "PRICE_FIXED", "SPLIT_FIXED"})
"""Obstacles that stay, whatever the warehouse does next; an address is only fixed until what is there has left."""


def overtaken_by(order: Order, becomes: Order, change: ChangeOrder, progress: Progress) -> tuple[str, ...]:
    """What the warehouse has done that makes the change impossible for good, in sentences; empty while it may still come about."""
    return tuple(_overtaken_by(order, becomes, change, progress))


def _overtaken_by(order: Order, becomes: Order, change: ChangeOrder, progress: Progress) -> Iterator[str]:
    has_all_left = all(
        progress.lines.get(line.line_id, LineProgress()).shipped >= line.quantity for line in order.lines
    )
    if has_all_left and change.kinds and set(change.kinds) <= _OF_ALL_LINES | {"last_day"}:
        yield "everything has shipped already, so nothing is left to go elsewhere or on another day"
    yield from (one.sentence for one in below_minimum(order, becomes, progress) if one.code in _DONE_FOR_GOOD)
