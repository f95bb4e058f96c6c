"""Opens warehouses whose outages are over, and tells orders that they are sourced again: a thread beside the server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory import outages
from services.kernel.clock import Clock, utc_now
from services.runtime.background import BackgroundThread
from services.runtime.db import Database

log = structlog.get_logger()

POLL_S = 5.0
"""After so long it looks by itself: an outage has ended, or another process has left something."""


class OutageKeeper(BackgroundThread):
    """Each step is a transaction of its own, so a process that ends loses nothing, and several go on together."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        super().__init__("outage-keeper")
        self._database = database
        self._clock = clock
        database.on_emit(self._wake.call, frozenset({outages.ASKED}))

    def start(self) -> None:
        """Begin, with what an earlier process has left."""
        self._wake.call()
        super().start()

    def _run(self) -> None:
        while not self._wake.is_stopped():
            self._wake.wait(POLL_S)
            try:
                while not self._wake.is_stopped() and self.step():
                    pass
            except Exception:  # a database that is briefly away must not end the thread; what is left stays left
                log.exception("outage.keeping_failed")
                self._wake.rest(1.0)

    def step(self) -> bool:
        """Open one warehouse, or tell one batch of orders; whether there was anything to do."""
        with self._database.reading() as session:
            if not outages.has_work(session, self._clock()):
                return False
        return self._does(outages.end_due) or self._does(outages.notify)

    def _does(self, act: Callable[[Session, datetime], bool]) -> bool:
        with self._database.transaction() as session:
            return act(session, self._clock())
