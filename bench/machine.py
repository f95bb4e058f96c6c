"""What others took of this machine while something was measured, and whether the figures can be believed.

Others are all processes but this one and those it started; what the host gave to other machines (steal) counts as theirs. The kernel's
own threads count too, which work for us as well: a few hundredths of the cores on a quiet machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from bench.figures import Spread

MOST_BY_OTHERS = 0.10
"""The share of all cores' time that others may take while something is measured."""
MOST_BETWEEN_PAIRS = 0.20
"""How far repeated figures may lie apart, as a share of their median."""
TOO_LOADED = "the machine was too loaded to believe these figures"


@dataclass(frozen=True, slots=True)
class Load:
    """CPU seconds of a span: all that the cores had, and what others, other machines of the host, and we took of it."""

    capacity_s: float
    others_s: float
    stolen_s: float = 0.0
    own_s: float = 0.0

    @property
    def others_share(self) -> float:
        """The share of the cores' time that was not there for what is measured."""
        return (self.others_s + self.stolen_s) / self.capacity_s if self.capacity_s else 0.0


def doubts(loads: Mapping[str, Load], repeated: Mapping[str, Spread]) -> list[str]:
    """Why figures cannot be believed, in words; empty when they can.

    `loads` says what was measured → the machine meanwhile, and `repeated` which figure → its samples.
    """
    found = []
    worst, load = max(loads.items(), key=lambda each: each[1].others_share)
    if load.others_share > MOST_BY_OTHERS:
        found.append(
            f"other processes took {load.others_share:.0%} of the cores during {worst}, where {MOST_BY_OTHERS:.0%} is allowed"
        )
    found += [
        f"{name} ranges over {spread.relative:.0%} of its median, where {MOST_BETWEEN_PAIRS:.0%} is allowed"
        for name, spread in repeated.items()
        if spread.relative > MOST_BETWEEN_PAIRS
    ]
    return found


def assessed(loads: Mapping[str, Load], found: list[str]) -> dict[str, Any]:
    """What a part's figures say about the machine, as JSON has it."""
    return {
        "is_believable": not found,
        "doubts": found,
        "others_share": round(max(load.others_share for load in loads.values()), 3),
    }


class LoadSpan:
    """Counts from its making."""

    def __init__(self) -> None:
        self._before = _counted()

    def load(self) -> Load:
        """What happened since the making."""
        busy, idle, stolen, own = (now - then for now, then in zip(_counted(), self._before, strict=True))
        return Load(busy + idle + stolen, max(0.0, busy - own), stolen, own)

    def assessed(self, what: str) -> dict[str, Any]:
        """What a part that was measured once says about the machine."""
        loads = {what: self.load()}
        return assessed(loads, doubts(loads, {}))


def _counted() -> tuple[float, float, float, float]:
    """Seconds of all cores: busy, idle, stolen, and busy for this process and its descendants, ended ones included."""
    driver = psutil.Process()
    own = sum(_seconds(process) for process in (driver, *driver.children(recursive=True)))
    times = psutil.cpu_times()._asdict()  # guest time is in user time already
    busy = sum(times.get(name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
    return busy, times["idle"] + times.get("iowait", 0.0), times.get("steal", 0.0), own


def _seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile: its parent counts it
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
