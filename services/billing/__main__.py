"""The billing process: `python -m services.billing`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from oms.billing.v1 import billing_pb2_grpc as rpc
from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2, fulfillment_pb2_grpc
from oms.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.billing.cards.asker import Asker
from services.billing.cards.desk import CardDesk
from services.billing.cards.stripe_provider import StripeProvider
from services.billing.domain.corrections import parse_limits
from services.billing.domain.facts import FACT_KINDS
from services.billing.invoice_runner import InvoiceRunner
from services.billing.models import Table
from services.billing.servicer import BillingServicer
from services.billing.servicer_labels import LabelSources
from services.billing.settings import Settings
from services.kernel.clock import Clock, utc_now
from services.kernel.text import split_lines
from services.runtime.auth import machine_token
from services.runtime.db import Database
from services.runtime.facts import facts_route
from services.runtime.grpc_client import connect
from services.runtime.process import ServiceProcess, run
from services.runtime.relay import Relay


def assemble(settings: Settings, clock: Clock = utc_now) -> ServiceProcess:
    """Database → servicer → server, with the relay that tells orders of invoices and payments, what asks the payment provider, and what invoices by policy."""
    database = Database(settings.database_url, Table.metadata, Path(__file__).parent / "migrations", settings.time_zone)
    key = settings.stripe_key.get_secret_value()
    desk = CardDesk(database, StripeProvider(key, settings.stripe_url) if key else None, clock)
    token = machine_token(settings, "billing")
    orders = orders_pb2_grpc.OrdersServiceStub(connect(settings.orders_target, token))
    sources = _label_sources(settings, orders, token)

    def send_to_orders(facts: list[facts_pb2.Fact]) -> Iterable[str]:
        """Hand facts to orders and give the ids it keeps."""
        return orders.RecordFacts(orders_pb2.RecordFactsRequest(facts=facts)).recorded_fact_ids

    def read_order(order_id: str) -> orders_pb2.Order:
        """An order as it stands."""
        return orders.GetOrder(orders_pb2.GetOrderRequest(order_id=order_id)).order

    limits = parse_limits(settings.second_person_over)
    servicer = BillingServicer(database, clock, desk, limits, settings.seller, read_order, sources)
    runner = InvoiceRunner(database, read_order, clock)
    servicer.wake_invoicing = runner.wake
    return ServiceProcess(
        "billing",
        settings,
        database,
        register=lambda server: rpc.add_BillingServiceServicer_to_server(servicer, server),
        service="oms.billing.v1.BillingService",
        background=(Relay(database, [facts_route("billing", FACT_KINDS, send_to_orders)]), Asker(desk), runner),
    )


def _label_sources(
    settings: Settings, orders: orders_pb2_grpc.OrdersServiceStub, token: Callable[[], str]
) -> LabelSources:
    inventory = inventory_pb2_grpc.InventoryServiceStub(connect(settings.inventory_target, token))
    fulfillment = fulfillment_pb2_grpc.FulfillmentServiceStub(connect(settings.fulfillment_target, token))

    def read_label(return_id: str) -> orders_pb2.GetReturnLabelResponse:
        """What the label of a return says."""
        return orders.GetReturnLabel(orders_pb2.GetReturnLabelRequest(return_id=return_id))

    def warehouses() -> Sequence[inventory_pb2.Warehouse]:
        """All warehouses with their addresses."""
        return inventory.ListWarehouses(inventory_pb2.ListWarehousesRequest()).warehouses

    def read_shipment(shipment_id: str) -> fulfillment_pb2.Shipment:
        """A shipment with its packages."""
        return fulfillment.GetShipment(fulfillment_pb2.GetShipmentRequest(shipment_id=shipment_id)).shipment

    return LabelSources(read_label, warehouses, split_lines(settings.return_address), read_shipment)


if __name__ == "__main__":
    run("billing", Settings, assemble)
