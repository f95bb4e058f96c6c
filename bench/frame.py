"""(e) The frame: the life of part (a) with nothing behind the calls, so what is left of (a) is what our rooms themselves cost."""

from __future__ import annotations

import time
from typing import Any

from bench.cpu import CpuSpan
from bench.door import Door
from bench.life import Board
from bench.order_to_cash import WARM, bare, per_order, run
from bench.system import system


def measure(orders: int, at_once: int) -> dict[str, Any]:
    """A system of empty rooms with a Temporal server of its own: the baseline, the frame, the baseline again."""
    with system(("bench.rooms", "up")) as running:
        door = Door(running.url, running.var)
        with Board(door) as board:
            run(door, board, WARM, at_once)
            before = bare(running, orders, at_once)
            span = CpuSpan.with_driver(running.processes())
            began = time.perf_counter()
            run(door, board, orders, at_once)
            took = time.perf_counter() - began
            spent = per_order(span.spent(), orders)
        after = bare(running, orders, at_once)
    baseline = (before["orders_per_s"] + after["orders_per_s"]) / 2
    return {
        "orders": orders,
        "at_once": at_once,
        "orders_per_s": round(orders / took, 2),
        "baseline_orders_per_s": round(baseline, 2),
        "ratio": round(orders / took / baseline, 3),
        "cpu_ms_per_order": spent,
        "baseline_after": after,
    }
