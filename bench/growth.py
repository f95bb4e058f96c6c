"""(d) What grows: latency and history with the lines of an order, a change with those it adds, latency with the number of open orders.

Latencies are also ratios to the first row, which was measured in the same run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from temporalio.client import Client

from bench import changing
from bench.door import Door
from bench.figures import milliseconds, ratios, spread_ms
from bench.life import Board, live, place
from bench.order_to_cash import LINES
from bench.parallel import for_each
from bench.system import System
from workflows.names import order_workflow_id

LINE_COUNTS = (1, 10, 100)
_AT_ONCE = 12
_HISTORIES_WITHIN_S = 60.0


def measure(system: System, door: Door, samples: int, open_orders: Sequence[int]) -> dict[str, Any]:
    """By lines, of a change, by open orders (ascending counts); so many whole lives or changes, and four times as many POSTs, a figure."""
    by_lines, change = _by_lines(system, door, samples), changing.measure(door, samples)
    return {"by_lines": by_lines, "change": change, "by_open_orders": _by_open_orders(door, 4 * samples, open_orders)}


def _by_lines(system: System, door: Door, samples: int) -> list[dict[str, Any]]:
    found = []
    with Board(door) as board:
        for lines in LINE_COUNTS:
            lived = [live(door, board, lines) for _ in range(samples)]
            sizes = asyncio.run(_histories(system, [each.number for each in lived]))
            found.append(
                {
                    "lines": lines,
                    "place_ms": milliseconds(median(each.placed_s for each in lived)),
                    "life_ms": milliseconds(median(each.life_s for each in lived)),
                    "history_events": max(events for events, _ in sizes),
                    "history_bytes": max(count for _, count in sizes),
                }
            )
    return _with_ratios(found, "place_ms")


async def _histories(system: System, numbers: Sequence[str]) -> list[tuple[int, int]]:
    """Events and bytes of each order's history."""
    async with asyncio.timeout(_HISTORIES_WITHIN_S):
        client = await Client.connect(system.temporal)
        histories = [await client.get_workflow_handle(order_workflow_id(each)).fetch_history() for each in numbers]
    return [(len(each.events), sum(event.ByteSize() for event in each.events)) for each in histories]


def _by_open_orders(door: Door, posts: int, targets: Sequence[int]) -> list[dict[str, Any]]:
    found = []
    opened = 0
    for target in targets:
        began = time.perf_counter()
        more = max(0, target - opened)
        for_each(lambda _: place(door, LINES), range(more), _AT_ONCE)
        took = time.perf_counter() - began
        opened = target + posts
        rate = round(more / took, 1) if more else None
        found.append({"open_orders": target, "placed_per_s": rate, **spread_ms(_posts(door, posts))})
    return _with_ratios(found, "p50_ms")


def _with_ratios(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [{**row, "ratio": ratio} for row, ratio in zip(rows, ratios([row[name] for row in rows]), strict=True)]


def _posts(door: Door, count: int) -> list[float]:
    latencies = []
    for _ in range(count):
        began = time.perf_counter()
        place(door, LINES)
        latencies.append(time.perf_counter() - began)
    return latencies
