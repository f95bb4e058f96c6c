"""Asks the tax engine again and again about orders that wait for their tax, until each has it."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from services.kernel.clock import Clock, utc_now
from services.orders.changes import determine_tax
from services.orders.domain.mails import Contacts
from services.orders.domain.tax_engine import TaxDesk
from services.runtime.background import BackgroundThread
from services.runtime.db import Database

log = structlog.get_logger()

POLL_S = 2.0
_UNASKED_POLL_S = 60.0
"""Without an engine only what waited for one before is looked for."""
_LONGEST = timedelta(seconds=60)
_AFTER_REFUSAL = timedelta(minutes=10)
"""What is refused is asked again as soon as the order changes, and otherwise seldom: somebody may have changed a setting there."""


class TaxAsker(BackgroundThread):
    """A thread that asks for orders without their tax. While the engine is away one order is asked about, ever less often."""

    def __init__(
        self,
        database: Database,
        desk: TaxDesk,
        contacts: Contacts,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__("tax-asker")
        self._database = database
        self._desk = desk
        self._contacts = contacts
        self._clock = clock
        self._last = ""
        self._refused: dict[str, tuple[int, datetime]] = {}
        self._pause = timedelta(seconds=POLL_S)
        self._next_at = datetime.min.replace(tzinfo=clock().tzinfo)

    def _run(self) -> None:
        while not self._wake.is_stopped():
            try:
                self.ask_due()
            except Exception:  # a database that is briefly away must not end the thread; what waits stays waiting
                log.exception("tax_asker.failed")
            self._wake.wait(POLL_S if self._desk.is_open else _UNASKED_POLL_S)

    def ask_due(self) -> int:
        """Ask about every order whose time has come, as long as the engine answers; how many got their tax."""
        now = self._clock()
        if now < self._next_at:
            return 0
        with self._database.reading() as session:
            waiting = determine_tax.waiting(session)
        self._refused = {order_id: known for order_id, known in self._refused.items() if order_id in waiting}
        count = 0
        for order_id in self._in_turn([one for one in waiting if not self._was_refused(one, waiting[one], now)]):
            if self._wake.is_stopped():
                break
            outcome = self._ask(order_id, waiting[order_id])
            self._last = order_id
            count += outcome == determine_tax.DETERMINED
            if outcome == determine_tax.AWAY:
                self._next_at, self._pause = now + self._pause, min(self._pause * 2, _LONGEST)
                return count
        self._pause = timedelta(seconds=POLL_S)
        return count

    def _in_turn(self, order_ids: list[str]) -> list[str]:
        """Beginning behind the last that was asked about: one that the engine cannot answer in time keeps no other."""
        begin = order_ids.index(self._last) + 1 if self._last in order_ids else 0
        return order_ids[begin:] + order_ids[:begin]

    def _ask(self, order_id: str, version: int) -> str:
        """What came of asking about one order; one that cannot be recorded leaves the others their turn."""
        try:
            with self._database.reading() as session:
                query = determine_tax.asks(session, order_id, self._clock())
            if query is None:
                return ""
            quote = self._desk.quote(query, is_retry=True)
            if quote.is_refused:
                self._refused[order_id] = (version, self._clock() + _AFTER_REFUSAL)
            with self._database.transaction() as session:
                outcome = determine_tax.settle(session, order_id, quote, self._contacts, self._clock())
        except Exception:  # whatever it is, it is tried again, and leaves the others their turn
            log.exception("tax_asker.order_failed", order_id=order_id)
            return ""
        log.info("tax_asker.asked", order_id=order_id, outcome=outcome)
        return outcome

    def _was_refused(self, order_id: str, version: int, now: datetime) -> bool:
        known = self._refused.get(order_id)
        return known is not None and known[0] == version and now < known[1]
