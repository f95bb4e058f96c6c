"""Figures out of samples."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(samples: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: a sample that was really measured."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds with one decimal."""
    return round(seconds * 1000, 1)


def spread_ms(samples: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the greatest of seconds, in milliseconds."""
    return {
        "p50_ms": milliseconds(percentile(samples, 50)),
        "p99_ms": milliseconds(percentile(samples, 99)),
        "max_ms": milliseconds(max(samples)),
    }
