"""Calls of Temporal and steps of workflows, within a trace that is kept and within one that is not."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased

from services.runtime.traced_calls import Draw, as_drawn
from workflows.activities.tracing import KeptTracing


class Call:
    """What is sent to Temporal, as far as tracing writes on it."""

    def __init__(self) -> None:
        self.headers: dict[str, Any] = {}


class World:
    """An interceptor whose spans are seen here."""

    def __init__(self) -> None:
        self.kept = InMemorySpanExporter()
        self.is_drawn = True
        provider = TracerProvider(sampler=ParentBased(Draw(0.0)), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.kept))
        self.tracer = provider.get_tracer("test")
        self.interceptor: Any = KeptTracing(lambda: self.is_drawn, self.tracer)

    def names(self) -> list[str]:
        return [span.name for span in self.kept.get_finished_spans()]

    def send(self) -> Call:
        """Signal a workflow."""
        call = Call()
        with self.interceptor._start_as_current_span(
            "SignalWorkflow", attributes={}, input_with_headers=call, kind=trace.SpanKind.CLIENT
        ):
            return call

    def run_step(self, headers: dict[str, Any]) -> trace.SpanContext:
        """Run a step that came with headers; the place in a trace that its own calls see."""
        context = self.interceptor._context_from_headers(headers)
        with self.interceptor._start_as_current_span(
            "RunActivity", context=context, attributes={}, kind=trace.SpanKind.SERVER
        ):
            return trace.get_current_span().get_span_context()


@pytest.fixture
def world() -> World:
    return World()


def test_a_kept_trace_goes_from_the_caller_through_the_workflow_to_its_step(world: World) -> None:
    with as_drawn(is_kept=True), world.tracer.start_as_current_span("POST"):
        seen = world.run_step(world.send().headers)

    assert world.names() == ["SignalWorkflow", "RunActivity", "POST"]
    assert {span.context.trace_id for span in world.kept.get_finished_spans() if span.context} == {seen.trace_id}
    assert seen.trace_flags.sampled


def test_of_one_that_is_not_kept_nothing_is_built_and_nothing_sent(world: World) -> None:
    not_kept = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))
    with trace.use_span(not_kept):
        call = world.send()

    seen = world.run_step(call.headers)

    assert (call.headers, world.names()) == ({}, [])
    assert seen.is_valid
    assert not seen.trace_flags.sampled


@pytest.mark.parametrize(("is_drawn", "names"), [(True, ["SignalWorkflow"]), (False, [])])
def test_a_call_outside_of_any_trace_begins_one_as_often_as_is_drawn(
    world: World, is_drawn: bool, names: list[str]
) -> None:
    world.is_drawn = is_drawn

    call = world.send()

    assert world.names() == names
    assert bool(call.headers) is is_drawn
