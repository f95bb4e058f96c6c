"""CPU seconds of processes over a span, and memory as the kernel counts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import psutil


class CpuSpan:
    """Counts from its making; `spent()` gives seconds of user and system time by process name."""

    def __init__(self, processes: Mapping[str, psutil.Process]) -> None:
        self._processes = dict(processes)
        self._before = self._now()

    @classmethod
    def with_driver(cls, processes: Mapping[str, psutil.Process]) -> Self:
        """The processes, and this one as `driver`."""
        return cls({**processes, "driver": psutil.Process()})

    def spent(self) -> dict[str, float]:
        """Seconds since the making."""
        return {name: round(seconds - self._before[name], 3) for name, seconds in self._now().items()}

    def _now(self) -> dict[str, float]:
        times = {name: process.cpu_times() for name, process in self._processes.items()}
        return {name: float(each.user + each.system) for name, each in times.items()}


def memory(processes: Mapping[str, psutil.Process]) -> dict[str, dict[str, int]]:
    """Name → bytes: `pss` (shared pages divided among those who share them) and `rss`."""
    return {name: _memory(process) for name, process in processes.items()}


def _memory(process: psutil.Process) -> dict[str, int]:
    full = process.memory_full_info()
    return {"pss": int(getattr(full, "pss", full.uss)), "rss": int(full.rss)}
