"""Sends the outbox: at least once, in order per order, and a poisoned row stops only itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.kernel.clock import Clock, utc_now
from services.kernel.errors import DomainError
from services.runtime import outbox
from services.runtime.db import Database
from services.runtime.grpc_client import RemoteBug, Unreachable
from services.runtime.outbox import OutboxRow
from services.runtime.wake import Wake

log = structlog.get_logger()

BATCH = 100
MAX_REFUSALS = 8
POLL = timedelta(seconds=1)
MAX_PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Route:
    """Where rows of some kinds go. `deliver` gives the ids that arrived; it raises Unreachable or a DomainError otherwise.

    New rows wait for the time of `gathering`: those that are sent together share the call, and the transactions on both sides.
    `most` rows are sent at once.
    """

    kinds: frozenset[str]
    deliver: Callable[[Sequence[OutboxRow]], Iterable[str]]
    gathering: timedelta = timedelta(0)
    most: int = BATCH


class Relay:
    """A thread a route that sends what the outbox holds, woken by a commit, and again after every failure.

    `rest` lets a time in seconds pass, unless the relay stops before.
    """

    def __init__(
        self,
        database: Database,
        routes: Sequence[Route],
        clock: Clock = utc_now,
        rest: Callable[[float], object] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._wakes = [Wake(rest) for _ in routes]
        self._threads = [
            threading.Thread(target=self._run, args=(route, wake), daemon=True, name="relay")
            for route, wake in zip(routes, self._wakes, strict=True)
        ]
        for route, wake in zip(routes, self._wakes, strict=True):
            database.on_emit(wake.call, route.kinds)

    def start(self) -> None:
        """Begin sending."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the batch in hand and stop."""
        for wake in self._wakes:
            wake.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=10)

    def _run(self, route: Route, wake: Wake) -> None:
        pause = POLL
        while not wake.is_stopped():
            wake.wait(pause.total_seconds(), route.gathering.total_seconds())
            try:
                while not wake.is_stopped() and self.send_batch(route):
                    pass
                pause = POLL
            except Unreachable as absence:
                pause = min(pause * 2, MAX_PAUSE)
                log.warning(
                    "outbox.receiver_unreachable",
                    kinds=sorted(route.kinds),
                    error=str(absence),
                    pause_s=pause.total_seconds(),
                )
                wake.rest(pause.total_seconds())
            except Exception:  # a database that is briefly away must not end the relay thread; the row stays unsent
                log.exception("outbox.relay_failed", kinds=sorted(route.kinds))
                wake.rest(MAX_PAUSE.total_seconds())

    def send_batch(self, route: Route) -> bool:
        """Send one batch; whether there may be more. Raises Unreachable when the receiver is away."""
        sendable, may_be_more = self._sendable(route)
        if not sendable:
            return False
        try:
            self._settle(list(route.deliver(sendable)))
        except (DomainError, RemoteBug):
            self._send_singly(route, sendable)
        return may_be_more

    def _sendable(self, route: Route) -> tuple[list[OutboxRow], bool]:
        """The oldest rows whose orders wait for nothing, however many of other orders stand before them; and whether there may be more."""
        now = self._clock()
        with self._database.reading() as session:
            rows = outbox.unsent(session, now, route.most, route.kinds)
            if not rows:
                return [], False
            blocked = {order for order, kind in outbox.blocked_orders(session, now) if kind in route.kinds} - {""}
            while True:
                sendable = [row for row in rows if row.order_id not in blocked]
                is_full = len(rows) == route.most
                if sendable or not is_full:
                    return sendable, is_full
                rows = outbox.unsent(session, now, route.most, route.kinds, behind=rows[-1].position)

    def _send_singly(self, route: Route, rows: Sequence[OutboxRow]) -> None:
        """One of the batch is refused: find it, let the others pass."""
        blocked: set[str] = set()
        for row in rows:
            if row.order_id and row.order_id in blocked:
                continue
            try:
                self._settle(list(route.deliver([row])))
            except (DomainError, RemoteBug) as refusal:
                blocked.add(row.order_id)
                self._refuse(row, refusal)

    def _refuse(self, row: OutboxRow, refusal: DomainError | RemoteBug) -> None:
        reason = refusal.reason if isinstance(refusal, DomainError) else "RECEIVER_FAILED"
        is_dead = row.attempts + 1 >= MAX_REFUSALS
        retry_at = None if is_dead else self._clock() + timedelta(seconds=0.2 * 2**row.attempts)
        with self._database.transaction() as session:
            outbox.mark_failed(session, row.fact_id, f"{reason}: {refusal}", retry_at)
        log.warning(
            "outbox.refused",
            fact_id=row.fact_id,
            kind=row.kind,
            order_id=row.order_id,
            reason=reason,
            is_dead=is_dead,
        )

    def _settle(self, fact_ids: list[str]) -> None:
        if fact_ids:
            with self._database.transaction() as session:
                outbox.mark_sent(session, fact_ids)
