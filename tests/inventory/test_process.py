from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import pytest

from oms.billing.v1 import billing_pb2, billing_pb2_grpc
from oms.facts.v1 import facts_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1 import inventory_pb2_grpc as rpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from oms.types.v1 import types_pb2 as types
from services.inventory.__main__ import assemble
from services.inventory.settings import Settings
from services.kernel.errors import NotFound
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from tests.serving import served


class Orders(orders_pb2_grpc.OrdersServiceServicer):
    """Keeps the facts it is told."""

    def __init__(self) -> None:
        self.facts: list[facts_pb2.Fact] = []
        self.came = Event()

    def RecordFacts(self, request: orders_pb2.RecordFactsRequest, context: Any) -> orders_pb2.RecordFactsResponse:
        self.facts += request.facts
        self.came.set()
        return orders_pb2.RecordFactsResponse(recorded_fact_ids=[fact.fact_id for fact in request.facts])


class Billing(billing_pb2_grpc.BillingServiceServicer):
    """Keeps the movements it is told."""

    def __init__(self) -> None:
        self.facts: list[facts_pb2.Fact] = []
        self.came = Event()

    def PostStockMovements(
        self, request: billing_pb2.PostStockMovementsRequest, context: Any
    ) -> billing_pb2.PostStockMovementsResponse:
        self.facts += request.facts
        self.came.set()
        return billing_pb2.PostStockMovementsResponse(posted_fact_ids=[fact.fact_id for fact in request.facts])


@pytest.fixture
def neighbors() -> Iterator[tuple[Orders, Billing, str]]:
    orders = Orders()  # type: ignore[abstract]  # a relay calls this one RPC alone
    billing = Billing()  # type: ignore[abstract]  # a relay calls this one RPC alone

    def register(server: grpc.Server) -> None:
        orders_pb2_grpc.add_OrdersServiceServicer_to_server(orders, server)
        billing_pb2_grpc.add_BillingServiceServicer_to_server(billing, server)

    with served(register) as port:
        yield orders, billing, f"127.0.0.1:{port}"


def test_a_process_answers_and_tells_each_neighbor_its_facts(
    tmp_path: Path, neighbors: tuple[Orders, Billing, str]
) -> None:
    orders, billing, target = neighbors
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/inventory.db",
        listen="127.0.0.1:0",
        keys_dir=tmp_path / "keys",
        orders_target=target,
        billing_target=target,
    )
    process = assemble(settings)
    process.database.migrate()
    process.start()
    try:
        inventory = rpc.InventoryServiceStub(connect(f"127.0.0.1:{process.port}", machine_token(settings, "test")))
        inventory.PutWarehouse(
            pb.PutWarehouseRequest(warehouse=pb.Warehouse(warehouse_id="w1", name="One", kind="own", is_active=True))
        )
        receipt = pb.ReceiveStockRequest(
            request_id="r1", warehouse_id="w1", sku="A", quantity=3, unit_cost="1.50", currency="USD"
        )
        assert inventory.ReceiveStock(receipt).on_hand == 3
        inventory.ReserveStock(
            pb.ReserveStockRequest(
                request_id="order/o1/reserve/1",
                order_id="o1",
                lines=[types.LineQuantity(line_id="l1", sku="A", quantity=2)],
                costs=[pb.WarehouseCost(warehouse_id="w1", cost_minor=0)],
            )
        )
        with pytest.raises(NotFound, match="there is no warehouse"):
            inventory.ExpectReceipt(
                pb.ExpectReceiptRequest(
                    request_id="e1", warehouse_id="w9", sku="A", quantity=1, expected_on="2026-03-01"
                )
            )

        assert orders.came.wait(60)
        assert billing.came.wait(60)
    finally:
        process.stop(0)
    assert [(fact.WhichOneof("detail"), fact.order_id, fact.source) for fact in orders.facts] == [
        ("stock_reserved", "o1", "inventory")
    ]
    assert [(fact.WhichOneof("detail"), fact.order_id) for fact in billing.facts] == [("stock_received", "")]
