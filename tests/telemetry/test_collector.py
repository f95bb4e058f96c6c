"""A collector that is away: nobody waits for it, and nothing is spent on it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from bench.ports import free_port
from services.inventory.__main__ import assemble
from services.inventory.settings import Settings
from services.runtime import telemetry
from services.runtime.collector import FAREWELL_S, FIRST_PAUSE_S, LONGEST_PAUSE_S, PatientExporter
from tests.processes import ended

ROOT = Path(__file__).resolve().parents[2]
STOPS_WITHIN_S = 2.0


class Inner(SpanExporter):
    """Takes batches or does not, and counts the tries."""

    def __init__(self) -> None:
        self.result = SpanExportResult.FAILURE
        self.tries = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.tries += 1
        return self.result


class World:
    """An exporter with a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.inner = Inner()
        self.exporter = PatientExporter(self.inner, lambda: self.now)

    def send(self, after_s: float = 0.0) -> int:
        """Send a batch; how many tries the collector has seen by then."""
        self.now += after_s
        self.exporter.export([])
        return self.inner.tries


def test_while_a_collector_is_away_batches_are_dropped_untried_for_longer_and_longer() -> None:
    world = World()

    tries = [
        world.send(),
        world.send(),
        world.send(FIRST_PAUSE_S),
        world.send(FIRST_PAUSE_S),
        world.send(FIRST_PAUSE_S),
    ]

    assert tries == [1, 1, 2, 2, 3]  # after 5 s, and then after 10


def test_it_is_asked_at_least_once_a_minute() -> None:
    world = World()
    for _ in range(20):
        world.send(LONGEST_PAUSE_S)

    assert world.inner.tries == 20


def test_a_collector_that_is_back_gets_every_batch_and_both_are_said_once() -> None:
    world = World()
    with capture_logs() as lines:
        world.send()
        world.send(FIRST_PAUSE_S)
        world.inner.result = SpanExportResult.SUCCESS
        world.send(LONGEST_PAUSE_S)

        tries = [world.send(), world.send()]

    assert tries == [4, 5]
    assert [line["event"] for line in lines] == ["collector.away", "collector.back"]


def test_a_process_that_ends_begins_no_batch_after_its_farewell() -> None:
    world = World()
    world.inner.result = SpanExportResult.SUCCESS
    world.exporter.end_soon()

    assert [world.send(), world.send(FAREWELL_S), world.send()] == [1, 1, 1]


@pytest.fixture
def provider() -> Iterator[tuple[TracerProvider, InMemorySpanExporter]]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(sampler=telemetry.keeping(0.0))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    yield provider, kept
    provider.shutdown()


def test_who_is_called_keeps_a_trace_that_the_caller_keeps_and_no_other(
    provider: tuple[TracerProvider, InMemorySpanExporter],
) -> None:
    made, kept = provider
    tracer = made.get_tracer("test")
    for number, flag in enumerate((trace.TraceFlags.SAMPLED, trace.TraceFlags.DEFAULT), 1):
        caller = trace.SpanContext(number, number, is_remote=True, trace_flags=trace.TraceFlags(flag))
        above = trace.set_span_in_context(trace.NonRecordingSpan(caller))
        tracer.start_span("called", above).end()
    tracer.start_span("begun here").end()

    assert [(span.name, span.context.trace_id) for span in kept.get_finished_spans() if span.context] == [("called", 1)]


@contextmanager
def silent_address() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def refusing_address() -> Iterator[str]:
    """An address where nobody listens."""
    yield f"http://127.0.0.1:{free_port()}"


MANY_SPANS = """
import signal, sys, threading
from opentelemetry import trace
from services.runtime import telemetry
telemetry.configure_logs("busy", "INFO")
telemetry.configure_traces("busy", sys.argv[1], 1.0)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
for _ in range(5000):
    trace.get_tracer("busy").start_span("pending").end()
print("ready", flush=True)
stop.wait()
telemetry.end_traces()
"""


@pytest.mark.prove
@pytest.mark.quiet
@pytest.mark.parametrize("address", [silent_address, refusing_address])
@pytest.mark.parametrize("kind", ["spans pending", "a service"])
def test_a_process_whose_collector_is_away_stops_within_two_seconds(address: object, kind: str, tmp_path: Path) -> None:
    with ExitStack() as ends:
        endpoint = ends.enter_context(address())  # type: ignore[operator]  # one of the two above
        process = ends.enter_context(
            ended(_pending(endpoint) if kind == "spans pending" else _service(endpoint, tmp_path))
        )
        assert process.stdout is not None
        assert process.stdout.readline()  # it is ready
        began = time.monotonic()

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0
        assert time.monotonic() - began < STOPS_WITHIN_S


def _pending(endpoint: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MANY_SPANS, endpoint]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _service(endpoint: str, folder: Path) -> subprocess.Popen[str]:
    given = {"database_url": f"sqlite:///{folder}/inventory.db", "listen": f"127.0.0.1:{free_port()}"}
    settings = Settings.model_validate({**given, "keys_dir": folder / "keys"})
    prepared = assemble(settings.model_copy(update={"listen": "127.0.0.1:0"}))
    prepared.database.migrate()
    prepared.database.close()
    env = {f"OMS_{name.upper()}": value for name, value in given.items()}
    env |= {"OMS_KEYS_DIR": str(folder / "keys"), "OMS_OTLP_ENDPOINT": endpoint, "OMS_TRACE_RATIO": "1"}
    command = [sys.executable, "-m", "services.inventory"]
    return subprocess.Popen(command, env={**os.environ, **env}, cwd=ROOT, stdout=subprocess.PIPE, text=True)
