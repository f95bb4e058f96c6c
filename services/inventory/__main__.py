"""Settings → database → servicer → serve; a relay tells orders and billing, a filler goes on with long queues, a keeper ends outages."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from oms.billing.v1 import billing_pb2, billing_pb2_grpc
from oms.facts.v1 import facts_pb2
from oms.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.inventory.domain.facts import FOR_BILLING, FOR_ORDERS
from services.inventory.filler import QueueFiller
from services.inventory.models import Table
from services.inventory.outage_keeper import OutageKeeper
from services.inventory.servicer import InventoryServicer
from services.inventory.settings import Settings
from services.runtime.auth import machine_token
from services.runtime.db import Database
from services.runtime.facts import facts_route
from services.runtime.grpc_client import connect
from services.runtime.process import ServiceProcess, run
from services.runtime.relay import Relay, Route

NAME = "inventory"
MIGRATIONS = Path(__file__).parent / "migrations"
LEDGER_GATHERING = timedelta(milliseconds=200)
"""How long a movement waits for company on its way to the ledger: no order waits for it."""
SERVICE = inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"].full_name


def assemble(settings: Settings) -> ServiceProcess:
    """The process, ready to start."""
    database = Database(settings.database_url, Table.metadata, MIGRATIONS, settings.time_zone)
    servicer = InventoryServicer(database, currency=settings.currency)
    return ServiceProcess(
        NAME,
        settings,
        database,
        register=lambda server: inventory_pb2_grpc.add_InventoryServiceServicer_to_server(servicer, server),
        service=SERVICE,
        background=(Relay(database, _routes(settings)), QueueFiller(database), OutageKeeper(database)),
    )


def _routes(settings: Settings) -> tuple[Route, Route]:
    token = machine_token(settings, NAME)
    orders = orders_pb2_grpc.OrdersServiceStub(connect(settings.orders_target, token))
    billing = billing_pb2_grpc.BillingServiceStub(connect(settings.billing_target, token))

    def send_to_orders(facts: list[facts_pb2.Fact]) -> Iterable[str]:
        return orders.RecordFacts(orders_pb2.RecordFactsRequest(facts=facts)).recorded_fact_ids

    def send_to_billing(facts: list[facts_pb2.Fact]) -> Iterable[str]:
        return billing.PostStockMovements(billing_pb2.PostStockMovementsRequest(facts=facts)).posted_fact_ids

    return (
        facts_route(NAME, FOR_ORDERS, send_to_orders),
        facts_route(NAME, FOR_BILLING, send_to_billing, LEDGER_GATHERING),
    )


if __name__ == "__main__":
    run(NAME, Settings, assemble)
