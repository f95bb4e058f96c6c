"""The whole system in one process: Temporal, five services on real gRPC, the worker, a mail sink, and the HTTP API."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import psutil
from pydantic import SecretStr
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from bench.ports import free_port
from services.billing.__main__ import assemble as assemble_billing
from services.billing.fake_stripe.server import FakeStripe
from services.billing.settings import Settings as BillingSettings
from services.fulfillment.__main__ import assemble as assemble_fulfillment
from services.fulfillment.settings import Settings as FulfillmentSettings
from services.inventory.__main__ import assemble as assemble_inventory
from services.inventory.settings import Settings as InventorySettings
from services.kernel.clock import utc_now
from services.notifications.__main__ import assemble as assemble_notifications
from services.notifications.settings import NotificationsSettings
from services.notifications.sink import MailSink
from services.orders.__main__ import assemble as assemble_orders
from services.orders.settings import Settings as OrdersSettings
from services.runtime.auth import LocalIssuer
from services.runtime.process import ServiceProcess
from tests import postgres
from tests.databases import migrated_url
from tests.temporal import patient, temporal_environment
from tests.threads import at_once
from workflows.activities.calls import connect_services
from workflows.client import telemetry_interceptors
from workflows.names import order_workflow_id
from workflows.worker import order_worker, payment_worker

Result = TypeVar("Result")

SERVICES = ("orders", "inventory", "fulfillment", "billing", "notifications")
STRIPE_KEY, STRIPE_SECRET = "sk_test_system", "whsec_system"
PART_S = 60.0
"""How long a part of the system may take to start, to stop, or to do what it is asked."""


class System:
    """Everything, on free loopback ports; `kind` is sqlite or postgres. Use as a context manager.

    What has started is stopped again, each part within its time, however far the start came.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.kind = kind
        self.sink = MailSink(port=free_port())
        self.ports = {name: free_port() for name in SERVICES}
        self.http_port = free_port()
        self.base_url = f"http://127.0.0.1:{self.http_port}"
        self.stripe = FakeStripe(
            folder / "stripe.db",
            key=STRIPE_KEY,
            webhook_url=f"{self.base_url}/v1/webhooks/payments/stripe",
            webhook_secret=STRIPE_SECRET,
            clock=self.now,
        )
        self.temporal_port = free_port()
        self.temporal_target = f"127.0.0.1:{self.temporal_port}"
        self.processes: dict[str, ServiceProcess] = {}
        self.skipped = timedelta()
        self.billing_ahead = timedelta()
        self.lost = ""
        self.orders_settings: dict[str, Any] = {}
        self.temporal: Client
        self.worker: Worker
        self._moved: dict[str, timedelta] = {}
        self._urls: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="system")
        self._started = ExitStack()
        self._entered = AsyncExitStack()
        self._has_payment_worker = False
        self._clients: dict[tuple[str, str | None], httpx.Client] = {}

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._start(undo)
            self._started = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._started.close()

    def _start(self, undo: ExitStack) -> None:
        undo.callback(self._drop_databases)
        self._thread.start()
        undo.callback(self._end_loop)
        within_time(self.sink.start)
        undo.callback(within_time, self.sink.stop)
        within_time(self.stripe.start)
        undo.callback(within_time, self.stripe.stop)
        undo.callback(self._stop_services)
        undo.callback(self._end_temporal)
        self.on_loop(self._start_temporal())
        for name in SERVICES:
            self.start_service(name)
        self.on_loop(self.start_worker())
        self.issuer = LocalIssuer(self.folder / "keys")
        undo.callback(self._close_clients)

    def on_loop(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the system's event loop and give its result."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout=PART_S)
        except TimeoutError:
            future.cancel()
            raise

    def api(self, role: str, company: str | None = None) -> httpx.Client:
        """An HTTP client that carries a token of this role."""
        key = (role, company)
        if key not in self._clients:
            token = self.issuer.token(sub=f"{role}@{company or 'staff'}", roles=[role], company=company)
            self._clients[key] = httpx.Client(
                base_url=self.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=PART_S
            )
        return self._clients[key]

    def now(self) -> datetime:
        """The clock of the orders service: as late as the orders were moved forward."""
        return utc_now() + self.skipped

    def pass_time(self, span: timedelta) -> None:
        """Move the clock of the orders service forward, for good."""
        self.skipped += span

    def skip(self, order_id: str, span: timedelta) -> None:
        """Move the clock of the orders service forward, and one order's workflow to it; returns when its timers have fired."""
        self.pass_time(span)
        behind = self.skipped - self._moved.get(order_id, timedelta())
        self._moved[order_id] = self.skipped
        self.on_loop(TimeSkipper(self.temporal).fast_forward(self.workflow(order_id), behind))

    def workflow(self, order_id: str) -> WorkflowHandle[Any, Any]:
        """The workflow of an order, which is found by the order's number."""
        order = self.api("auditor").get(f"/v1/orders/{order_id}").raise_for_status().json()
        return self.temporal.get_workflow_handle(order_workflow_id(order["number"]))

    def start_service(self, name: str) -> None:
        """Start one service on its own database, as its process would."""
        self.processes[name] = self._assemble(name)
        within_time(self.processes[name].start)

    def restart_orders(self, **settings: Any) -> None:
        """Orders anew, told this beside what every test's are."""
        self.stop_service("orders")
        self.orders_settings = settings
        self.start_service("orders")

    def stop_service(self, name: str) -> None:
        """Stop one service; `start_service` brings it back on the same database and port."""
        process = self.processes.pop(name)
        within_time(lambda: process.stop(0.5))

    def _stop_services(self) -> None:
        stops = [functools.partial(process.stop, 1) for process in self.processes.values()]
        at_once(stops, PART_S)

    def _close_clients(self) -> None:
        for client in self._clients.values():
            client.close()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _drop_databases(self) -> None:
        if self.kind == "postgres":
            for url in self._urls.values():
                postgres.drop(url)

    async def _start_temporal(self) -> None:
        environment = temporal_environment(skips_time=False, port=self.temporal_port)
        await self._entered.enter_async_context(environment)
        self.temporal = await Client.connect(self.temporal_target, interceptors=telemetry_interceptors())

    def lose_temporal(self) -> None:
        """Temporal comes back at its address without anything that it knew, and the worker with it."""
        self._end_temporal()
        self._entered = AsyncExitStack()
        self._has_payment_worker = False
        self.on_loop(self._start_temporal())
        self.on_loop(self.start_worker())

    def _end_temporal(self) -> None:
        """End the worker and the server; one that does not end, or never said that it had started, is killed."""
        try:
            self.on_loop(self._entered.aclose())
        finally:
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    if str(self.temporal_port) in child.cmdline():
                        child.kill()

    async def start_worker(self) -> None:
        """Start the worker on the system's loop."""
        services = connect_services(InventorySettings(**self._common("worker")))
        self.worker = patient(order_worker(self.temporal, services))
        await self._entered.enter_async_context(self.worker)
        if not self._has_payment_worker:
            self._has_payment_worker = True
            await self._entered.enter_async_context(payment_worker(self.temporal, services))

    def _common(self, name: str) -> dict[str, Any]:
        targets = {f"{service}_target": f"127.0.0.1:{port}" for service, port in self.ports.items()}
        return {
            **targets,
            "listen": f"127.0.0.1:{self.ports.get(name, 0)}",
            "temporal_target": self.temporal_target,
            "keys_dir": self.folder / "keys",
            "database_url": self._database_url(name) if name in SERVICES else "sqlite:///no-database-of-its-own",
        }

    def _database_url(self, name: str) -> str:
        if name not in self._urls:
            self._urls[name] = migrated_url(self.kind, name, self.folder)
        return self._urls[name]

    def _assemble(self, name: str) -> ServiceProcess:
        common = self._common(name)
        makers: dict[str, Callable[[], ServiceProcess]] = {
            "orders": lambda: assemble_orders(
                OrdersSettings(
                    **common,
                    http_listen=f"127.0.0.1:{self.http_port}",
                    photos_folder=self.folder / "return-photos",
                    stripe_webhook_secret=SecretStr(STRIPE_SECRET),
                    **self.orders_settings,
                ),
                self.now,
            ),
            "inventory": lambda: assemble_inventory(InventorySettings(**common)),
            "fulfillment": lambda: assemble_fulfillment(FulfillmentSettings(**common)),
            "billing": lambda: assemble_billing(
                BillingSettings(
                    **common,
                    stripe_key=SecretStr(STRIPE_KEY),
                    stripe_url=self.stripe.url,
                    company_address="4100 Irving Blvd|Dallas, TX 75247",
                    company_tax_id="75-2904417",
                ),
                lambda: utc_now() + self.billing_ahead,
            ),
            "notifications": lambda: assemble_notifications(NotificationsSettings(**common, smtp_port=self.sink.port)),
        }
        return makers[name]()


def within_time(act: Callable[[], object]) -> None:
    """Do it, on a thread that is not waited for longer than a part may take."""
    at_once([act], PART_S)
