"""Temporal's tracing for traces that are kept; of others no span is built and nothing about them travels in headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from temporalio.api.common.v1 import Payload
from temporalio.contrib.opentelemetry import TracingInterceptor

from services.runtime import telemetry
from services.runtime.traced_calls import as_drawn, begins_kept, nowhere


class KeptTracing(TracingInterceptor):
    """The library's interceptor, asked only where a span may come of it.

    A step whose workflow carries no trace is one of a trace that is not kept: else it would begin one of its own.
    """

    def __init__(self, draw: Callable[[], bool] = telemetry.draw, tracer: trace.Tracer | None = None) -> None:
        """`draw` says whether a trace that begins here is kept."""
        super().__init__(tracer)
        self._draw = draw

    def _context_to_headers(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        is_kept = trace.get_current_span().get_span_context().trace_flags.sampled
        return super()._context_to_headers(headers) if is_kept else headers

    @contextmanager
    def _start_as_current_span(
        self, name: str, *, kind: trace.SpanKind, context: Any = None, **more: Any
    ) -> Iterator[None]:
        around = trace.get_current_span().get_span_context()
        is_kept = begins_kept(self._draw) if context is None else None
        if kind is trace.SpanKind.SERVER and context is None:
            with trace.use_span(nowhere()):
                yield
        elif is_kept is False or (context is None and around.is_valid and not around.trace_flags.sampled):
            yield
        else:
            with as_drawn(is_kept=is_kept), super()._start_as_current_span(name, kind=kind, context=context, **more):
                yield
