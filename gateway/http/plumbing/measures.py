"""Request latency: measured around the application, kept in a registry of its own."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)


class Measures:
    """What one application counts; its registry is its own, so that several live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "oms_http_request_seconds",
            "Time until an HTTP request was answered.",
            ["operation", "status"],
            registry=self.registry,
            buckets=_BUCKETS,
        )


class Measured:
    """ASGI middleware: the time of each request, by operation and status; an unknown path is one operation."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = scope.get("route")
                path = getattr(route, "path_format", "unknown")
                labels = (f"{scope['method']} {path}" if route else "unknown", str(message["status"]))
                self.measures.requests.labels(*labels).observe(time.perf_counter() - started)
            await send(message)

        await self.app(scope, receive, observe)
