"""Steps of an order that is invoiced by policy or by hand: no invoice comes between a change and its version, and what waits is not left behind."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from workflows.activities.calls import Services
from workflows.activities.documents import Documents
from workflows.activities.orders import OrdersActivities
from workflows.activities.standing import StandingActivities, completeness
from workflows.messages import ApplyStep, Credit, OrderStep, RecordStep


class World:
    """Orders, fulfillment and billing in memory: version 3 of an order, of which two shipments have left and one is invoiced."""

    def __init__(self, invoicing: str, *, is_applied: bool = True) -> None:
        self.invoicing = invoicing
        self.is_applied = is_applied
        self.asked: list[str] = []
        self.applied_with: dict[str, int] = {}
        self.invoiced_at_order: list[str] = []

    async def GetOrder(self, request: orders_pb2.GetOrderRequest) -> orders_pb2.GetOrderResponse:
        order = orders_pb2.Order(
            order_id=request.order_id, version=3, customer_id="cus_1", currency="USD", invoicing=self.invoicing
        )
        return orders_pb2.GetOrderResponse(order=order)

    async def BlockInvoicing(self, request: billing_pb2.BlockInvoicingRequest) -> billing_pb2.BlockInvoicingResponse:
        self.asked.append(f"block below {request.least_version} of {request.customer_id}")
        return billing_pb2.BlockInvoicingResponse(invoiced=[types_pb2.LineQuantity(line_id="1", quantity=2)])

    async def ApplyChange(self, request: orders_pb2.ApplyChangeRequest) -> orders_pb2.ApplyChangeResponse:
        self.asked.append("apply")
        self.applied_with = {line.line_id: line.quantity for line in request.invoiced}
        total = types_pb2.Money(minor_units=100, currency="USD")
        version = 4 if self.is_applied else 3
        return orders_pb2.ApplyChangeResponse(
            is_applied=self.is_applied,
            version=version,
            total=total,
            clearance=orders_pb2.Clearance(state=orders_pb2.CLEARANCE_STATE_CLEARED),
        )

    async def ListShipments(self, request: Any) -> Any:
        left = [
            fulfillment_pb2.Shipment(
                shipment_id=f"shp_{number}", order_id="ord_1", state=fulfillment_pb2.SHIPMENT_STATE_SHIPPED
            )
            for number in (1, 2, 3)
        ]
        return fulfillment_pb2.ListShipmentsResponse(shipments=left)

    async def ListInvoices(self, request: Any) -> Any:
        return billing_pb2.ListInvoicesResponse(
            invoices=[billing_pb2.Invoice(shipment_id="shp_1", shipment_ids=["shp_1"])]
        )

    async def ListBillable(self, request: billing_pb2.ListBillableRequest) -> Any:
        self.asked.append("billable")
        before = [billing_pb2.InvoicedShipment(shipment_id=one) for one in self.invoiced_at_order]
        return billing_pb2.ListBillableResponse(
            shipments=[billing_pb2.BillableShipment(shipment_id="shp_2")], invoiced_at_order=before
        )

    async def InvoiceOrder(self, request: billing_pb2.InvoiceOrderRequest) -> billing_pb2.InvoiceOrderResponse:
        self.asked.append(f"invoice {request.order.order_id} v{request.order.version}")
        return billing_pb2.InvoiceOrderResponse()

    async def RecordOrder(self, request: orders_pb2.RecordOrderRequest) -> orders_pb2.RecordOrderResponse:
        return orders_pb2.RecordOrderResponse(status="accepted", is_invoiced_at_order=self.invoicing == "at_order")

    async def GetReservation(self, request: Any) -> Any:
        return inventory_pb2.GetReservationResponse()

    @property
    def services(self) -> Services:
        stubs: Any = (self, self, self, self, None)
        return Services(*stubs)


async def applied(world: World) -> bool:
    step = ApplyStep("k", "ord_1", "chg_1", Credit(is_granted=True, exposure_minor=0, limit_minor=0), "USD")
    return (await OrdersActivities(world.services, Documents(world.services)).apply_change(step)).is_applied


@pytest.mark.parametrize(("is_applied", "after"), [(True, 4), (False, 3)])
async def test_while_a_change_is_applied_no_invoice_is_made_by_the_version_before(is_applied: bool, after: int) -> None:
    world = World("weekly", is_applied=is_applied)

    assert await applied(world) is is_applied

    assert world.asked == ["block below 4 of cus_1", "apply", f"block below {after} of cus_1"]
    assert world.applied_with == {"1": 2}


@pytest.mark.parametrize("invoicing", ["", "per_shipment"])
async def test_an_order_that_is_invoiced_per_shipment_asks_billing_for_nothing(invoicing: str) -> None:
    world = World(invoicing)

    await applied(world)
    found = await StandingActivities(world.services).check_completeness(OrderStep("k", "ord_1"))

    assert world.asked == ["apply"]
    assert world.applied_with == {}
    assert found.left == ["shp_2", "shp_3"]


async def test_a_shipment_that_billing_invoices_later_is_not_left_without_an_invoice() -> None:
    world = World("monthly")

    found = await StandingActivities(world.services).check_completeness(OrderStep("k", "ord_1"))

    assert found.left == ["shp_3"]


@pytest.mark.parametrize(
    ("invoicing", "milestone", "asked"),
    [
        ("at_order", "accepted", ["invoice ord_1 v3"]),
        ("at_order", "changed", ["invoice ord_1 v3"]),
        ("at_order", "allocated", ["invoice ord_1 v3"]),
        ("at_order", "cancelled", []),
        ("weekly", "accepted", []),
        ("", "accepted", []),
    ],
)
async def test_an_order_is_invoiced_at_order_once_it_is_accepted_and_when_it_has_changed(
    invoicing: str, milestone: str, asked: list[str]
) -> None:
    world = World(invoicing)
    step = RecordStep("k", "ord_1", 3, milestone)

    await OrdersActivities(world.services, Documents(world.services)).record_order(step)

    assert world.asked == asked


async def test_a_shipment_of_an_order_that_was_invoiced_at_order_is_not_left_behind() -> None:
    world = World("at_order")
    world.invoiced_at_order = ["shp_3"]
    found = await StandingActivities(world.services).check_completeness(OrderStep("k", "ord_1"))

    assert found.left == []


def test_the_invoice_of_a_fee_bills_none_of_what_is_still_to_be_invoiced() -> None:
    """2 units have arrived, 1 is invoiced, and a cancellation fee is paid: its line is none of the order's."""
    order = orders_pb2.Order(lines=[orders_pb2.OrderLine(line_id="1", sku="RIG", quantity=2)])
    unit = fulfillment_pb2.ShipmentLine(line_id="1", sku="RIG", quantity=1)
    arrived = [
        fulfillment_pb2.Shipment(shipment_id=one, state=fulfillment_pb2.SHIPMENT_STATE_DELIVERED, lines=[unit])
        for one in ("shp_1", "shp_2")
    ]
    billed = billing_pb2.InvoiceLine(line_id="1", quantity=1)
    goods = billing_pb2.Invoice(shipment_ids=["shp_1"], lines=[billed])
    fee = billing_pb2.Invoice(fee_id="can_1", lines=[billed])

    before = completeness(order, arrived, [goods, fee], ["shp_2"])
    after = completeness(order, arrived, [goods, fee, goods], ["shp_2"])

    assert (before.is_delivered, before.is_settled) == (True, False)
    assert after.is_settled


def test_a_shipment_that_never_left_takes_off_only_what_was_invoiced_of_it() -> None:
    """1 of 4 was invoiced by hand when the ship confirm was reversed; all 4 left again, and are invoiced."""
    order = orders_pb2.Order(lines=[orders_pb2.OrderLine(line_id="1", sku="RIG", quantity=4)])
    four = fulfillment_pb2.ShipmentLine(line_id="1", sku="RIG", quantity=4)
    never = fulfillment_pb2.Shipment(shipment_id="shp_1", state=fulfillment_pb2.SHIPMENT_STATE_PACKED, lines=[four])
    never.reversal.reason = "a mistake"
    left = fulfillment_pb2.Shipment(shipment_id="shp_2", state=fulfillment_pb2.SHIPMENT_STATE_DELIVERED, lines=[four])
    part = billing_pb2.Invoice(
        shipment_ids=["shp_1"], lines=[billing_pb2.InvoiceLine(line_id="1", quantity=1, reversed_quantity=1)]
    )
    rest = billing_pb2.Invoice(shipment_ids=["shp_2"], lines=[billing_pb2.InvoiceLine(line_id="1", quantity=4)])

    assert not completeness(order, [never, left], [part], ["shp_2"]).is_settled
    assert completeness(order, [never, left], [part, rest]).is_settled


def test_a_shipment_that_its_carrier_stopped_is_awaited_no_more() -> None:
    order = orders_pb2.Order(lines=[orders_pb2.OrderLine(line_id="1", sku="PUMP", quantity=1)])
    unit = fulfillment_pb2.ShipmentLine(line_id="1", sku="PUMP", quantity=1)

    def sent(state: str) -> bool:
        shipped = fulfillment_pb2.Shipment(
            shipment_id="shp_1", state=fulfillment_pb2.SHIPMENT_STATE_SHIPPED, lines=[unit]
        )
        shipped.interception.CopyFrom(fulfillment_pb2.ShipmentInterception(state=state))
        return completeness(order, [shipped], []).is_delivered

    assert (sent(""), sent("refused"), sent("intercepted")) == (False, False, True)
