"""Pairs of runs in turn, ours and the frame, and what they say together.

A machine's speed changes with the hour and with what else runs on it, and so does the CPU time of the same work. Two runs that follow each
other share most of that, so each ratio is taken within a pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import Spread
from bench.machine import Load, assessed, doubts

DRIVER = "driver"
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Run:
    """One load on one system. `cpu_ms` is process → milliseconds an order, the driver's too; `also` is for information."""

    cpu_ms: Mapping[str, float]
    load: Load
    also: Mapping[str, float]

    @property
    def system_ms(self) -> float:
        """CPU milliseconds an order of all processes but the driver, which only measures."""
        return sum(spent for name, spent in self.cpu_ms.items() if name != DRIVER)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs that followed each other."""

    ours: Run
    frame: Run

    @property
    def ratio(self) -> float:
        """What an order costs as a multiple of its frame."""
        return self.ours.system_ms / self.frame.system_ms


def in_turn(count: int, ours: Callable[[int], Run], frame: Callable[[int], Run]) -> list[Pair]:
    """Ours, the frame, ours, the frame …; each is given the number of its pair, from 1."""
    return [Pair(ours(number), frame(number)) for number in range(1, count + 1)]


def summary(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Median and range over the pairs, every run, and whether they can be believed."""
    sides = {"ours": [pair.ours for pair in pairs], "frame": [pair.frame for pair in pairs]}
    ratio = Spread.of([pair.ratio for pair in pairs])
    loads = {
        f"pair {number} ({side})": run.load for side, runs in sides.items() for number, run in enumerate(runs, start=1)
    }
    totals = {
        f"the CPU of an order ({side})": Spread.of([run.system_ms for run in runs]) for side, runs in sides.items()
    }
    found = doubts(loads, {**totals, "the ratio": ratio})
    return {
        "pairs": len(pairs),
        "ratio": ratio.rounded(3),
        "cpu_ms_per_order": {side: _cpu(runs) for side, runs in sides.items()},
        "also": {side: _spreads([run.also for run in runs], 2) for side, runs in sides.items()},
        "runs": [{"ours": _row(pair.ours), "frame": _row(pair.frame), "ratio": round(pair.ratio, 3)} for pair in pairs],
        **assessed(loads, found),
    }


def _cpu(runs: Sequence[Run]) -> dict[str, dict[str, float]]:
    return _spreads([{**run.cpu_ms, SYSTEM: run.system_ms} for run in runs], 1)


def _spreads(rows: Sequence[Mapping[str, float]], digits: int) -> dict[str, dict[str, float]]:
    return {name: Spread.of([row[name] for row in rows]).rounded(digits) for name in rows[0]}


def _row(run: Run) -> dict[str, Any]:
    return {
        "cpu_ms_per_order": {name: round(spent, 1) for name, spent in {**run.cpu_ms, SYSTEM: run.system_ms}.items()},
        "also": {name: round(figure, 2) for name, figure in run.also.items()},
        "others_share": round(run.load.others_share, 3),
        "stolen_share": round(run.load.stolen_s / run.load.capacity_s, 3),
    }
