"""Whether a system is still there: what one found to be lost, all others know at once, and none of them waits to find out again."""

from __future__ import annotations


class SystemLost(Exception):
    """The system is gone for good; the message says what was noticed first."""


class Health:
    """What is known of one system, for all threads and tests that use it."""

    def __init__(self) -> None:
        self._reason = ""

    def report(self, reason: str) -> SystemLost:
        """The system is lost, for this reason if for no earlier one; gives what to raise."""
        self._reason = self._reason or reason
        return SystemLost(self._reason)

    def check(self) -> None:
        """Nothing while the system is there; raises SystemLost once it was reported as lost."""
        if self._reason:
            raise SystemLost(self._reason)
