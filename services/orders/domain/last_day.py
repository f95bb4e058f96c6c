"""The last day to ship, as a change moves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from services.orders.domain.order import Order


def unsound_last_day(before: Order, after: Order, today: date) -> Iterator[tuple[str, str]]:
    """Code and sentence of what stands against a day that is moved: it is over, or before the day on which the order is wanted."""
    last = after.cancel_after
    if last is None or last == before.cancel_after:
        return
    if last < today:
        yield "CANCEL_AFTER_PAST", f"the last day to ship would be {last} and today is {today}: name a later one"
    if after.requested_on is not None and last < after.requested_on:
        sentence = f"the last day to ship would be {last}, before the requested day {after.requested_on}: move both"
        yield "CANCEL_AFTER_BEFORE_REQUESTED", sentence
