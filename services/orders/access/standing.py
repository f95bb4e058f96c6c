"""Whether somebody with a good token still works here, as the directory says; asked at every request, so remembered for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlmodel import Session

from services.orders.store import logins as store

REMEMBERED_S = 25.0
_MOST = 5000


class Standing:
    """Who has left. Of whom the directory does not know nothing is said: a provider may sign in people that nobody entered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, bool]] = {}

    def remembered(self, sub: str) -> bool | None:
        """Whether the person has left; None when the directory must be asked."""
        known = self._known.get(sub)
        return known[1] if known is not None and known[0] > self._clock() else None

    def has_left(self, session: Session, sub: str) -> bool:
        """Ask the directory."""
        has_left = store.has_left(session, sub)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[sub] = (self._clock() + REMEMBERED_S, has_left)
        return has_left
