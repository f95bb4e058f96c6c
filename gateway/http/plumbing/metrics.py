"""Metrics for Prometheus: request latency as it happens; order counts, outbox age and late facts when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import OperationalError

from gateway.http.plumbing.deps import Deps, DepsOf
from services.orders.domain.access import EVERYTHING
from services.orders.lifecycle import dead_letters
from services.orders.order import exceptions
from services.orders.overview import listing
from services.runtime.metrics import backlog_gauges, disk_gauge

router = APIRouter(tags=["operations"])


class _Gauges(Collector):
    """What the database says at this moment."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What the database says, unless it is away, and the room on the disk."""
        with suppress(OperationalError):
            yield from list(self._kept())
        yield from disk_gauge(self._deps.disk)

    def _kept(self) -> Iterator[GaugeMetricFamily]:
        """Read in one short transaction."""
        with self._deps.database.reading() as session:
            by_status = listing.count_by_status(session, EVERYTHING)
            late = dead_letters.count_late_facts(session)
            exceptions_by_kind = exceptions.count_open_by_kind(session)
            backlog = tuple(backlog_gauges(session, dead_letters.backlog, self._deps.clock()))
        orders = GaugeMetricFamily("oms_orders", "Orders by status word.", labels=["status"])
        for status, count in sorted(by_status.items()):
            orders.add_metric([status], count)
        yield orders
        yield from backlog
        waiting = GaugeMetricFamily("oms_open_exceptions", "Open exceptions of orders by kind.", labels=["kind"])
        for kind, count in sorted(exceptions_by_kind.items()):
            waiting.add_metric([kind], count)
        yield waiting
        yield GaugeMetricFamily("oms_late_facts", "Facts that arrived after their order had ended.", late)


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/metrics", response_class=Response, responses=_ANSWERS)
def read_metrics(deps: DepsOf) -> Response:
    """Everything this process counts, for Prometheus."""
    gauges = CollectorRegistry()
    gauges.register(_Gauges(deps))
    return Response(generate_latest(deps.measures.registry) + generate_latest(gauges), media_type=CONTENT_TYPE_LATEST)
