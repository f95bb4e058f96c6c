"""Logs and traces of a process: one JSON line an event; traces only where a collector is configured."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import grpc
import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler
from sqlalchemy import Engine, event

from services.runtime.log_output import LossyOutput
from services.runtime.traced_calls import Draw, KeptAsyncChannel, KeptChannel, KeptServed

SPAN_ORDER_ID = "oms.order_id"
SPAN_REQUEST_ID = "oms.request_id"

_STATEMENT_SPAN = "oms_statement_span"
_QUIET = ("alembic", "httpx", "mail.log")
"""Libraries whose INFO lines tell nothing, or name people's mailboxes."""

_state: dict[str, Any] = {"is_tracing": False, "draw": Draw(1.0)}
_at_end: list[Callable[[], None]] = []


def is_tracing() -> bool:
    """Whether spans are recorded in this process."""
    return bool(_state["is_tracing"])


def draw() -> bool:
    """Whether a trace that begins now is kept."""
    return bool(_state["draw"].is_kept())


# Logs.


def configure_logs(process: str, level: str) -> None:
    """One JSON object a line on standard output, from us and from libraries alike, with trace and span id where there are."""

    def name(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields.setdefault("process", process)  # not a context variable: those end at the thread that bound them
        return fields

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name,
        _add_trace,
        structlog.processors.format_exc_info,
    ]
    json_line = structlog.processors.JSONRenderer(sort_keys=True, default=str)
    stdout = sys.stdout.buffer
    # without the buffer in between; all that is asked of it is to write and to flush
    output: Any = LossyOutput(getattr(stdout, "raw", stdout))
    structlog.configure(
        processors=[*shared, json_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(level, shared, json_line, output)


def _configure_libraries(level: str, shared: Sequence[Any], json_line: Any, output: Any) -> None:
    """Lines of the standard library's loggers (uvicorn, Temporal, alembic) look like ours."""
    lines = logging.StreamHandler(output)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, json_line],
        )
    )
    logging.basicConfig(level=level, handlers=[lines], force=True)
    for library in _QUIET:
        logging.getLogger(library).setLevel(logging.WARNING)


def _add_trace(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        fields["trace_id"] = format(context.trace_id, "032x")
        fields["span_id"] = format(context.span_id, "016x")
    return fields


def about(request: Any) -> AbstractContextManager[Any]:
    """While a request is served, every log line and the span name its order, where it has one."""
    order_id = getattr(request, "order_id", "") or getattr(getattr(request, "order", None), "order_id", "")
    if is_tracing() and (span := trace.get_current_span()).is_recording():
        named = {SPAN_ORDER_ID: order_id, SPAN_REQUEST_ID: getattr(request, "request_id", "")}
        span.set_attributes({name: value for name, value in named.items() if value})
    return structlog.contextvars.bound_contextvars(**({"order_id": order_id} if order_id else {}))


# Traces.


def configure_traces(process: str, otlp_endpoint: str, ratio: float) -> None:
    """Send this share of all traces to the collector; without an endpoint nothing is traced and nothing is paid."""
    if not otlp_endpoint:
        return
    from services.runtime.collector import collector_at

    exporter = collector_at(otlp_endpoint)
    _at_end.append(exporter.end_soon)
    record_spans(process, exporter, ratio)


def record_spans(process: str, exporter: SpanExporter, ratio: float = 1.0) -> TracerProvider:
    """Turn tracing on for this process with the given exporter; must run before databases and servers are made."""
    provider = TracerProvider(sampler=keeping(ratio), resource=Resource.create({"service.name": f"oms-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _state["is_tracing"] = True
    return provider


def keeping(ratio: float) -> Sampler:
    """Whether a trace is kept is decided once, where it begins; who is called follows the caller. Of others no span is built."""
    _state["draw"] = Draw(ratio)
    return ParentBased(_state["draw"])


def end_traces() -> None:
    """Send what is recorded, as far as that takes no time."""
    for begin_end in _at_end:
        begin_end()
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def trace_channel(channel: grpc.Channel) -> grpc.Channel:
    """A span for each call of a blocking caller. The instrumentation is no grpc interceptor: it wraps the channel."""
    if not is_tracing():
        return channel
    from opentelemetry.instrumentation.grpc import client_interceptor
    from opentelemetry.instrumentation.grpc.grpcext import intercept_channel

    tracer = client_interceptor(filter_=_is_business())  # type: ignore[no-untyped-call]  # the instrumentation has no annotations
    return KeptChannel(channel, intercept_channel(channel, tracer), draw)  # type: ignore[no-untyped-call]  # the same here


def trace_async_channel(
    make: Callable[[Sequence[grpc.aio.ClientInterceptor]], grpc.aio.Channel],
) -> grpc.aio.Channel | KeptAsyncChannel:
    """A span for each unary call of an asyncio caller, whose channel `make` makes with interceptors; we make no other calls."""
    if not is_tracing():
        return make(())
    from opentelemetry.instrumentation.grpc import aio_client_interceptors

    unary, *_ = aio_client_interceptors()  # type: ignore[no-untyped-call]  # the instrumentation has no annotations
    return KeptAsyncChannel(make(()), make((unary,)), draw)


def server_tracers() -> Sequence[grpc.ServerInterceptor]:
    """The interceptor that makes a span for each call of a server, under the caller's span."""
    if not is_tracing():
        return ()
    from opentelemetry.instrumentation.grpc import server_interceptor

    traced = server_interceptor(filter_=_is_business())  # type: ignore[no-untyped-call]  # the instrumentation has no annotations
    return (KeptServed(traced),)


def _is_business() -> Any:
    """Health is asked every second and tells nothing."""
    from opentelemetry.instrumentation.grpc import filters

    return filters.negate(filters.health_check())


def trace_engine(engine: Engine) -> None:
    """A span for each statement that a request causes; what a relay asks all day belongs to no request and has none.

    The listeners are ours: the instrumentation traces one engine a process, and not the SQLAlchemy that we use.
    """
    if is_tracing():
        event.listen(engine, "before_cursor_execute", _begin_statement)
        event.listen(engine, "after_cursor_execute", _end_statement)
        event.listen(engine, "handle_error", _fail_statement)


def _begin_statement(connection: Any, _cursor: Any, statement: str, _parameters: Any, execution: Any, *_: Any) -> None:
    if not trace.get_current_span().is_recording():
        return
    kind = connection.dialect.name
    verb = statement.split(None, 1)[0]
    attributes = {"db.system.name": kind, "db.operation.name": verb, "db.query.text": statement}
    tracer = trace.get_tracer(__name__)
    span = tracer.start_span(verb, kind=trace.SpanKind.CLIENT, attributes=attributes)
    setattr(execution, _STATEMENT_SPAN, span)


def _end_statement(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, execution: Any, *_: Any) -> None:
    span = getattr(execution, _STATEMENT_SPAN, None)
    if span is not None:
        span.end()


def _fail_statement(failure: Any) -> None:
    span = getattr(failure.execution_context, _STATEMENT_SPAN, None)
    if span is not None:
        span.set_status(trace.StatusCode.ERROR, type(failure.original_exception).__name__)
        span.end()
