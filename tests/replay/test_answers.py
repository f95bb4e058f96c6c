"""An engineer who has nothing but an order's stored history finds in it who decided, where from, at what cost and what is missing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from temporalio.client import WorkflowHistory

from tests import history_reader
from tests.replay.record import HISTORIES
from tests.replay.test_replay import read


async def stored(name: str) -> WorkflowHistory:
    return await asyncio.to_thread(read, HISTORIES / f"{name}.json")


async def test_a_history_says_who_approved_which_tier_when_and_with_what_word() -> None:
    first, second = history_reader.decisions(await stored("approved"))

    assert (first.who, first.what) == ("Max Manager", "approved: manager approval (tier 1)")
    assert (second.who, second.what) == (
        "Fay Finance for Dan Director",
        "approved: finance director approval (tier 2)",
    )
    assert datetime(2026, 11, 1, tzinfo=UTC) < first.at < second.at


async def test_a_history_says_which_warehouses_ship_how_many_shipments_at_what_cost() -> None:
    history = await stored("to_cash")

    (reserved,) = history_reader.answers(history, "inventory.ReserveStock")
    (released,) = history_reader.answers(history, "fulfillment.ReleaseShipments")
    (left,) = history_reader.answers(history, "inventory.ShipStock")

    assert reserved["sources"] == [
        "7 units from wh_dallas, quoted 312.40 USD for the whole order",
        "3 units from wh_reno, quoted 400.00 USD for the whole order",
    ]
    assert (released["shipments"], released["what"]) == (1, ["SH-1001: 10 units from wh_dallas"])
    assert left["note"] == "SH-1001 left wh_dallas with ups, freight 23.40 USD"


async def test_a_history_says_what_exactly_is_missing() -> None:
    (reserved,) = history_reader.answers(await stored("backordered"), "inventory.ReserveStock")

    assert reserved["missing"] == ["5 of PUMP-100, expected 2026-12-08"]


async def test_a_timer_reads_as_its_purpose() -> None:
    (timer,) = history_reader.timers(await stored("approved"))

    assert timer.startswith("Reminder: manager approval of SO-")
