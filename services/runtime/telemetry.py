"""Logs and traces of a process: one JSON line an event; traces only where a collector is configured."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import grpc
import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from sqlalchemy import Engine, event

from services.runtime.log_output import LossyOutput

SPAN_ORDER_ID = "oms.order_id"
SPAN_REQUEST_ID = "oms.request_id"

_STATEMENT_SPAN = "oms.statement_span"
_QUIET = ("alembic", "httpx", "mail.log")
"""Libraries whose INFO lines tell nothing, or name people's mailboxes."""

_state: dict[str, bool] = {"is_tracing": False}


def is_tracing() -> bool:
    """Whether spans are recorded in this process."""
    return _state["is_tracing"]


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
    output: Any = LossyOutput(sys.stdout)  # all that is asked of it is to write and to flush
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
    if is_tracing():
        span = trace.get_current_span()
        named = {SPAN_ORDER_ID: order_id, SPAN_REQUEST_ID: getattr(request, "request_id", "")}
        span.set_attributes({name: value for name, value in named.items() if value})
    return structlog.contextvars.bound_contextvars(**({"order_id": order_id} if order_id else {}))


# Traces.


_EXPORT_S = 2.0
"""A batch of spans is given up after this, its tries included: a process that is told to stop sends up to five, and a collector that
is away must not hold it until it is killed."""


def configure_traces(process: str, otlp_endpoint: str) -> None:
    """Send spans to the collector; without an endpoint nothing is traced and nothing is paid."""
    if not otlp_endpoint:
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    insecure = otlp_endpoint.startswith("http://")
    record_spans(process, OTLPSpanExporter(endpoint=otlp_endpoint, insecure=insecure, timeout=_EXPORT_S))


def record_spans(process: str, exporter: SpanExporter) -> TracerProvider:
    """Turn tracing on for this process with the given exporter; must run before databases and servers are made."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"oms-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _state["is_tracing"] = True
    return provider


def end_traces() -> None:
    """Send what is recorded; the interpreter does it by itself at its regular end."""
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
    traced: grpc.Channel = intercept_channel(channel, tracer)  # type: ignore[no-untyped-call]  # the same here
    return traced


def aio_tracers() -> Sequence[grpc.aio.ClientInterceptor]:
    """The interceptors that make a span for each call of an asyncio caller."""
    if not is_tracing():
        return ()
    from opentelemetry.instrumentation.grpc import aio_client_interceptors

    return tuple(aio_client_interceptors())  # type: ignore[no-untyped-call]  # the instrumentation has no annotations


def server_tracers() -> Sequence[grpc.ServerInterceptor]:
    """The interceptor that makes a span for each call of a server, under the caller's span."""
    if not is_tracing():
        return ()
    from opentelemetry.instrumentation.grpc import server_interceptor

    return (server_interceptor(filter_=_is_business()),)  # type: ignore[no-untyped-call]  # the instrumentation has no annotations


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


def _begin_statement(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if not trace.get_current_span().get_span_context().is_valid:
        return
    kind = connection.dialect.name
    verb = statement.split(None, 1)[0]
    attributes = {"db.system.name": kind, "db.operation.name": verb, "db.query.text": statement}
    tracer = trace.get_tracer(__name__)
    connection.info[_STATEMENT_SPAN] = tracer.start_span(verb, kind=trace.SpanKind.CLIENT, attributes=attributes)


def _end_statement(connection: Any, *_: Any) -> None:
    span = connection.info.pop(_STATEMENT_SPAN, None)
    if span is not None:
        span.end()


def _fail_statement(failure: Any) -> None:
    if failure.connection is None:
        return
    span = failure.connection.info.pop(_STATEMENT_SPAN, None)
    if span is not None:
        span.set_status(trace.StatusCode.ERROR, type(failure.original_exception).__name__)
        span.end()
