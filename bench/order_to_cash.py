"""(a) Orders per second from placed to paid with everything on, beside the bare baseline on the same Temporal server."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import baseline
from bench.cpu import CpuSpan
from bench.door import Door
from bench.figures import spread_ms
from bench.life import Board, Lived, live
from bench.system import System, baseline_worker

TARGET_RATIO = 0.8
LINES = 3
WARM = 10
_MAILS_WITHIN_S = 60.0


def measure(system: System, door: Door, orders: int, at_once: int) -> dict[str, Any]:
    """The baseline, the orders, the baseline again: rates, their ratio, and where the CPU time went."""
    before = bare(system, orders, at_once)
    ours = _ours(system, door, orders, at_once)
    after = bare(system, orders, at_once)
    baseline_rate = (before["orders_per_s"] + after["orders_per_s"]) / 2
    return {
        "orders": orders,
        "at_once": at_once,
        "lines_per_order": LINES,
        **ours,
        "baseline_before": before,
        "baseline_after": after,
        "baseline_orders_per_s": round(baseline_rate, 2),
        "ratio": round(ours["orders_per_s"] / baseline_rate, 3),
        "target_ratio": TARGET_RATIO,
    }


def bare(system: System, orders: int, at_once: int) -> dict[str, Any]:
    """The bare baseline's rate on the system's Temporal server, and where its CPU time goes."""
    with baseline_worker(system.temporal) as worker:
        asyncio.run(baseline.measure(system.temporal, WARM, at_once))
        span = CpuSpan.with_driver({"worker": worker, "temporal": system.processes()["temporal"]})
        rate = asyncio.run(baseline.measure(system.temporal, orders, at_once))
        return {"orders_per_s": round(rate, 2), "cpu_ms_per_order": per_order(span.spent(), orders)}


def _ours(system: System, door: Door, orders: int, at_once: int) -> dict[str, Any]:
    with Board(door) as board:
        run(door, board, WARM, at_once)
        door.requests.clear()
        span = CpuSpan.with_driver(system.processes())
        began = time.perf_counter()
        lived = run(door, board, orders, at_once)
        took = time.perf_counter() - began
    mails_s = _until_mailed(system.var)
    return {
        "orders_per_s": round(orders / took, 2),
        "life": spread_ms([each.life_s for each in lived]),
        "place": spread_ms([each.placed_s for each in lived]),
        "mails_lag_s": round(mails_s, 2),
        "mails": len(list((system.var / "mail").glob("*.eml"))),
        "http_requests_per_order": {name: round(count / orders, 2) for name, count in sorted(door.requests.items())},
        "cpu_ms_per_order": per_order(span.spent(), orders),
    }


def run(door: Door, board: Board, orders: int, at_once: int) -> list[Lived]:
    """So many whole lives, `at_once` under way."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: live(door, board, LINES), range(orders)))


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


def per_order(spent: dict[str, float], orders: int) -> dict[str, float]:
    """Seconds as milliseconds an order, and their sum as `all`."""
    each = {name: round(seconds * 1000 / orders, 1) for name, seconds in spent.items()}
    return {**each, "all": round(sum(each.values()), 1)}
