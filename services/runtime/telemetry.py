"""Logs, traces and metrics of a process: one JSON line an event; traces only where a collector is configured."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from sqlalchemy import Engine

SPAN_ORDER_ID = "oms.order_id"
SPAN_REQUEST_ID = "oms.request_id"
SPAN_PRINCIPAL_ROLE = "oms.principal.role"

_state: dict[str, bool] = {"is_tracing": False}


def is_tracing() -> bool:
    """Whether spans are recorded in this process."""
    return _state["is_tracing"]


def configure_logs(process: str, level: str) -> None:
    """One JSON object a line on standard output, with the trace and span id where there is one."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_trace,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stdout)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _add_trace(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        fields["trace_id"] = format(context.trace_id, "032x")
        fields["span_id"] = format(context.span_id, "016x")
    return fields


def configure_traces(process: str, otlp_endpoint: str) -> None:
    """Send spans to the collector; without an endpoint nothing is traced and nothing is paid."""
    if not otlp_endpoint:
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    record_spans(process, OTLPSpanExporter(endpoint=otlp_endpoint, insecure=otlp_endpoint.startswith("http://")))


def record_spans(process: str, exporter: SpanExporter) -> None:
    """Turn tracing on for this process with the given exporter; must run before databases and servers are made."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"oms-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _state["is_tracing"] = True


def trace_engine(engine: Engine) -> None:
    """A span for each statement; skip_dep_check because the instrumentation refuses SQLAlchemy 2.1 in a log line only."""
    if is_tracing():
        from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

        SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)
