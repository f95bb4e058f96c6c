"""Metrics of a process for Prometheus: how long calls take, and what waits to be sent. Off unless OMS_METRICS_LISTEN is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from services.kernel.clock import Clock, utc_now
from services.runtime.db import Database
from services.runtime.disk import Disk
from services.runtime.grpc_server import AddressTaken

Backlog = Callable[[Session], tuple[int, datetime | None, int]]
"""How many messages wait, since when the oldest does, and how many nobody took."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def backlog_gauges(session: Session, backlog: Backlog, now: datetime) -> Iterator[GaugeMetricFamily]:
    """What waits to be sent, as every process tells it."""
    waiting, oldest, dead = backlog(session)
    age = (now - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("oms_outbox_waiting", "Messages not yet sent.", waiting)
    yield GaugeMetricFamily("oms_outbox_age_seconds", "How long the oldest message waits.", max(age, 0.0))
    yield GaugeMetricFamily("oms_outbox_dead", "Messages nobody took.", dead)


def disk_gauge(disk: Disk) -> Iterator[GaugeMetricFamily]:
    """The room on the disk, where it is known, and how little of it is warned of."""
    free = disk.free_bytes()
    if free is not None:
        yield GaugeMetricFamily("oms_disk_free_bytes", "Room on the disk that holds the data.", free)
        yield GaugeMetricFamily("oms_disk_warn_bytes", "Room below which to act.", disk.warn_below_bytes)


class _Backlog(Collector):
    """Reads the gauges when Prometheus asks."""

    def __init__(self, database: Database, backlog: Backlog, clock: Clock, disk: Disk) -> None:
        self._database = database
        self._disk = disk
        self._backlog = backlog
        self._clock = clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One short transaction; while the database is away the process tells what it knows without it."""
        with suppress(OperationalError), self._database.reading() as session:
            yield from list(backlog_gauges(session, self._backlog, self._clock()))
        yield from disk_gauge(self._disk)

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing beforehand: registering must not ask the database."""
        return []


class Metrics:
    """What one process counts, and the HTTP server that tells it."""

    def __init__(
        self, listen: str, database: Database, backlog: Backlog, disk: Disk | None = None, clock: Clock = utc_now
    ) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Backlog(database, backlog, clock, disk or Disk()))
        self._calls = Histogram(
            "oms_rpc_seconds",
            "Time until a call was answered, by method and gRPC status.",
            ["method", "status"],
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._server = _serve(listen, self.registry)

    def observe(self, method: str, status: str, seconds: float) -> None:
        """A call was answered."""
        self._calls.labels(method, status).observe(seconds)

    def start(self) -> None:
        """Nothing to do: /metrics is served since the address was taken."""

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


def _serve(listen: str, registry: CollectorRegistry) -> Any:
    """Take the address when the process is assembled, so that a taken port is said at once."""
    host, _, port = listen.rpartition(":")
    try:
        server, _thread = start_http_server(int(port), host or "127.0.0.1", registry)
    except OSError as taken:
        sentence = f"cannot listen on {listen}: another process has the port; stop it or set OMS_METRICS_LISTEN"
        raise AddressTaken(sentence) from taken
    return server
