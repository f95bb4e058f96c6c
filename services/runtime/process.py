"""The life of a service process: check the database, serve, relay, and stop in order when told to."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import grpc
import structlog

from services.runtime import outbox, telemetry
from services.runtime.auth import Authenticator, UnsafeConfiguration
from services.runtime.db import Database
from services.runtime.grpc_server import AddressTaken, ConnectionBounds, GrpcServer, MayCall, only_services
from services.runtime.metrics import Backlog, Metrics
from services.runtime.migrations import DatabaseNotCurrent
from services.runtime.settings import ServiceSettings, UnusableSettings, read_settings

log = structlog.get_logger()

GRACE_S = 8.0


class Background(Protocol):
    """Something that runs beside the server: a relay, a sender, an HTTP server."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, finishing what is in hand."""


class ServiceProcess:
    """One service: its database, its gRPC server and what runs beside it."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        database: Database,
        *,
        register: Callable[[grpc.Server], None],
        service: str,
        background: Sequence[Background] = (),
        may_call: MayCall = only_services,
        backlog: Backlog = outbox.backlog,
    ) -> None:
        self.name = name
        self.settings = settings
        self.database = database
        self.metrics = _metrics(settings, database, backlog)
        self.background = (*background, *([self.metrics] if self.metrics else []))
        self._server = GrpcServer(
            settings.listen,
            register,
            service,
            Authenticator(settings),
            may_call=may_call,
            workers=settings.grpc_workers,
            observe=self.metrics.observe if self.metrics else None,
            bounds=ConnectionBounds(handshake_s=settings.grpc_handshake_s, idle_s=settings.grpc_idle_s),
            has_reflection=settings.grpc_reflection,
        )

    @property
    def port(self) -> int:
        """The gRPC port in use."""
        return self._server.port

    def start(self) -> None:
        """Serve; raises DatabaseNotCurrent when the schema is not this release's."""
        self.database.check_current()
        self._server.start()
        for part in self.background:
            part.start()
        log.info("service.started", service=self.name, port=self.port)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop serving, then what runs beside, then close the database."""
        self._server.stop(grace_s)
        for part in reversed(self.background):
            part.stop()
        self.database.close()
        log.info("service.stopped", service=self.name)


def _metrics(settings: ServiceSettings, database: Database, backlog: Backlog) -> Metrics | None:
    return Metrics(settings.metrics_listen, database, backlog, settings.disk) if settings.metrics_listen else None


SettingsType = TypeVar("SettingsType", bound=ServiceSettings)


def run(name: str, settings_type: type[SettingsType], assemble: Callable[[SettingsType], ServiceProcess]) -> None:
    """The main function of a service: exits with a sentence, never a stack trace, when it cannot start."""
    try:
        settings = read_settings(settings_type)
    except UnusableSettings as refusal:
        print(f"{name}: {refusal}", file=sys.stderr)
        sys.exit(78)
    telemetry.configure_logs(name, settings.log_level)
    telemetry.configure_traces(name, settings.otlp_endpoint, settings.trace_ratio)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        process = assemble(settings)
        process.start()
    except (DatabaseNotCurrent, UnsafeConfiguration, UnusableSettings, AddressTaken) as refusal:
        print(f"{name}: {refusal}", file=sys.stderr)
        sys.exit(78)
    gc.freeze()  # modules and routes live as long as the process: a full collection need not walk them
    stop.wait()
    process.stop()
    telemetry.end_traces()
