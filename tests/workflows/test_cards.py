"""Orders by card: each invoice is captured on a queue of its own, and orders from before there was a provider go as they did."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import cast

import pytest
from temporalio.client import Client

from oms.billing.v1 import billing_pb2
from oms.orders.v1 import orders_pb2
from services.kernel.errors import Refused
from services.orders import models
from services.orders.domain.access import EVERYTHING
from services.orders.order import cards
from services.orders.order.aggregate import Actor
from services.orders.servicer import OrdersServicer
from tests.conftest import MakeDatabase
from tests.orders.desk import ANY, Desk
from tests.workflows.driver import fake_worker, order_ref, payment_worker, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.activities.billing import BillingActivities
from workflows.activities.calls import Services
from workflows.activities.documents import Documents
from workflows.messages import Clearance, Completeness, OrderStep, Standing

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_invoice_is_captured_once_under_a_key_of_its_shipment(temporal: Client) -> None:
    queue, services = uuid.uuid4().hex, FakeServices()

    async with fake_worker(temporal, services, queue), payment_worker(temporal, services):
        order = await place(temporal, order_ref(payment_method="card", pays_by_card=True), queue)
        for shipment_id in ("shp_1", "shp_2"):
            await order.notify(names.SHIPMENT_SHIPPED, shipment_id)
        await until_quiet(order, 23)
        await order.notify(names.SHIPMENT_DELIVERED)
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()

    keys = [f"order/{order.order.order_id}/capture/{shipment_id}" for shipment_id in ("shp_1", "shp_2")]
    assert [services.keys[key] for key in keys] == [1, 1]
    assert services.calls.count("billing.CaptureInvoice") == 2
    assert services.credit_by == ["card"]


async def test_an_order_by_card_from_before_there_was_a_provider_counts_against_credit_and_is_not_captured(
    temporal: Client,
) -> None:
    queue, services = uuid.uuid4().hex, FakeServices()

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(payment_method="card"), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await until_quiet(order, 17)
        await order.handle.terminate()

    assert services.credit_by == ["terms"]
    assert "billing.CaptureInvoice" not in services.calls


async def test_a_run_that_goes_on_for_a_lost_one_captures_what_was_invoiced(temporal: Client) -> None:
    standing = Standing(
        "accepted", Clearance("cleared"), Completeness(True, True), is_accepted=True, has_credit=True, is_reserved=True,
        invoiced=["shp_1"],
    )  # fmt: skip
    queue, services = uuid.uuid4().hex, FakeServices(standing=standing)

    async with fake_worker(temporal, services, queue), payment_worker(temporal, services):
        order = await place(temporal, order_ref(payment_method="card", pays_by_card=True, resumption=1), queue)
        await order.handle.result()

    assert services.keys[f"order/{order.order.order_id}/capture/shp_1"] == 1


async def test_a_run_that_goes_on_captures_nothing_of_an_order_that_billing_counts_against_credit(
    temporal: Client,
) -> None:
    standing = Standing(
        "accepted", Clearance("cleared"), Completeness(True, True), is_accepted=True, has_credit=True, is_reserved=True,
        invoiced=["shp_1"], is_on_credit=True,
    )  # fmt: skip
    queue, services = uuid.uuid4().hex, FakeServices(standing=standing)

    async with fake_worker(temporal, services, queue), payment_worker(temporal, services):
        order = await place(temporal, order_ref(payment_method="card", pays_by_card=True, resumption=1), queue)
        await order.handle.result()

    assert "billing.CaptureInvoice" not in services.calls


class Orders:
    """Orders, as far as its cards go: recorded ones are kept by the real rule of the service."""

    def __init__(self, servicer: OrdersServicer) -> None:
        self._servicer = servicer

    async def GetCard(self, request: orders_pb2.GetCardRequest) -> orders_pb2.GetCardResponse:
        return self._servicer.GetCard(request, ANY)

    async def RecordCard(self, request: orders_pb2.RecordCardRequest) -> orders_pb2.RecordCardResponse:
        return self._servicer.RecordCard(request, ANY)

    async def GetOrder(self, request: orders_pb2.GetOrderRequest) -> orders_pb2.GetOrderResponse:
        return self._servicer.GetOrder(request, ANY)


class Billing:
    """Billing, which says of each card what it is told to, and keeps what it was asked to capture from."""

    def __init__(self, **says: str) -> None:
        self.says = says
        self.captured_from: list[str] = []

    async def AuthorizeCard(self, request: billing_pb2.AuthorizeCardRequest) -> billing_pb2.AuthorizeCardResponse:
        card = self.says[request.card_token]
        if card == "refused":
            raise Refused("CARDS_NOT_TAKEN", "no card is taken here")
        return billing_pb2.AuthorizeCardResponse(card=card)

    async def CaptureInvoice(self, request: billing_pb2.CaptureInvoiceRequest) -> billing_pb2.CaptureInvoiceResponse:
        self.captured_from.append(request.card_token)
        return billing_pb2.CaptureInvoiceResponse(state="captured")


@pytest.mark.parametrize(
    ("says", "used", "left"),
    [
        ({"pm_b": "authorized"}, "pm_b", []),
        ({"pm_b": "declined"}, "pm_a", []),
        ({"pm_b": "nothing"}, "pm_b", []),
        ({"pm_b": "asked"}, "pm_a", ["pm_b"]),
        ({"pm_b": "refused"}, "pm_a", ["pm_b"]),
        ({"pm_b": "authorized", "pm_c": "declined"}, "pm_b", []),
        ({"pm_b": "asked", "pm_c": "authorized"}, "pm_c", []),
        ({"pm_b": "declined", "pm_c": "asked"}, "pm_a", ["pm_c"]),
    ],
)
async def test_the_card_that_is_captured_from_is_the_newest_that_is_good(
    make_database: MakeDatabase, says: dict[str, str], used: str, left: list[str]
) -> None:
    desk = Desk(make_database(models.Table.metadata, "orders"))
    order_id = desk.place(("PUMP", 1), payment_method="card", card_token="pm_a").order_id
    with desk.database.transaction() as session:
        for token in says:
            cards.give(session, order_id, EVERYTHING, f"req/{token}", token, Actor("ann", "customer"), desk.now)
    billing = Billing(**says)
    services = cast("Services", SimpleNamespace(orders=Orders(desk.servicer), billing=billing))
    step = OrderStep("order/capture", order_id, "shp_1")

    for _ in range(2):
        await BillingActivities(services, Documents(services)).capture_invoice(step)

    with desk.database.reading() as session:
        assert [one.token for one in cards.given(session, order_id)] == left
    assert billing.captured_from == [used, used]
