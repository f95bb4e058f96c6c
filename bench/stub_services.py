"""The stub services of the frame in part (a): each answers the calls of an order's life at once, with nothing behind the answer.

`python -m bench.stub_services up` serves the whole system with them, `python -m bench.stub_services NAME` is one of them. The worker, its
workflows and Temporal are the real ones, and so are the gRPC server, its checks and the HTTP server; there is no rule, no database, no outbox,
no fact and no mail. Orders signals the workflow itself.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from google.protobuf.message_factory import GetMessageClass

from cli import embedded, running
from cli.ports import Ports
from cli.processes import ProcessSpec
from cli.refusals import CommandRefused
from oms.billing.v1 import billing_pb2, billing_pb2_grpc
from oms.fulfillment.v1 import fulfillment_pb2, fulfillment_pb2_grpc
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.orders.settings import Settings
from services.runtime.auth import Authenticator, machine_token
from services.runtime.grpc_client import connect
from services.runtime.grpc_server import GrpcServer
from services.runtime.settings import ServiceSettings, read_settings
from workflows import names
from workflows.client import OrderWorkflows
from workflows.messages import FactNote, OrderRef

ANSWER_WITHIN = timedelta(seconds=20)
LIFETIME_S = 3600
"""No run takes that long: a system that a killed driver left behind ends by itself, and its processes with it."""
_ABSENT = ("migrations", "mail", "stripe")
TOTAL = {"amount": "64.95", "currency": "USD"}

Answer = Callable[[Any], Any]


def specs(var: Path, ports: Ports) -> list[ProcessSpec]:
    """The embedded system's processes, with stubs for its services and without what only the real ones need."""
    return [
        _stubbed(spec) if spec.name in embedded.SERVICES else spec
        for spec in embedded.specs(var, ports)
        if spec.name not in _ABSENT
    ]


def _stubbed(spec: ProcessSpec) -> ProcessSpec:
    after = tuple(name for name in spec.after if name not in _ABSENT)
    uses = tuple(name for name in spec.uses if name not in _ABSENT)
    return replace(spec, command=(sys.executable, "-m", "bench.stub_services", spec.name), after=after, uses=uses)


class StubServicer:
    """A servicer that gives a fixed answer to each call it knows, and an empty message to any other."""

    def __init__(self, name: str, answers: dict[str, Answer]) -> None:
        (self._service,) = importlib.import_module(f"oms.{name}.v1.{name}_pb2").DESCRIPTOR.services_by_name.values()
        self._answers = answers

    def __getattr__(self, rpc: str) -> Callable[[Any, Any], Any]:
        empty = GetMessageClass(self._service.methods_by_name[rpc].output_type)
        answer = self._answers.get(rpc) or (lambda _request: empty())
        return lambda request, _context: answer(request)


# What the steps of a workflow read. Every order has three lines and leaves in one shipment.

_LINES = [f"ol_{number}" for number in range(3)]


def _order(request: Any) -> Any:
    lines = [
        orders_pb2.OrderLine(
            line_id=line,
            sku=f"BENCH-{line}",
            description="Steel bolt",
            kind="good",
            quantity=2,
            unit_price="10",
            extended=types_pb2.Money(minor_units=2000, currency="USD"),
            unit_weight_grams=500,
        )
        for line in _LINES
    ]
    order = orders_pb2.Order(order_id=request.order_id, number="SO-1", version=1, currency="USD", lines=lines)
    return orders_pb2.GetOrderResponse(order=order)


def _allocations() -> list[Any]:
    return [
        inventory_pb2.Allocation(line_id=line, sku=f"BENCH-{line}", warehouse_id="dallas", quantity=2)
        for line in _LINES
    ]


def _shipment(order_id: str) -> Any:
    return fulfillment_pb2.Shipment(
        shipment_id=f"shp_{order_id}",
        number="SH-1",
        order_id=order_id,
        warehouse_id="dallas",
        state=fulfillment_pb2.SHIPMENT_STATE_SHIPPED,
        lines=[fulfillment_pb2.ShipmentLine(line_id=line, sku=f"BENCH-{line}", quantity=2) for line in _LINES],
        carrier="ups",
        tracking_number=f"1Z{order_id}",
    )


def _of(shipment_id: str) -> Any:
    return _shipment(shipment_id.removeprefix("shp_"))


def answers(close: Callable[[str], object]) -> dict[str, dict[str, Answer]]:
    """Service → RPC → answer; `close` is called with each order that is recorded as closed."""
    fulfilled, quote = fulfillment_pb2, fulfillment_pb2.WarehouseQuote(warehouse_id="dallas", cost_minor=900)

    def recorded(request: Any) -> Any:
        if request.milestone == "closed":
            close(request.order_id)
        return orders_pb2.RecordOrderResponse(status=request.milestone)

    return {
        "orders": {
            "GetOrder": _order,
            "ValidateOrder": lambda ask: orders_pb2.ValidateOrderResponse(
                outcome=orders_pb2.VALIDATION_OUTCOME_CLEARED, order=_order(ask).order
            ),
            "RecordOrder": recorded,
        },
        "inventory": {
            "ReserveStock": lambda _: inventory_pb2.ReserveStockResponse(allocations=_allocations()),
            "GetReservation": lambda _: inventory_pb2.GetReservationResponse(allocations=_allocations()),
        },
        "fulfillment": {
            "QuoteWarehouses": lambda _: fulfilled.QuoteWarehousesResponse(quotes=[quote], currency="USD"),
            "ReleaseShipments": lambda ask: fulfilled.ReleaseShipmentsResponse(shipments=[_shipment(ask.order_id)]),
            "ListShipments": lambda ask: fulfilled.ListShipmentsResponse(shipments=[_shipment(ask.order_id)]),
            "GetShipment": lambda ask: fulfilled.GetShipmentResponse(shipment=_of(ask.shipment_id)),
            "PickShipment": lambda ask: fulfilled.PickShipmentResponse(shipment=_of(ask.shipment_id)),
            "PackShipment": lambda ask: fulfilled.PackShipmentResponse(shipment=_of(ask.shipment_id)),
            "ShipShipment": lambda ask: fulfilled.ShipShipmentResponse(shipment=_of(ask.shipment_id)),
        },
        "billing": {"CommitCredit": lambda _: billing_pb2.CommitCreditResponse(is_granted=True)},
        "notifications": {},
    }


class StubApi:
    """The public API as the life in bench/life.py uses it."""

    def __init__(self, settings: Settings) -> None:
        token = machine_token(settings, "orders")
        self._fulfillment = fulfillment_pb2_grpc.FulfillmentServiceStub(connect(settings.fulfillment_target, token))
        self._billing = billing_pb2_grpc.BillingServiceStub(connect(settings.billing_target, token))
        self._workflows = OrderWorkflows(settings.temporal_target, settings.temporal_namespace)
        self._invoiced: dict[str, None] = {}
        self._numbers: dict[str, str] = {}
        self.closed: dict[str, None] = {}

    def app(self) -> FastAPI:
        """Its addresses."""
        app = FastAPI(openapi_url=None)
        app.get("/readyz")(self.ready)
        app.post("/v1/orders")(self.place)
        app.get("/v1/orders")(self.completed)
        app.get("/v1/shipments")(self.shipments)
        app.post("/v1/shipments/{shipment_id}/{verb}")(self.work)
        app.post("/v1/webhooks/carriers/{carrier}")(self.delivered)
        app.get("/v1/invoices")(self.invoices)
        app.post("/v1/payments")(self.pay)
        return app

    def ready(self) -> dict[str, Any]:
        """Always."""
        return {}

    async def place(self, body: dict[str, Any]) -> dict[str, Any]:
        """Start the workflow and wait for its verdict."""
        order_id = f"ord_{uuid.uuid4().hex}"
        number = self._numbers.setdefault(order_id, f"SO-{len(self._numbers) + 1}")
        order = OrderRef(
            order_id,
            number,
            1,
            body["customer_id"],
            "Buyer",
            "web",
            body["po_number"],
            6495,
            "USD",
            "64.95 USD",
            "terms",
        )
        receipt = await self._workflows.place(order, ANSWER_WITHIN)
        return {"order_id": order_id, "phase": receipt.outcome if receipt else "received", "number": number}

    def shipments(self, order_id: str) -> dict[str, Any]:
        """What the warehouse is to send."""
        found = self._fulfillment.ListShipments(fulfillment_pb2.ListShipmentsRequest(order_id=order_id)).shipments
        return {"rows": [{"shipment_id": shipment.shipment_id} for shipment in found]}

    def work(self, shipment_id: str, verb: str) -> dict[str, Any]:
        """Pick, pack or ship; what shipped is signaled to the workflow and counts as invoiced."""
        action = verb.capitalize()
        request = getattr(fulfillment_pb2, f"{action}ShipmentRequest")(
            request_id=uuid.uuid4().hex, shipment_id=shipment_id
        )
        shipment = getattr(self._fulfillment, f"{action}Shipment")(request).shipment
        if verb == "ship":
            self._signal(shipment.order_id, names.SHIPMENT_SHIPPED, shipment_id)
            self._invoiced[shipment.order_id] = None
        return {"carrier": shipment.carrier, "tracking_number": shipment.tracking_number}

    def delivered(self, body: dict[str, Any]) -> dict[str, Any]:
        """Signal the workflow."""
        self._fulfillment.RecordCarrierEvent(fulfillment_pb2.RecordCarrierEventRequest())
        self._signal(body["tracking_number"].removeprefix("1Z"), names.SHIPMENT_DELIVERED)
        return {}

    def invoices(self) -> dict[str, Any]:
        """What is invoiced and not paid."""
        self._billing.ListInvoices(billing_pb2.ListInvoicesRequest())
        rows = [
            {"order_id": order_id, "invoice_id": order_id, "number": order_id, "customer_id": "cus", "total": TOTAL}
            for order_id in list(self._invoiced)
        ]
        return {"rows": rows, "next_cursor": None}

    def pay(self, body: dict[str, Any]) -> dict[str, Any]:
        """Signal the workflow."""
        order_id = body["applications"][0]["invoice_id"]
        self._billing.RecordPayment(billing_pb2.RecordPaymentRequest(request_id=uuid.uuid4().hex))
        self._invoiced.pop(order_id, None)
        self._signal(order_id, names.PAYMENT_SETTLED)
        return {}

    def completed(self) -> dict[str, Any]:
        """The newest orders that were recorded as closed."""
        return {"rows": [{"order_id": order_id} for order_id in list(self.closed)[-40:]], "next_cursor": None}

    def _signal(self, order_id: str, name: str, subject_id: str = "") -> None:
        self._workflows.signal(self._numbers[order_id], name, FactNote(f"fact_{uuid.uuid4().hex}", subject_id))


def serve(name: str) -> None:
    """One service, until its supervisor ends it or is ended."""
    stop_requested = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop_requested.set())
    settings = read_settings(Settings if name == "orders" else ServiceSettings)
    closed: dict[str, None] = {}
    if isinstance(settings, Settings):
        api = StubApi(settings)
        closed = api.closed
        host, _, port = settings.http_listen.rpartition(":")
        config = uvicorn.Config(api.app(), host=host, port=int(port), log_config=None, access_log=False, lifespan="off")
        threading.Thread(target=uvicorn.Server(config).run, daemon=True, name="http").start()
    stub = StubServicer(name, answers(closed.setdefault)[name])
    register = getattr(
        importlib.import_module(f"oms.{name}.v1.{name}_pb2_grpc"), f"add_{name.capitalize()}ServiceServicer_to_server"
    )
    service = f"oms.{name}.v1.{name.capitalize()}Service"
    server = GrpcServer(settings.listen, lambda grpc: register(stub, grpc), service, Authenticator(settings))
    server.start()
    stop_requested.wait()  # the supervisor's end is its end too
    server.stop(1)


def main() -> None:
    """`up` or the name of a service."""
    parser = argparse.ArgumentParser(prog="python -m bench.stub_services")
    parser.add_argument("what", choices=("up", *embedded.SERVICES))
    parser.add_argument("--var", type=Path)
    parser.add_argument("--ports")
    chosen = parser.parse_args()
    if chosen.what != "up":
        serve(chosen.what)
    elif chosen.var is None or chosen.ports is None:
        parser.error("up needs --var and --ports")
    else:
        signal.alarm(LIFETIME_S)
        try:
            running.serve(chosen.var, Ports.parse(chosen.ports), print, specs)
        except CommandRefused as refusal:
            sys.exit(str(refusal))


if __name__ == "__main__":
    main()
