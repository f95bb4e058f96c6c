"""Asks the provider again and again for what has no answer, and reads there what its events tell of and its open pages, until all is known."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from services.billing.cards import checkout
from services.billing.cards.desk import CardDesk
from services.billing.cards.events import read_event
from services.billing.cards.provider import ProviderAway
from services.billing.store import authorizations, operations
from services.runtime.background import BackgroundThread

log = structlog.get_logger()

BATCH = 50
POLL_S = 2.0
_PAUSE_S = 5.0


class Asker(BackgroundThread):
    """A thread that asks for operations when their time has come. Without a provider it has nothing to do."""

    def __init__(self, desk: CardDesk, rest: Callable[[float], object] | None = None) -> None:
        super().__init__("cards", rest)
        self._desk = desk
        desk.wake = self._wake.call

    def start(self) -> None:
        """Begin asking."""
        if self._desk.provider is not None:
            super().start()

    def stop(self) -> None:
        """Finish what is in hand and stop."""
        super().stop()
        self._desk.close()

    def _run(self) -> None:
        while not self._wake.is_stopped():
            self._wake.wait(POLL_S)
            try:
                while not self._wake.is_stopped() and self.ask_once():
                    pass
            except Exception:  # a database that is briefly away must not end the thread; what is asked stays asked
                log.exception("provider.asker_failed")
                self._wake.rest(_PAUSE_S)

    def ask_once(self) -> bool:
        """Ask for all whose time has come; whether anything has an answer now that had none."""
        is_moved = self._read_events()
        with self._desk.database.reading() as session:
            due = operations.due(session, self._desk.clock(), BATCH)
        for operation_id in due:
            is_moved = self._is_answered(operation_id) or is_moved
        return checkout.read_due(self._desk) or is_moved

    def _is_answered(self, operation_id: str) -> bool:
        """Whether an operation has its answer now; one that cannot be recorded leaves the others their turn."""
        try:
            return not self._desk.ask(operation_id).is_asked
        except Exception:  # whatever it is, it is tried again when its time comes
            log.exception("provider.operation_failed", operation_id=operation_id)
            return False

    def _read_events(self) -> bool:
        """Read at the provider what its events are about; one that cannot be read now waits."""
        with self._desk.database.reading() as session:
            new = authorizations.new_events(session, BATCH)
        is_moved = False
        for event_id, provider_id in new:
            try:
                read_event(self._desk, event_id, provider_id)
                is_moved = True
            except ProviderAway:
                break
            except Exception:  # whatever it is, the event is read again and leaves the others their turn
                log.exception("provider.event_failed", event_id=event_id)
        return is_moved
