"""Settings → database → servicer → serve; the relay tells orders of every shipment and billing of deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from oms.billing.v1 import billing_pb2, billing_pb2_grpc
from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2, fulfillment_pb2_grpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.fulfillment.carriers import SandboxCarriers
from services.fulfillment.domain.facts import FOR_BILLING, KINDS
from services.fulfillment.models import Table
from services.fulfillment.servicer import FulfillmentServicer
from services.fulfillment.settings import Settings
from services.runtime.auth import machine_token
from services.runtime.db import Database
from services.runtime.facts import facts_route
from services.runtime.grpc_client import connect
from services.runtime.process import ServiceProcess, run
from services.runtime.relay import Relay, Route

NAME = "fulfillment"
BILLING_GATHERING = timedelta(milliseconds=200)
"""How long a delivery waits for company on its way to billing: due dates are days."""
MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = fulfillment_pb2.DESCRIPTOR.services_by_name["FulfillmentService"].full_name


def assemble(settings: Settings) -> ServiceProcess:
    """The process, ready to start."""
    database = Database(settings.database_url, Table.metadata, MIGRATIONS, settings.time_zone)
    carriers = SandboxCarriers() if settings.carriers else None
    servicer = FulfillmentServicer(database, carriers=carriers, packing=settings.packing)
    return ServiceProcess(
        NAME,
        settings,
        database,
        register=lambda server: fulfillment_pb2_grpc.add_FulfillmentServiceServicer_to_server(servicer, server),
        service=SERVICE,
        background=(Relay(database, _routes(settings)),),
    )


def _routes(settings: Settings) -> tuple[Route, Route]:
    token = machine_token(settings, NAME)
    orders = orders_pb2_grpc.OrdersServiceStub(connect(settings.orders_target, token))
    billing = billing_pb2_grpc.BillingServiceStub(connect(settings.billing_target, token))

    def send_to_orders(facts: list[facts_pb2.Fact]) -> Iterable[str]:
        return orders.RecordFacts(orders_pb2.RecordFactsRequest(facts=facts)).recorded_fact_ids

    def send_to_billing(facts: list[facts_pb2.Fact]) -> Iterable[str]:
        return billing.RecordDeliveries(billing_pb2.RecordDeliveriesRequest(facts=facts)).recorded_fact_ids

    return (
        facts_route(NAME, KINDS, send_to_orders),
        facts_route(NAME, FOR_BILLING, send_to_billing, BILLING_GATHERING),
    )


if __name__ == "__main__":
    run(NAME, Settings, assemble)
