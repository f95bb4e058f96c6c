"""Steps of exchanges: what is credited of an inspection, and when an order in place of goods is over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from oms.billing.v1 import billing_pb2 as billing
from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.orders.v1 import orders_pb2 as pb
from workflows.activities.billing import BillingActivities
from workflows.activities.documents import Documents
from workflows.activities.exchanges import ExchangeActivities
from workflows.activities.returns import credited_lines
from workflows.activities.standing import completeness
from workflows.messages import OrderStep
from workflows.return_messages import ReturnStep


def test_what_is_replaced_without_documents_is_not_credited() -> None:
    units = [
        facts_pb2.InspectedUnits(line_id="1", quantity=2, disposition="restock", responsible="customer"),
        facts_pb2.InspectedUnits(line_id="1", quantity=2, disposition="scrap", responsible="carrier"),
    ]
    inspection = pb.ReturnInspection(inspection_id="insp_1", units=units, fee_line_ids=["1"], replaced={"1": 3})
    found = pb.ReturnDocument(
        lines=[pb.ReturnLine(line_id="1", sku="PUMP", quantity=4)], inspections=[inspection], fee_percent="15"
    )

    [line] = credited_lines(found, inspection)

    assert (line.line_id, line.quantity, line.fee_percent, line.is_ours) == ("1", 1, "15", False)


def test_units_are_credited_apart_by_whether_the_customer_answers_for_them() -> None:
    units = [
        facts_pb2.InspectedUnits(line_id="1", quantity=2, disposition="restock", responsible="customer"),
        facts_pb2.InspectedUnits(line_id="1", quantity=1, disposition="scrap", responsible="carrier"),
        facts_pb2.InspectedUnits(line_id="1", quantity=1, disposition="scrap", responsible="us"),
    ]
    inspection = pb.ReturnInspection(inspection_id="insp_1", units=units)
    found = pb.ReturnDocument(lines=[pb.ReturnLine(line_id="1", sku="PUMP", quantity=4)], inspections=[inspection])

    lines = credited_lines(found, inspection)

    assert [(line.quantity, line.fee_percent, line.is_ours) for line in lines] == [(2, "", False), (2, "", True)]


def test_an_exchange_is_settled_when_all_has_left_and_what_is_charged_is_billed() -> None:
    order = pb.Order(lines=[pb.OrderLine(line_id="1", quantity=2)], invoicing="exchange")
    gone = fulfillment_pb2.Shipment(
        shipment_id="shp_1",
        state=fulfillment_pb2.SHIPMENT_STATE_DELIVERED,
        lines=[fulfillment_pb2.ShipmentLine(line_id="1", quantity=2)],
    )

    def settled(*, is_open: bool = False, charged: int = 0, shipments: int = 1) -> bool:
        order.is_exchange_open = is_open
        order.charged["1"] = charged
        return completeness(order, [gone] * shipments, [], ["shp_1"]).is_settled

    assert settled()
    assert not settled(is_open=True)
    assert not settled(charged=1)
    assert not settled(shipments=0)


class Billing:
    """Billing, which keeps what it was asked to capture; `SettleExchange` says of an invoice only to who asks first."""

    def __init__(self) -> None:
        self.captured: list[tuple[str, str, str]] = []

    async def SettleExchange(self, _request: billing.SettleExchangeRequest) -> billing.SettleExchangeResponse:
        return billing.SettleExchangeResponse()

    async def ReverseShipmentBilling(
        self, _request: billing.ReverseShipmentBillingRequest
    ) -> billing.ReverseShipmentBillingResponse:
        return billing.ReverseShipmentBillingResponse(outcome="none")

    async def CaptureInvoice(self, request: billing.CaptureInvoiceRequest) -> billing.CaptureInvoiceResponse:
        self.captured.append((request.request_id, request.shipment_id, request.card_token))
        return billing.CaptureInvoiceResponse(state="captured")


class Orders:
    """Orders, with one return that an order by card replaces in advance, and no more calls than a step may make."""

    async def GetReturn(self, _request: pb.GetReturnRequest) -> pb.GetReturnResponse:
        one = pb.Replacement(order_id="ord_2", charged={"1": 1})
        return pb.GetReturnResponse(document=pb.ReturnDocument(return_id="rma_1", replacements=[one]))

    async def GetOrder(self, _request: pb.GetOrderRequest) -> pb.GetOrderResponse:
        return pb.GetOrderResponse(order=pb.Order(order_id="ord_2", invoicing="exchange", payment_method="card"))

    async def GetCard(self, _request: pb.GetCardRequest) -> pb.GetCardResponse:
        return pb.GetCardResponse(token="pm_a")

    async def AdvanceReturn(self, _request: pb.AdvanceReturnRequest) -> pb.AdvanceReturnResponse:
        return pb.AdvanceReturnResponse(next="over")


class Fulfillment:
    """Fulfillment, with a shipment whose ship confirm was reversed."""

    async def GetShipment(self, request: fulfillment_pb2.GetShipmentRequest) -> fulfillment_pb2.GetShipmentResponse:
        reversal = fulfillment_pb2.ShipmentReversal(reason="wrong pallet")
        shipment = fulfillment_pb2.Shipment(shipment_id=request.shipment_id, order_id="ord_2", reversal=reversal)
        return fulfillment_pb2.GetShipmentResponse(shipment=shipment)


async def test_what_an_exchange_by_card_is_charged_is_captured_by_whichever_attempt_comes_so_far() -> None:
    services: Any = SimpleNamespace(billing=Billing(), orders=Orders())

    await ExchangeActivities(services).settle_exchange(ReturnStep("settle", "rma_1"))

    assert services.billing.captured == [("settle/ord_2/capture", "", "pm_a")]


async def test_what_another_shipment_is_charged_for_one_that_never_left_is_captured() -> None:
    services: Any = SimpleNamespace(billing=Billing(), orders=Orders(), fulfillment=Fulfillment())

    await BillingActivities(services, Documents(services)).reverse_shipment_billing(OrderStep("back", "ord_2", "shp_1"))

    assert services.billing.captured == [("back/capture", "", "pm_a")]


async def test_a_capture_reads_no_order() -> None:
    orders: Any = SimpleNamespace(GetCard=Orders().GetCard)
    services: Any = SimpleNamespace(billing=Billing(), orders=orders)

    await BillingActivities(services, Documents(services)).capture_invoice(OrderStep("capture", "ord_2", "shp_1"))

    assert services.billing.captured == [("capture", "shp_1", "pm_a")]
