"""(i) CPU of sourcing a large order, of 100 lines from 12 warehouses: where freight adds up, and where it has steps.

The plan and the table of its rivals, as a reservation makes them; no database.
"""

from __future__ import annotations

import time
from random import Random
from typing import Any

from services.inventory.domain.allocation import LineDemand, Terms, allocate
from services.inventory.domain.sourcing_record import record
from services.inventory.domain.tariffs import Candidate, SourcingPolicy, Tariff

LINES = 100
NODES = 12
TARGETS_S = {"additive": 0.3, "stepped": 1.5}
_ORDERS = 5


def measure() -> dict[str, Any]:
    """The slowest of some orders of each kind, and the widest certificate."""
    return {"lines": LINES, "nodes": NODES, **{kind: _slowest(kind) for kind in TARGETS_S}}


def _slowest(kind: str) -> dict[str, Any]:
    seconds, gaps = zip(*(_sourced(seed, is_stepped=kind == "stepped") for seed in range(_ORDERS)), strict=True)
    return {"cpu_s": round(max(seconds), 3), "gap_percent": max(gaps) / 100, "target_s": TARGETS_S[kind]}


def _sourced(seed: int, *, is_stepped: bool) -> tuple[float, int]:
    """CPU seconds and basis points above the best possible at most."""
    rng = Random(seed)
    places = [f"wh_{number:02}" for number in range(NODES)]
    lines = [LineDemand(str(number), f"SKU-{number}", rng.randint(1, 20)) for number in range(LINES)]
    free = {line.sku: {at: rng.randint(1, 8) for at in places if rng.random() < 0.9} for line in lines}
    tariffs = {
        at: Tariff("ups", rng.randint(500, 2_000), rng.randint(20, 120) if is_stepped else 0, rng.randint(0, 5))
        for at in places
    }
    terms = Terms(
        tuple(Candidate(at, 0, (tariff,)) for at, tariff in tariffs.items()),
        {line.sku: rng.randint(100, 2_500) for line in lines},
        SourcingPolicy(split_penalty_minor=300),
    )
    began = time.process_time()
    made = record(lines, free, terms, allocate(lines, free, terms), dict.fromkeys(places, True), "USD")
    took = time.process_time() - began
    assert made is not None
    assert made.gap_bp is not None
    return took, made.gap_bp
