"""Settings → database → servicer and HTTP API → serve; the relay sends mails, starts workflows and signals them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import grpc

from gateway.app import create_app
from gateway.http.neighbors.carrier_secrets import LocalSecrets, given_secrets
from gateway.http.plumbing.deps import ApiSettings, ConsoleSettings, Deps
from gateway.http.plumbing.health import grpc_probe
from gateway.server import Bounds, HttpServer
from oms.billing.v1.billing_pb2_grpc import BillingServiceStub
from oms.fulfillment.v1.fulfillment_pb2_grpc import FulfillmentServiceStub
from oms.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from oms.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.kernel.clock import Clock, utc_now
from services.orders.domain.mails import Contacts
from services.orders.domain.tax_engine import OwnRates, TaxDesk
from services.orders.lifecycle import dead_letters
from services.orders.lifecycle.tax_asker import TaxAsker
from services.orders.models import Table
from services.orders.relay import routes
from services.orders.returns.photo_files import PhotoFiles
from services.orders.returns.photo_sweep import PhotoSweep
from services.orders.servicer import OrdersServicer
from services.orders.settings import Settings
from services.orders.tax_engine.avatax import Account, AvaTax
from services.orders.tax_engine.desk import EngineDesk
from services.runtime.auth import Authenticator, machine_token
from services.runtime.db import Database
from services.runtime.grpc_client import Unreachable, connect
from services.runtime.process import ServiceProcess, run
from services.runtime.relay import Relay

NAME = "orders"
MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = orders_pb2.DESCRIPTOR.services_by_name["OrdersService"].full_name


class TemporalDoor:
    """Closes the Temporal client's thread when the process stops; it opens by itself."""

    def __init__(self, settings: Settings) -> None:
        self.workflows = routes.open_workflows(settings.temporal_target, settings.temporal_namespace)

    def start(self) -> None:
        """Nothing to do: it connects when first used."""

    def stop(self) -> None:
        """End its thread."""
        self.workflows.close()

    def probe(self) -> None:
        """Raise Unreachable while Temporal does not answer."""
        try:
            is_there = asyncio.run(self.workflows.is_reachable())
        except RuntimeError as away:  # what the SDK raises while it has never been connected
            raise Unreachable("Temporal cannot be reached") from away
        if not is_there:
            raise Unreachable("Temporal does not answer")


class OrdersProcess(ServiceProcess):
    """The orders process also serves HTTP."""

    http: HttpServer


def assemble(settings: Settings, clock: Clock = utc_now) -> OrdersProcess:
    """The process, ready to start; `http.port` is known at once."""
    known = (settings.time_zone, settings.currency, settings.selling_company)
    database = Database(settings.database_url, Table.metadata, MIGRATIONS, *known)
    photos = PhotoFiles(settings.photos)
    servicer = OrdersServicer(database, _contacts(settings), clock, photos)
    door = TemporalDoor(settings)
    channels = _channels(settings)
    engine = _tax_engine(settings)
    desk: TaxDesk = EngineDesk(engine) if engine else OwnRates()
    asker = TaxAsker(database, desk, _contacts(settings), clock)
    app = create_app(_deps(settings, database, door, channels, desk, clock))
    http = HttpServer(app, settings.http_listen, _bounds(settings))
    notifications = NotificationsServiceStub(channels["notifications"])
    relay = Relay(database, routes.routes(database, notifications.NotifyAll, door.workflows, clock), clock)
    process = OrdersProcess(
        NAME,
        settings,
        database,
        register=lambda server: orders_pb2_grpc.add_OrdersServiceServicer_to_server(servicer, server),
        service=SERVICE,
        background=(*([engine] if engine else []), door, relay, asker, PhotoSweep(database, photos, clock), http),
        backlog=dead_letters.backlog,
    )
    process.http = http
    return process


def _tax_engine(settings: Settings) -> AvaTax | None:
    """The engine that orders are taxed by; None where our own rates count."""
    key = settings.tax_engine_key.get_secret_value()
    company, within_s = settings.tax_engine_company, settings.tax_engine_timeout_s
    account = Account(settings.tax_engine_url, key, company, settings.ships_from, settings.tax_codes, within_s)
    return AvaTax(account) if settings.tax_engine_url else None


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        head_s=settings.http_head_s,
        body_s=settings.http_body_s,
        files_s=settings.http_files_s,
        read_s=settings.http_read_s,
        idle_s=settings.http_idle_s,
        connections=settings.http_connections,
        per_address=settings.http_connections_per_address,
    )


def _contacts(settings: Settings) -> Contacts:
    return Contacts(
        warehouse_manager=settings.warehouse_manager_email,
        accounting=settings.accounting_email,
        support=settings.support_email,
        feedback_url=settings.feedback_url or f"{settings.public_url}/my/orders/{{order_id}}#feedback",
        public_url=settings.public_url,
    )


def _channels(settings: Settings) -> dict[str, grpc.Channel]:
    token = machine_token(settings, NAME)
    targets = {
        "inventory": settings.inventory_target,
        "fulfillment": settings.fulfillment_target,
        "billing": settings.billing_target,
        "notifications": settings.notifications_target,
    }
    return {name: connect(target, token) for name, target in targets.items()}


def _deps(
    settings: Settings,
    database: Database,
    door: TemporalDoor,
    channels: dict[str, grpc.Channel],
    desk: TaxDesk,
    clock: Clock,
) -> Deps:
    given = settings.carrier_secrets
    is_embedded = settings.mode == "embedded"
    carrier_secrets = LocalSecrets(settings.keys_dir) if is_embedded and not given else given_secrets(given)
    return Deps(
        database=database,
        clock=clock,
        authenticator=Authenticator(settings),
        workflows=door.workflows,
        inventory=InventoryServiceStub(channels["inventory"]),
        fulfillment=FulfillmentServiceStub(channels["fulfillment"]),
        billing=BillingServiceStub(channels["billing"]),
        notifications=NotificationsServiceStub(channels["notifications"]),
        probes={"temporal": door.probe, **{name: grpc_probe(channel) for name, channel in channels.items()}},
        contacts=_contacts(settings),
        taxes=desk,
        disk=settings.disk,
        photos=PhotoFiles(settings.photos),
        settings=ApiSettings(
            carrier_secrets=carrier_secrets,
            stripe_webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
            support_email=settings.support_email,
            overdue=timedelta(minutes=settings.overdue_minutes),
        ),
        console=_console(settings),
    )


def _console(settings: Settings) -> ConsoleSettings:
    return ConsoleSettings(
        public_url=settings.public_url,
        temporal_ui_url=settings.temporal_ui_url,
        temporal_namespace=settings.temporal_namespace,
        oidc_issuer=settings.oidc_issuer,
        oidc_client_id=settings.oidc_client_id,
        oidc_client_secret=settings.oidc_client_secret,
        formats=settings.formats,
        company_name=settings.company_name,
        country=settings.company_country,
    )


if __name__ == "__main__":
    run(NAME, Settings, assemble)
