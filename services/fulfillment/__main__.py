"""Settings → database → servicer → serve; the relay hands every fact to the orders service."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2, fulfillment_pb2_grpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.fulfillment.domain.facts import KINDS
from services.fulfillment.models import Table
from services.fulfillment.servicer import FulfillmentServicer
from services.fulfillment.settings import Settings
from services.runtime.auth import machine_token
from services.runtime.db import Database
from services.runtime.facts import facts_route
from services.runtime.grpc_client import connect
from services.runtime.process import ServiceProcess, run
from services.runtime.relay import Relay

NAME = "fulfillment"
MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = fulfillment_pb2.DESCRIPTOR.services_by_name["FulfillmentService"].full_name


def assemble(settings: Settings) -> ServiceProcess:
    """The process, ready to start."""
    database = Database(settings.database_url, Table.metadata, MIGRATIONS, settings.time_zone)
    servicer = FulfillmentServicer(database)
    channel = connect(settings.orders_target, machine_token(settings, NAME))
    orders = orders_pb2_grpc.OrdersServiceStub(channel)

    def send(facts: list[facts_pb2.Fact]) -> Iterable[str]:
        return orders.RecordFacts(orders_pb2.RecordFactsRequest(facts=facts)).recorded_fact_ids

    return ServiceProcess(
        NAME,
        settings,
        database,
        register=lambda server: fulfillment_pb2_grpc.add_FulfillmentServiceServicer_to_server(servicer, server),
        service=SERVICE,
        background=(Relay(database, (facts_route(NAME, KINDS, send),)),),
    )


if __name__ == "__main__":
    run(NAME, Settings, assemble)
