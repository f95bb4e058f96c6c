"""Announcements, changes and receipts of one reference at once: one receipt, no unit counted twice."""

from __future__ import annotations

from functools import partial

import pytest

from tests.inventory.stockroom import Stockroom
from tests.inventory.test_races import at_once
from tests.inventory.test_supply import change, come, receipts

pytestmark = pytest.mark.on_postgres


def test_a_reference_that_many_announce_at_once_is_one_receipt(stockroom: Stockroom) -> None:
    found = at_once([partial(stockroom.expect, "w1", "J", 10, "2026-03-20", "PO-1") for _ in range(12)])

    assert len(set(found)) == 1
    assert [one.remaining_quantity for one in receipts(stockroom)] == [10]
    assert stockroom.broken() == {}


def test_goods_that_come_while_their_day_changes_are_counted_once_and_fill_who_is_first(stockroom: Stockroom) -> None:
    """40 are announced and come in 20 parts of 2, while the day moves 10 times; 30 of them are waited for."""
    for number in range(10):
        stockroom.reserve(f"ord_{number}", {"L1": ("J", 3)}, placed_days=number)
    receipt = stockroom.expect("w1", "J", 40, "2026-03-20", "PO-1")
    parts = [partial(come, stockroom, 2, receipt=receipt) for _ in range(20)]
    days = [partial(change, stockroom, receipt, f"2026-03-{20 + day}", 40 + day) for day in range(1, 11)]

    at_once([*parts[:10], *days, *parts[10:]])
    stockroom.fill_on()

    [left] = receipts(stockroom)
    assert left.received_quantity == 40
    assert left.remaining_quantity == left.quantity - 40
    assert stockroom.stock("J") == {"w1": (40, 30)}
    assert [stockroom.held(f"ord_{number}") for number in range(10)] == [{("L1", "w1"): 3}] * 10
    assert stockroom.broken() == {}
