"""Sends spans to a collector that may be away: nobody waits for it, and while it is away nothing is spent on it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

TRY_S = 0.8
"""A batch of spans is given up after this, the library's own tries included."""
FAREWELL_S = 0.5
"""No further batch is begun this long after the process was told to end: with one that is under way, it ends within two seconds."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 60.0

log = structlog.get_logger()


def collector_at(endpoint: str) -> PatientExporter:
    """The OTLP collector at this address; plain text for http, TLS for anything else."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    logging.getLogger("opentelemetry.exporter").setLevel(
        logging.CRITICAL
    )  # it says each try; we say once what it means
    insecure = endpoint.startswith("http://")
    return PatientExporter(OTLPSpanExporter(endpoint=endpoint, insecure=insecure, timeout=TRY_S))


class PatientExporter(SpanExporter):
    """Passes batches on. After one that was not taken it drops the next ones unread for a while, longer each time."""

    def __init__(self, inner: SpanExporter, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self._pause_s = 0.0
        self._again_at = float("-inf")
        self._ends_at = float("inf")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Called by one thread of the SDK, never by one that serves somebody."""
        if not self._again_at <= self._clock() < self._ends_at:
            return SpanExportResult.FAILURE
        result = self._inner.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._note_taken()
        else:
            self._note_away()
        return result

    def end_soon(self) -> None:
        """The process ends: what cannot be sent at once is dropped."""
        self._ends_at = self._clock() + FAREWELL_S

    def shutdown(self) -> None:
        """Let go of the connection."""
        self._inner.shutdown()

    def _note_taken(self) -> None:
        if self._pause_s:
            log.info("collector.back")
        self._pause_s = 0.0

    def _note_away(self) -> None:
        if not self._pause_s:
            log.warning("collector.away", meaning="spans are dropped until it takes them again")
        self._pause_s = min(max(self._pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self._again_at = self._clock() + self._pause_s
