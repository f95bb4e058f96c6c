"""Goes on with long queues: batch after batch, each in a transaction of its own, and gives way to others in between."""

import time

import structlog

from services.inventory import left_queues, queues
from services.inventory.left_queues import Left
from services.inventory.store import allocation
from services.kernel.clock import Clock, utc_now
from services.runtime.background import BackgroundThread
from services.runtime.db import Database

log = structlog.get_logger()

POLL_S = 5.0
"""After so long it looks by itself: another process may have left something, or was ended in between."""
MOST_REST_S = 1.0


class QueueFiller(BackgroundThread):
    """A thread that fills what was left, woken by a commit that left something.

    Between batches it rests as long as the last one took, so that whoever else writes has at least every other moment. A batch
    that fails is taken up one by one; what fails then is passed over until all the rest is done.
    """

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        super().__init__("queue-filler")
        self._database = database
        self._clock = clock
        self._passed_over: set[Left] = set()
        database.on_emit(self._wake.call, frozenset({queues.LEFT}))

    def start(self) -> None:
        """Begin, with what an earlier process has left."""
        self._wake.call()
        super().start()

    def _run(self) -> None:
        while not self._wake.is_stopped():
            self._wake.wait(POLL_S)
            try:
                self._leave_overdue()
                while not self._wake.is_stopped() and self.fill_batch():
                    pass
            except Exception:  # a database that is briefly away must not end the thread; what is left stays left
                log.exception("queue.filling_failed")
                self._wake.rest(MOST_REST_S)

    def fill_batch(self) -> bool:
        """One batch and the rest after it; whether there was anything to do."""
        began = time.monotonic()
        left = self._next()
        if left == Left():
            self._passed_over.clear()
            return False
        if not self._is_filled(left):
            # asked again: where it is the database that is away, that fails here
            for one in self._next().singly():
                if not self._is_filled(one):
                    self._passed_over.add(one)
        self._wake.rest(min(time.monotonic() - began, MOST_REST_S))
        return True

    def _leave_overdue(self) -> None:
        """Leave the queues of what orders have held for too long while they wait for the rest: once a wake, and not with every batch."""
        with self._database.reading() as session:
            is_limited = allocation.policy(session).freeze_days is not None
        if is_limited:
            with self._database.transaction() as session:
                left_queues.leave_overdue(session, self._clock())

    def _next(self) -> Left:
        with self._database.reading() as session:
            return left_queues.next_left(session, self._passed_over)

    def _is_filled(self, left: Left) -> bool:
        try:
            with self._database.transaction() as session:
                left_queues.fill_left(session, left, self._clock())
        except (
            Exception
        ):  # whatever it is, it must not keep the others waiting; what fails stays left, and the audit says so
            log.exception("queue.batch_failed", unranked=left.unranked, skus=left.skus, order_ids=left.order_ids)
            return False
        return True
