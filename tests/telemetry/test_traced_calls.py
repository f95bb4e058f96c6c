"""Calls within a trace that is kept, and within one that is not, over a library that only notes that it was asked."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased

from services.runtime.traced_calls import Draw, KeptAsyncChannel, KeptChannel, KeptServed, as_drawn

TRACE, SPAN = 0xABC, 0xDEF
HEADER = ("traceparent", f"00-{TRACE:032x}-{SPAN:016x}-00")


@contextmanager
def within(kind: str) -> Iterator[None]:
    """Inside a trace that is kept, one that is not, one that a caller keeps, or none."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if kind == "kept by the caller" else trace.TraceFlags.DEFAULT)
    spans = {
        "kept": tracer.start_span("ours"),
        "kept by the caller": trace.NonRecordingSpan(trace.SpanContext(TRACE, SPAN, is_remote=True, trace_flags=flags)),
        "not kept": trace.NonRecordingSpan(trace.SpanContext(TRACE, SPAN, is_remote=False, trace_flags=flags)),
        "none": trace.INVALID_SPAN,
    }
    with trace.use_span(spans[kind]):
        yield


class Channel:
    """Notes the metadata of each call under its own name."""

    def __init__(self, name: str, calls: list[tuple[str, Any]]) -> None:
        self._name, self._calls = name, calls

    def unary_unary(self, *_: Any, **__: Any) -> Any:
        return self._call

    def _call(self, _request: str, *, timeout: float, metadata: Any) -> None:
        assert timeout == 1
        self._calls.append((self._name, tuple(metadata)))


KINDS = pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("not kept", ("plain", (("authorization", "x"), HEADER))),
        ("kept", ("traced", (("authorization", "x"),))),
        ("kept by the caller", ("traced", (("authorization", "x"),))),
        ("none", ("traced", (("authorization", "x"),))),
    ],
)


@KINDS
def test_a_call_builds_a_span_only_where_the_trace_is_kept_and_says_it_where_not(kind: str, expected: Any) -> None:
    calls: list[tuple[str, Any]] = []
    plain: Any = Channel("plain", calls)
    traced: Any = Channel("traced", calls)

    with within(kind):
        KeptChannel(plain, traced, lambda: True).unary_unary("/x")(
            "request", timeout=1, metadata=(("authorization", "x"),)
        )

    assert calls == [expected]


def test_outside_of_any_trace_it_is_drawn_and_who_is_called_hears_it() -> None:
    calls: list[tuple[str, Any]] = []
    plain: Any = Channel("plain", calls)
    traced: Any = Channel("traced", calls)

    KeptChannel(plain, traced, lambda: False).unary_unary("/x")("request", timeout=1)

    ((by, ((name, value),)),) = calls
    assert (by, name) == ("plain", "traceparent")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", value)


def test_what_was_drawn_is_not_drawn_again() -> None:
    never, always = Draw(0.0), Draw(1.0)
    sampled = trace.TraceFlags.SAMPLED

    def flags(draw: Draw) -> int:
        provider = TracerProvider(sampler=ParentBased(draw), shutdown_on_exit=False)
        return provider.get_tracer("test").start_span("begun").get_span_context().trace_flags & sampled

    with as_drawn(is_kept=True):
        kept = flags(never)
    with as_drawn(is_kept=False):
        dropped = flags(always)

    assert (kept, dropped, flags(always), flags(never)) == (sampled, 0, sampled, 0)


def test_the_ratio_is_how_often_is_drawn() -> None:
    draw = Draw(0.1)

    assert 700 < sum(draw.is_kept() for _ in range(10_000)) < 1300


@KINDS
async def test_so_does_a_call_of_an_asyncio_caller(kind: str, expected: Any) -> None:
    calls: list[tuple[str, Any]] = []
    plain: Any = Channel("plain", calls)
    traced: Any = Channel("traced", calls)

    with within(kind):
        called = KeptAsyncChannel(plain, traced, lambda: True).unary_unary("/x")
        called("request", timeout=1, metadata=(("authorization", "x"),))

    assert calls == [expected]


@pytest.mark.parametrize(
    ("header", "by", "trace_id"),
    [
        (HEADER[1], "plain", TRACE),
        (HEADER[1].removesuffix("00") + "02", "plain", TRACE),  # as the library says it: random, and not kept
        (HEADER[1].removesuffix("00") + "01", "traced", 0),
        (HEADER[1].removesuffix("00") + "03", "traced", 0),
        ("", "traced", 0),
        ("00-xyz-1-00", "traced", 0),
        ("-00", "traced", 0),
        (f"00-{0:032x}-{0:016x}-00", "traced", 0),
    ],
)
def test_a_served_call_builds_none_where_its_caller_keeps_none_and_knows_its_trace(
    header: str, by: str, trace_id: int
) -> None:
    seen: list[int] = []
    handler: Any = grpc.unary_unary_rpc_method_handler(
        lambda _request, _context: seen.append(trace.get_current_span().get_span_context().trace_id)
    )

    class Library(grpc.ServerInterceptor):
        def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            return "traced"

    details: Any = namedtuple("Asked", "invocation_metadata")((("traceparent", header),))  # noqa: PYI024  # see above
    found: Any = KeptServed(Library()).intercept_service(lambda _: handler, details)

    assert by == ("traced" if found == "traced" else "plain")
    if by == "plain":
        found.unary_unary("request", None)
        assert seen == [trace_id]
    assert not trace.get_current_span().get_span_context().is_valid
