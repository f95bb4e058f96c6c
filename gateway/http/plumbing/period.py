"""Which of the past a question is about."""

from __future__ import annotations

from gateway.http.plumbing.inputs import Input, Instant
from services.kernel.errors import InvalidArgument


class Period(Input):
    """Which of the past is taken: from `since` on and before `until`, by default up to now."""

    since: Instant
    until: Instant | None = None

    def check(self) -> None:
        """InvalidArgument PERIOD_INVALID for one that ends before it begins."""
        if self.until is not None and self.until <= self.since:
            raise InvalidArgument("PERIOD_INVALID", "until is not after since: swap them, or leave until out")
