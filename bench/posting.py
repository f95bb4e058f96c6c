"""(b) How long POST /v1/orders takes at a steady rate, counted from the moment each was due."""

from __future__ import annotations

import time
from typing import Any

from bench.door import Door
from bench.figures import spread_ms
from bench.life import place
from bench.order_to_cash import LINES
from bench.parallel import for_each

RATE_PER_S = 3.0
TARGET_P99_MS = 300
_AT_ONCE = 16
_WARM = 5


def measure(door: Door, seconds: float) -> dict[str, Any]:
    """The spread of latencies()."""
    for _ in range(_WARM):
        place(door, LINES)
    found = latencies(door, seconds)
    return {
        "rate_per_s": RATE_PER_S,
        "requests": len(found),
        **spread_ms(found),
        "target_p99_ms": TARGET_P99_MS,
    }


def latencies(door: Door, seconds: float) -> list[float]:
    """At RATE_PER_S for so many seconds; a late start counts, so that a pause of the system is not left out."""
    count = max(1, round(seconds * RATE_PER_S))
    first_at = time.perf_counter() + 0.1

    def one(number: int) -> float:
        due_at = first_at + number / RATE_PER_S
        time.sleep(max(0.0, due_at - time.perf_counter()))
        place(door, LINES)
        return time.perf_counter() - due_at

    return for_each(one, range(count), _AT_ONCE)
