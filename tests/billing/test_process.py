"""The billing process as a whole: real gRPC in, facts out to an orders service that keeps them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.billing.v1 import billing_pb2_grpc as rpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.billing.__main__ import assemble
from services.billing.settings import Settings
from services.kernel.errors import InvalidArgument
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from tests.billing.desk import order_of
from tests.billing.test_wire import invoice_request
from tests.serving import served


class KeepingOrders(orders_pb2_grpc.OrdersServiceServicer):
    """An orders service that keeps facts and refuses the first call, as one that just restarts does."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.has_both = threading.Event()
        self._is_first = True

    def RecordFacts(
        self, request: orders_pb2.RecordFactsRequest, context: grpc.ServicerContext
    ) -> orders_pb2.RecordFactsResponse:
        if self._is_first:
            self._is_first = False
            context.abort(grpc.StatusCode.UNAVAILABLE, "starting")
        self.kinds += [str(fact.WhichOneof("detail")) for fact in request.facts]
        if len(self.kinds) >= 2:
            self.has_both.set()
        return orders_pb2.RecordFactsResponse(recorded_fact_ids=[fact.fact_id for fact in request.facts])


@pytest.fixture
def orders() -> Iterator[tuple[KeepingOrders, int]]:
    servicer = KeepingOrders()  # type: ignore[abstract]  # the relay calls nothing else
    with served(partial(orders_pb2_grpc.add_OrdersServiceServicer_to_server, servicer)) as port:
        yield servicer, port


def test_an_invoice_and_its_payment_reach_orders_although_it_was_away(
    tmp_path: Path, orders: tuple[KeepingOrders, int]
) -> None:
    keeping, port = orders
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/billing.db",
        listen="127.0.0.1:0",
        keys_dir=tmp_path / "keys",
        orders_target=f"127.0.0.1:{port}",
    )
    process = assemble(settings)
    process.database.migrate()
    process.start()
    billing = rpc.BillingServiceStub(connect(f"127.0.0.1:{process.port}", machine_token(settings, "workflows")))

    request = invoice_request()
    issued = billing.IssueInvoice(request).invoice
    billing.RecordPayment(
        pb.RecordPaymentRequest(
            request_id="p", customer_id=order_of({}).customer_id, amount=issued.total, reference="BANK-1"
        )
    )
    document = billing.RenderInvoice(pb.RenderInvoiceRequest(invoice=issued.number))
    with pytest.raises(InvalidArgument) as refusal:
        billing.GetInvoice(pb.GetInvoiceRequest())
    notified = keeping.has_both.wait(timeout=60)
    process.stop()

    assert notified
    assert keeping.kinds == ["invoice_issued", "payment_received"]
    assert refusal.value.reason == "FIELD_MISSING"
    assert (document.number, document.pdf[:5]) == (issued.number, b"%PDF-")
