"""Workflows that go on because of the same news are woken a few at a time, so that they leave room for everybody else.

How fast that is, the system itself says: the next one is woken when one of those before it has done its turn.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from workflows.messages import FactNote

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""So many workflows are on their turn because of this relay: half of the machine is left to others."""
LOOK_EVERY_S = 0.02
LONGEST_S = 2.0
"""A turn that takes longer waits for somebody who is away, and keeps nobody else; the next one that does is waited for half as long."""


class Signals(Protocol):
    """Where facts are handed over."""

    def signal(self, number: str, name: str, note: FactNote) -> bool:
        """Hand a fact over; False when the workflow has ended or never was."""


class Wakeable(Signals, Protocol):
    """Workflows that are woken by what is handed over, and say whether they are still at it."""

    def is_busy(self, number: str) -> bool:
        """Whether the order's workflow is on its turn, or will be once a worker is free."""


class Turns:
    """Hands facts over to few workflows at a time. Used by one thread."""

    def __init__(
        self,
        workflows: Wakeable,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._workflows = workflows
        self._at_once = at_once
        self._clock = clock
        self._rest = rest
        self._woken: deque[tuple[str, float]] = deque()
        self._patience_s = LONGEST_S

    def signal(self, number: str, name: str, note: FactNote) -> bool:
        """Hand a fact over once fewer than `at_once` of those woken before are busy; False as Signals.signal()."""
        while len(self._woken) >= self._at_once:
            self._woken = deque(one for one in self._woken if self._is_busy(*one))
            if len(self._woken) >= self._at_once:
                self._rest(LOOK_EVERY_S)
        is_there = self._workflows.signal(number, name, note)
        if is_there:
            self._woken.append((number, self._clock()))
        return is_there

    def _is_busy(self, number: str, since: float) -> bool:
        if not self._workflows.is_busy(number):
            self._patience_s = LONGEST_S
            return False
        if self._clock() - since < self._patience_s:
            return True
        self._patience_s = max(self._patience_s / 2, LOOK_EVERY_S)
        return False
