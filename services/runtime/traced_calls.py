"""Spans of gRPC calls, built by the library for traces that are kept; of others only that they are not kept travels on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

import grpc
from opentelemetry import context as current
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

_decided: ContextVar[bool | None] = ContextVar("oms_trace_is_kept", default=None)
_HEADER = "traceparent"
_NOT_KEPT = "-00"


class Draw(Sampler):
    """Whether a trace that begins here is kept: drawn once, by who begins it or by the library."""

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio

    def is_kept(self) -> bool:
        """Draw."""
        return random.random() < self._ratio  # noqa: S311  # a share, no secret

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        links: Any = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        """As was drawn before, or drawn now."""
        before = _decided.get()
        is_kept = self.is_kept() if before is None else before
        return SamplingResult(Decision.RECORD_AND_SAMPLE if is_kept else Decision.DROP, attributes)

    def get_description(self) -> str:
        """For the resource of a trace."""
        return f"Draw({self._ratio})"


def begins_kept(draw: Callable[[], bool]) -> bool | None:
    """Whether a trace that would begin here is kept; None inside of one, where that is decided already."""
    return None if trace.get_current_span().get_span_context().is_valid else draw()


@contextmanager
def as_drawn(*, is_kept: bool | None) -> Iterator[None]:
    """What begins within is decided so; None leaves it to the library."""
    token = _decided.set(is_kept)
    try:
        yield
    finally:
        _decided.reset(token)


def nowhere() -> trace.NonRecordingSpan:
    """A place in a trace of its own that is not kept, so that calls from there say so."""
    context = trace.SpanContext(random.getrandbits(128) or 1, random.getrandbits(64) or 1, is_remote=False)
    return trace.NonRecordingSpan(context)


class KeptChannel(grpc.Channel):
    """A blocking caller's channel: `traced` is the same as `plain`, wrapped by the library."""

    def __init__(self, plain: grpc.Channel, traced: grpc.Channel, draw: Callable[[], bool]) -> None:
        self._plain = plain
        self._traced = traced
        self._draw = draw

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """The method as a function."""
        plain, traced = self._plain.unary_unary(*args, **kwargs), self._traced.unary_unary(*args, **kwargs)

        def call(request: Any, *, timeout: float | None = None, metadata: Any = ()) -> Any:
            is_kept = begins_kept(self._draw)
            header = _header_of(nowhere()) if is_kept is False else _not_kept()
            if header is None:
                with as_drawn(is_kept=is_kept):
                    return traced(request, timeout=timeout, metadata=metadata)
            return plain(request, timeout=timeout, metadata=(*metadata, header))

        return call

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """As the library has it."""
        return self._traced.unary_stream(*args, **kwargs)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """As the library has it."""
        return self._traced.stream_unary(*args, **kwargs)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """As the library has it."""
        return self._traced.stream_stream(*args, **kwargs)

    def subscribe(
        self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool | None = None
    ) -> None:
        """Hear of the connection."""
        self._plain.subscribe(callback, bool(try_to_connect))

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Hear no more of it."""
        self._plain.unsubscribe(callback)

    def close(self) -> None:
        """Let go of the connection."""
        self._plain.close()

    def __enter__(self) -> Self:
        """To be closed at the end of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


class KeptAsyncChannel:
    """The same for asyncio callers, as far as stubs of unary calls use a channel. Two connections, for the library's way costs a task a call."""

    def __init__(self, plain: grpc.aio.Channel, traced: grpc.aio.Channel, draw: Callable[[], bool]) -> None:
        self._plain = plain
        self._traced = traced
        self._draw = draw

    def unary_unary(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The method as a function that gives what can be awaited."""
        plain, traced = self._plain.unary_unary(*args, **kwargs), self._traced.unary_unary(*args, **kwargs)

        def call(request: Any, *, timeout: float | None = None, metadata: Any = ()) -> Any:
            is_kept = begins_kept(self._draw)
            header = _header_of(nowhere()) if is_kept is False else _not_kept()
            if header is None:
                with as_drawn(is_kept=is_kept):  # the call's task takes it along
                    return traced(request, timeout=timeout, metadata=metadata)
            return plain(request, timeout=timeout, metadata=(*metadata, header))

        return call

    async def close(self) -> None:
        """Let go of both connections."""
        await self._plain.close()
        await self._traced.close()


class KeptServed(grpc.ServerInterceptor):
    """A server's interceptor over the library's: a call of a trace that the caller does not keep gets no span."""

    def __init__(self, traced: grpc.ServerInterceptor) -> None:
        self._traced = traced

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wrap the handler found for the call."""
        parent = _parent_not_kept(handler_call_details.invocation_metadata)
        if parent is None:
            return self._traced.intercept_service(continuation, handler_call_details)
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        around = trace.set_span_in_context(trace.NonRecordingSpan(parent))

        def answer(request: Any, context: Any) -> Any:
            token = current.attach(around)
            try:
                return handler.unary_unary(request, context)
            finally:
                current.detach(token)

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)


def _not_kept() -> tuple[str, str] | None:
    """The header that says so, inside a trace that is not kept; None where the library shall decide or build a span."""
    span = trace.get_current_span()
    context = span.get_span_context()
    if span.is_recording() or not context.is_valid or context.trace_flags.sampled:
        return None
    return _header_of(span)


def _header_of(span: trace.Span) -> tuple[str, str]:
    context = span.get_span_context()
    return _HEADER, f"00-{context.trace_id:032x}-{context.span_id:016x}{_NOT_KEPT}"


def _parent_not_kept(metadata: Any) -> trace.SpanContext | None:
    """The caller's place in a trace that it does not keep; None without one, or when it cannot be read."""
    header = next((value for name, value in metadata or () if name == _HEADER), "")
    if not isinstance(header, str) or header.count("-") != 3:
        return None
    _, trace_id, span_id, flags = header.split("-")
    try:
        context = trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True)
        is_kept = bool(int(flags, 16) & trace.TraceFlags.SAMPLED)
    except ValueError:
        return None
    return context if context.is_valid and not is_kept else None
