"""The worker process: `python -m workflows`."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from services.runtime import telemetry
from services.runtime.auth import UnsafeConfiguration
from services.runtime.settings import ServiceSettings, UnusableSettings, read_settings
from workflows.activities.calls import connect_services
from workflows.client import telemetry_interceptors
from workflows.sweeps import schedule_sweeps
from workflows.worker import order_worker, payment_worker

log = structlog.get_logger()

CONNECT_WITHIN_S = 60.0
CONNECT_TRY_S = 10.0
BEAT_S = 2.0
KEPT_EVERY_S = 60.0


def measured(metrics_listen: str) -> Runtime | None:
    """The SDK's own metrics for Prometheus (how long each step takes, how many fail); nothing unless an address is set."""
    if not metrics_listen:
        return None
    prometheus = PrometheusConfig(bind_address=metrics_listen, durations_as_seconds=True)
    return Runtime(telemetry=TelemetryConfig(metrics=prometheus))


async def connect(settings: ServiceSettings) -> Client:
    """Temporal, waiting up to a minute for it to come up."""
    runtime = measured(settings.metrics_listen)
    deadline = time.monotonic() + CONNECT_WITHIN_S
    while True:
        connecting = Client.connect(
            settings.temporal_target,
            namespace=settings.temporal_namespace,
            interceptors=telemetry_interceptors(),
            runtime=runtime,
        )
        try:
            return await asyncio.wait_for(connecting, CONNECT_TRY_S)
        except (RuntimeError, TimeoutError) as absence:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Temporal does not answer at {settings.temporal_target}") from absence
            log.info("temporal.not_there_yet", target=settings.temporal_target, error=str(absence)[:200])
            await asyncio.sleep(1)


async def serve(settings: ServiceSettings) -> None:
    """Work until told to stop; running turns get 30 s to finish."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    client = await connect(settings)
    services = connect_services(settings)
    gc.freeze()  # modules live as long as the process: a full collection need not walk them, which stops all turns for 150 ms
    async with order_worker(client, services), payment_worker(client, services):
        await schedule_sweeps(client)
        log.info("worker.started", target=settings.temporal_target)
        keeping = asyncio.create_task(keep_scheduled(client))
        await beat(stop)
        keeping.cancel()
    log.info("worker.stopped")


async def keep_scheduled(client: Client, every_s: float = KEPT_EVERY_S) -> None:
    """Make sure of the sweeps' schedules again and again, until cancelled: a Temporal that lost its database has lost them too."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await schedule_sweeps(client)
        except RPCError as absence:
            log.info("sweeps.not_scheduled", error=str(absence)[:200])


async def beat(stop: asyncio.Event) -> None:
    """Until told to stop, touch the file by which a supervisor sees that the worker polls and its event loop turns."""
    ready_file = os.environ.get("OMS_READY_FILE")
    while not stop.is_set():
        if ready_file:
            Path(ready_file).touch()  # noqa: ASYNC240  # a local file
        with suppress(TimeoutError):  # not told yet
            await asyncio.wait_for(stop.wait(), BEAT_S)


def main() -> None:
    """Start the worker; a configuration that cannot work ends with a sentence."""
    try:
        settings = read_settings(ServiceSettings)
    except UnusableSettings as refusal:
        print(f"worker: {refusal}", file=sys.stderr)
        sys.exit(78)
    telemetry.configure_logs("worker", settings.log_level)
    telemetry.configure_traces("worker", settings.otlp_endpoint, settings.trace_ratio)
    try:
        asyncio.run(serve(settings))
    except UnsafeConfiguration as refusal:
        print(f"worker: {refusal}", file=sys.stderr)
        sys.exit(78)
    leave()


def leave() -> None:
    """End at once: a thread of the SDK that still lets go of a Python object while the interpreter ends aborts the process."""
    telemetry.end_traces()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
