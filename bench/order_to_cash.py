"""(a) What an order costs from placed to paid, in CPU milliseconds by process, beside its frame.

Ours is the whole system. The frame (`bench/stub_services.py`) is the same life through the same HTTP requests, gRPC calls, workflow, worker and
Temporal with nothing behind the calls: no rule, database, fact or mail. What lies between them is what better code of the services can save.
Every run has a system of its own that was just started, and while it runs it is the only one, so each begins with the same empty databases and
nothing else of ours uses the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import company
from bench.cpu import CpuSpan
from bench.door import Door
from bench.figures import milliseconds, percentile
from bench.life import Board, Lived, live
from bench.machine import LoadSpan
from bench.pairs import Run, in_turn, summary
from bench.parallel import for_each
from bench.system import System, system

LINES = 3
WARM = 20
FRAME = ("bench.stub_services", "up")
_MAILS_WITHIN_S = 60.0


def measure(pairs: int, orders: int, at_once: int, say: Callable[[str], None]) -> dict[str, Any]:
    """So many pairs of runs in turn, each of so many orders."""

    def ours(number: int) -> Run:
        say(f"(a) pair {number} of {pairs}: {orders} orders through our system, {at_once} at once")
        with system() as running:
            door = Door(running.url, running.var)
            company.load_company(door)
            return _run(running, door, orders, at_once)

    def frame(number: int) -> Run:
        say(f"(a) pair {number} of {pairs}: the same through the frame")
        with system(FRAME) as running:
            return _run(running, Door(running.url, running.var), orders, at_once)

    sizes = {"orders": orders, "at_once": at_once, "lines_per_order": LINES}
    return {**sizes, **summary(in_turn(pairs, ours, frame))}


def _run(running: System, door: Door, orders: int, at_once: int) -> Run:
    with Board(door) as board:
        lives(door, board, WARM, at_once)
        door.requests.clear()
        machine, span = LoadSpan(), CpuSpan.with_driver(running.processes())
        began = time.perf_counter()
        lived = lives(door, board, orders, at_once)
        took = time.perf_counter() - began
    lag_s = _until_mailed(running.var)
    also = {
        "orders_per_s": orders / took,
        "life_p50_ms": milliseconds(percentile([each.life_s for each in lived], 50)),
        "post_p50_ms": milliseconds(percentile([each.placed_s for each in lived], 50)),
        "mails_lag_s": lag_s,
        "http_requests": door.requests.total() / orders,
    }
    cpu_ms = {name: seconds * 1000 / orders for name, seconds in span.spent().items()}
    return Run(cpu_ms, machine.load(), also)


def lives(door: Door, board: Board, orders: int, at_once: int) -> list[Lived]:
    """So many whole lives, `at_once` under way."""
    return for_each(lambda _: live(door, board, LINES), range(orders), at_once)


def _until_mailed(var: Path) -> float:
    """Seconds until the mail sink has got nothing new for a second: what the mails lag behind the orders."""
    began = time.perf_counter()
    folder, seen, since = var / "mail", -1, began
    while time.perf_counter() - began < _MAILS_WITHIN_S:
        count = len(list(folder.glob("*.eml")))
        if count != seen:
            seen, since = count, time.perf_counter()
        elif time.perf_counter() - since > 1:
            break
        time.sleep(0.1)
    return since - began
