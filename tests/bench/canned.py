"""A document of figures as `python -m bench --json` writes it, from runs that are written down here."""

from __future__ import annotations

from typing import Any

from bench import surroundings
from bench.machine import Load
from bench.pairs import Pair, Run, summary

QUIET = Load(capacity_s=100.0, others_s=3.0)
BUSY = Load(capacity_s=100.0, others_s=30.0, stolen_s=4.0)
ALSO = {"orders_per_s": 12.6, "life_p50_ms": 1500.0, "post_p50_ms": 400.0, "mails_lag_s": 0.1, "http_requests": 8.8}
ASSESSED = {"is_believable": True, "doubts": [], "others_share": 0.03}
_SERVICES = ("inventory", "fulfillment", "billing", "notifications")


def ours(*, orders_ms: float = 60.0, load: Load = QUIET) -> Run:
    """150 ms with 60 of orders: temporal 40, worker 30, four services 4 each, mail 3, supervisor 1; no order is by card."""
    services = dict.fromkeys(_SERVICES, 4.0)
    others = {"temporal": 40.0, "worker": 30.0, "mail": 3.0, "stripe": 0.0, "supervisor": 1.0, "driver": 5.0}
    return Run({"orders": orders_ms, **services, **others}, load, ALSO)


def frame(*, load: Load = QUIET) -> Run:
    """75 ms: orders 14, temporal 30, worker 27, four services 1 each; no mail."""
    services = dict.fromkeys(_SERVICES, 1.0)
    others = {"temporal": 30.0, "worker": 27.0, "supervisor": 0.0, "driver": 4.0}
    return Run({"orders": 14.0, **services, **others}, load, ALSO)


def order_to_cash(*, load: Load = QUIET) -> dict[str, Any]:
    pairs = [Pair(ours(), frame()), Pair(ours(load=load), frame()), Pair(ours(), frame())]
    return {"orders": 150, "at_once": 20, "lines_per_order": 3, **summary(pairs)}


def beside() -> dict[str, Any]:
    """Two rounds: 150 ms plain, 159 with 9 more of orders for traces, 153 with their collector away, 210 in production, PostgreSQL 60 of it."""
    production = Run({**ours().cpu_ms, "postgres": 60.0}, QUIET, ALSO)
    runs = {
        surroundings.PLAIN: ours(),
        "traces kept": ours(orders_ms=69.0),
        "collector away": ours(orders_ms=63.0),
        "production": production,
    }
    return {"orders": 150, "at_once": 20, "lines_per_order": 3, **surroundings.summary([runs, runs])}


def figures(*, load: Load = QUIET) -> dict[str, Any]:
    """Every part; `load` is the machine's in the second run of ours."""
    return {
        "machine": {"cpus": 2, "python": "3.11.7", "load_before": [0.1, 0.2, 0.3]},
        "order_to_cash": order_to_cash(load=load),
        "posting": {
            "rate_per_s": 3.0, "requests": 180, "p50_ms": 59.0, "p99_ms": 101.0, "max_ms": 120.0, "target_p99_ms": 300,
            **ASSESSED,
        },
        "footprint": {
            "ready_s": 4.4, "target_ready_s": 10.0, "target_memory_mb": 1200, **ASSESSED,
            "fresh": {"pss_mb": 779, "rss_mb": 1027, "pss_mb_by_process": {"orders": 120}},
            "after_work": {"pss_mb": 1266, "rss_mb": 1500, "pss_mb_by_process": {"orders": 200}},
        },
        "growth": {
            "by_lines": [
                {"lines": 1, "place_ms": 60.0, "life_ms": 400.0, "history_events": 27, "history_bytes": 7065, "ratio": 1.0},
                {"lines": 9, "place_ms": 90.0, "life_ms": 450.0, "history_events": 27, "history_bytes": 7070, "ratio": 1.5},
            ],
            "change": {
                "lines": 499, "added": 400, "place_ms": 900.0, "change_ms": 1440.0, "ratio": 1.6, "target_ratio": 2.0,
            },
            "by_open_orders": [
                {"open_orders": 9, "placed_per_s": 31.0, "p50_ms": 59.0, "p99_ms": 99.0, "max_ms": 110.0, "ratio": 1.0},
                {"open_orders": 9, "placed_per_s": None, "p50_ms": 52.0, "p99_ms": 99.0, "max_ms": 110.0, "ratio": 0.88},
            ],
            **ASSESSED,
        },
        "long_queue": {
            "waiting": 5000, "target_s": 1.0, "target_ratio": 2.0, "alone_p99_ms": 12.0, **ASSESSED,
            "announcement": {"answered_s": 0.33, "served_s": 5.2, "others_p99_ms": 18.0},
            "goods": {"answered_s": 0.03, "served_s": 4.1, "others_p99_ms": 30.0},
        },
        "hot_sku": {
            "waiting": 5000, "seconds": 60.0, "target_ratio": 2.0, **ASSESSED,
            "alone": {"p50_ms": 90.0, "p99_ms": 200.0, "max_ms": 210.0},
            "announcement": {
                "answered_s": 0.4, "others": {"p50_ms": 120.0, "p99_ms": 300.0, "max_ms": 350.0}, "ratio": 1.5,
            },
            "goods": {
                "answered_s": 0.2, "others": {"p50_ms": 150.0, "p99_ms": 500.0, "max_ms": 900.0}, "ratio": 2.5,
            },
        },
        "sourcing": {
            "lines": 100, "nodes": 12, **ASSESSED,
            "additive": {"cpu_s": 0.2, "gap_percent": 0.0, "target_s": 0.3},
            "stepped": {"cpu_s": 1.6, "gap_percent": 0.12, "target_s": 1.5},
        },
        "surroundings": beside(),
        "restart": {
            "parked": 900, "ready_again_s": 5.5, "at_rest_ms": 111.0, "first_ms": [126.0, 144.0, 139.0], "ratio": 1.3,
            "target_s": 5.0, **ASSESSED,
        },
    }  # fmt: skip


def shape(document: Any) -> Any:
    """What is where, without the figures: of a list its first row, for its length is the run's."""
    if isinstance(document, dict):
        return {name: shape(value) for name, value in document.items()}
    if isinstance(document, list) and document and isinstance(document[0], dict):
        return [shape(document[0])]
    return "figures"
