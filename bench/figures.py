"""Figures out of samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Self


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


def ratios(figures: Sequence[float]) -> list[float]:
    """Each as a multiple of the first, which was measured in the same run."""
    return [round(figure / figures[0], 2) for figure in figures]


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure that was measured several times."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        """The median of the samples and their range."""
        return cls(median(samples), min(samples), max(samples))

    @property
    def relative(self) -> float:
        """The range as a share of the median; 0 where all are 0."""
        return (self.most - self.least) / self.median if self.median else 0.0

    def rounded(self, digits: int) -> dict[str, float]:
        """As JSON has it."""
        return {name: round(value, digits) for name, value in asdict(self).items()}
