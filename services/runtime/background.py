"""What a process does beside its requests: a thread that a commit, the passing of time or the end of the process wakes."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from services.runtime.wake import Wake


class BackgroundThread(ABC):
    """A thread of its own from start() to stop(); `_run` ends soon after `_wake` is stopped, and no process waits longer for it
    than `ends_within_s`.

    `rest` lets a time in seconds pass, for tests whose time is not the clock's.
    """

    ends_within_s = 10.0

    def __init__(self, name: str, rest: Callable[[float], object] | None = None) -> None:
        self._wake = Wake(rest)
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is in hand and stop."""
        self._wake.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=self.ends_within_s)

    @abstractmethod
    def _run(self) -> None:
        """Work until the wake is stopped; what fails for a while must not end it."""
