"""Counts that orders lost by, until their shipments have heard of it: whoever counted sees to that, and a sweep where they could not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from services.inventory.domain.counting import LosingOrder, OpenCount, ShortUnits
from services.inventory.store import backorders, counts, reservations
from services.kernel.errors import NotFound


def listed(session: Session, count_id: str, limit: int) -> list[tuple[OpenCount, tuple[LosingOrder, ...]]]:
    """Open counts, the oldest first, each with what is covered now of the orders that lost by it."""
    return [(one, tuple(_losing(session, one))) for one in counts.open_counts(session, count_id, limit)]


def _losing(session: Session, count: OpenCount) -> Iterator[LosingOrder]:
    for order_id in dict.fromkeys(one.order_id for one in count.lost):
        theirs = [one for one in count.lost if one.order_id == order_id]
        held, shipped = reservations.of_order(session, order_id)
        units: Counter[str] = Counter()
        for part in (*held, *shipped):
            if part.warehouse_id == count.warehouse_id:
                units[part.line_id] += part.quantity
        is_waiting = any(one.quantity for one, _ in backorders.lines_of_order(session, order_id))
        is_whole = is_waiting and any(one.is_whole_order for one in theirs)
        short = ShortUnits(count.shipment_id, theirs[0].line_id, theirs[0].quantity) if count.shipment_id else None
        yield LosingOrder(order_id, is_whole, {one.line_id: units[one.line_id] for one in theirs}, short)


def close(session: Session, count_id: str, now: datetime) -> None:
    """What the count took is out of its shipments; a repeat is nothing. NotFound COUNT_UNKNOWN."""
    if not counts.close(session, count_id, now):
        raise NotFound("COUNT_UNKNOWN", f"there is no count {count_id!r}")
