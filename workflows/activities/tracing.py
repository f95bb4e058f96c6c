"""Temporal's tracing for traces that are kept; of others no span is built and nothing about them travels in headers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from temporalio.api.common.v1 import Payload
from temporalio.contrib.opentelemetry import TracingInterceptor


class KeptTracing(TracingInterceptor):
    """The library's interceptor, asked only where a span may come of it.

    A step whose workflow carries no trace is one of a trace that is not kept: else it would begin one of its own.
    """

    def _context_to_headers(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        is_kept = trace.get_current_span().get_span_context().trace_flags.sampled
        return super()._context_to_headers(headers) if is_kept else headers

    @contextmanager
    def _start_as_current_span(
        self, name: str, *, kind: trace.SpanKind, context: Any = None, **more: Any
    ) -> Iterator[None]:
        around = trace.get_current_span().get_span_context()
        if kind is trace.SpanKind.SERVER and context is None:
            with trace.use_span(_not_kept()):
                yield
        elif context is None and around.is_valid and not around.trace_flags.sampled:
            yield
        else:
            with super()._start_as_current_span(name, kind=kind, context=context, **more):
                yield


def _not_kept() -> trace.Span:
    """A place in a trace of its own that is not kept, so that calls from there say so."""
    context = trace.SpanContext(random.getrandbits(128) or 1, random.getrandbits(64) or 1, is_remote=False)
    return trace.NonRecordingSpan(context)
