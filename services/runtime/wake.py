"""Wakes a background thread: the one way in which a commit, the passing of time and the end of the process reach it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Wake:
    """One thread waits; any thread calls or stops it.

    A call that comes while the thread works is kept for its next wait. `rest` lets a time in seconds pass; without one that is
    the time itself, cut off by stop().
    """

    def __init__(self, rest: Callable[[float], object] | None = None) -> None:
        self._called = threading.Event()
        self._stopped = threading.Event()
        self.rest = rest or self._stopped.wait

    def is_stopped(self) -> bool:
        """Whether the thread is to end."""
        return self._stopped.is_set()

    def call(self) -> None:
        """There is work."""
        self._called.set()

    def stop(self) -> None:
        """End the thread's waits and rests, this one and all later ones."""
        self._stopped.set()
        self._called.set()

    def wait(self, seconds: float, gathering: float = 0.0) -> bool:
        """Whether somebody called within so many seconds; the caller then looks for work.

        After a call more of them gather for the time of `gathering`; they count as the same one.
        """
        is_called = self._called.wait(seconds)
        if is_called and gathering:
            self.rest(gathering)
        self._called.clear()
        return is_called
