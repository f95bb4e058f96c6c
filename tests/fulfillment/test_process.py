from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.fulfillment.__main__ import assemble
from services.fulfillment.settings import Settings
from services.kernel.errors import InvalidArgument
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from services.runtime.process import ServiceProcess
from tests.fulfillment.desk import DALLAS, RATES
from tests.serving import served


class Orders(orders_pb2_grpc.OrdersServiceServicer):
    """Keeps every fact it is told."""

    def __init__(self) -> None:
        self.facts: list[facts_pb2.Fact] = []
        self.heard = Event()

    def RecordFacts(  # gRPC names methods as the proto does
        self, request: orders_pb2.RecordFactsRequest, context: object
    ) -> orders_pb2.RecordFactsResponse:
        self.facts.extend(request.facts)
        self.heard.set()
        return orders_pb2.RecordFactsResponse(recorded_fact_ids=[fact.fact_id for fact in request.facts])


@pytest.fixture
def orders() -> Iterator[tuple[Orders, int]]:
    servicer = Orders()  # type: ignore[abstract]  # only facts are sent to it
    with served(partial(orders_pb2_grpc.add_OrdersServiceServicer_to_server, servicer)) as port:
        yield servicer, port


@pytest.fixture
def process(tmp_path: Path, orders: tuple[Orders, int]) -> Iterator[ServiceProcess]:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/fulfillment.db",
        listen="127.0.0.1:0",
        keys_dir=tmp_path / "keys",
        orders_target=f"127.0.0.1:{orders[1]}",
    )
    process = assemble(settings)
    process.database.migrate()
    process.start()
    yield process
    process.stop(1)


def test_a_real_process_answers_over_grpc_and_tells_the_orders_service(
    process: ServiceProcess, orders: tuple[Orders, int]
) -> None:
    stub = rpc.FulfillmentServiceStub(
        connect(f"127.0.0.1:{process.port}", machine_token(process.settings, "workflows"))
    )
    stub.PutRates(RATES)
    line = pb.ReleaseLine(line_id="L1", sku="A", warehouse_id="W1", quantity=1)
    stub.ReleaseShipments(
        pb.ReleaseShipmentsRequest(request_id="r", order_id="ord_1", order_number="SO-1", ship_to=DALLAS, lines=[line])
    )

    assert orders[0].heard.wait(60)
    (fact,) = orders[0].facts
    assert (fact.WhichOneof("detail"), fact.source, fact.order_id, fact.sequence) == (
        "shipments_released",
        "fulfillment",
        "ord_1",
        1,
    )
    with pytest.raises(InvalidArgument) as refusal:
        stub.PutRates(pb.PutRatesRequest(currency="DOLLARS"))
    assert refusal.value.reason == "CURRENCY_UNKNOWN"
