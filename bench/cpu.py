"""CPU seconds of processes over a span, and memory as the kernel counts it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, Self

import psutil


class Spends(Protocol):
    """Whose CPU can be asked: a psutil.Process, or a family of them. The answer has seconds of `user` and `system` mode."""

    def cpu_times(self) -> Any:
        """Seconds so far."""


class _Spent(NamedTuple):
    user: float
    system: float


class Family:
    """A process and all that it ever starts, such as PostgreSQL with a process a connection: counted as one, ended ones included."""

    def __init__(self, pid: int) -> None:
        self._head = psutil.Process(pid)

    def cpu_times(self) -> _Spent:
        """Seconds so far, of those that live and of those that their parents have seen end."""
        user = system = 0.0
        for process in (self._head, *self._head.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile: its parent counts it
                times = process.cpu_times()
                user += times.user + times.children_user
                system += times.system + times.children_system
        return _Spent(user, system)


class CpuSpan:
    """Counts from its making; `spent()` gives seconds of user and system time by process name."""

    def __init__(self, processes: Mapping[str, Spends]) -> None:
        self._processes = dict(processes)
        self._before = self._now()

    @classmethod
    def with_driver(cls, processes: Mapping[str, Spends]) -> Self:
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
