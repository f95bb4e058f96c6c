"""What the worker keeps of orders and shipments, and what it always asks for."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2
from oms.orders.v1 import orders_pb2
from services.kernel.errors import NotFound
from workflows.activities.calls import Services
from workflows.activities.documents import KEPT, LARGEST, Documents
from workflows.activities.fulfillment import FulfillmentActivities
from workflows.activities.orders import OrdersActivities
from workflows.messages import RecordStep, Stop

LEFT = (fulfillment_pb2.SHIPMENT_STATE_SHIPPED, fulfillment_pb2.SHIPMENT_STATE_DELIVERED)
HERE = (
    fulfillment_pb2.SHIPMENT_STATE_RELEASED,
    fulfillment_pb2.SHIPMENT_STATE_PICKED,
    fulfillment_pb2.SHIPMENT_STATE_PACKED,
    fulfillment_pb2.SHIPMENT_STATE_CANCELLED,
)


class World:
    """Orders and fulfillment in memory, which count what they are asked for."""

    def __init__(self) -> None:
        self.version = 1
        self.lines = 1
        self.quantity = 5
        self.state: fulfillment_pb2.ShipmentState.ValueType = fulfillment_pb2.SHIPMENT_STATE_RELEASED
        self.asked: Counter[str] = Counter()
        stubs: Any = (self, None, self, None, None)
        self.services = Services(*stubs)
        self.documents = Documents(self.services)

    async def GetOrder(self, request: orders_pb2.GetOrderRequest) -> orders_pb2.GetOrderResponse:
        self.asked[request.order_id] += 1
        lines = [orders_pb2.OrderLine(line_id=str(number), quantity=self.quantity) for number in range(self.lines)]
        order = orders_pb2.Order(order_id=request.order_id, version=self.version, lines=lines)
        return orders_pb2.GetOrderResponse(order=order)

    async def GetShipment(self, request: fulfillment_pb2.GetShipmentRequest) -> fulfillment_pb2.GetShipmentResponse:
        self.asked[request.shipment_id] += 1
        if request.shipment_id == "shp_nobody":
            raise NotFound("SHIPMENT_NOT_FOUND", "there is no such shipment")
        shipment = fulfillment_pb2.Shipment(shipment_id=request.shipment_id, order_id="ord_1", state=self.state)
        return fulfillment_pb2.GetShipmentResponse(shipment=shipment)

    async def GetClearance(self, request: orders_pb2.GetClearanceRequest) -> orders_pb2.GetClearanceResponse:
        return orders_pb2.GetClearanceResponse(clearance=orders_pb2.Clearance(cancellation_id="can_1"))

    async def CancelShipments(
        self, request: fulfillment_pb2.CancelShipmentsRequest
    ) -> fulfillment_pb2.CancelShipmentsResponse:
        self.asked["stopped"] += 1
        return fulfillment_pb2.CancelShipmentsResponse(cancelled_count=1)

    async def RecordOrder(self, request: orders_pb2.RecordOrderRequest) -> orders_pb2.RecordOrderResponse:
        return orders_pb2.RecordOrderResponse(status=request.milestone)


async def test_a_version_is_asked_for_once() -> None:
    world = World()

    first, second = await world.documents.order("ord_1", 1), await world.documents.order("ord_1", 1)

    assert first == second
    assert world.asked["ord_1"] == 1


async def test_the_next_version_is_asked_for_and_kept_in_its_turn() -> None:
    world = World()
    await world.documents.order("ord_1", 1)
    world.version, world.quantity = 2, 7

    orders = [await world.documents.order("ord_1", 2) for _ in range(2)]

    assert [(order.version, order.lines[0].quantity) for order in orders] == [(2, 7), (2, 7)]
    assert world.asked["ord_1"] == 2


async def test_a_step_of_no_version_reads_the_order_as_it_is_now() -> None:
    world = World()
    await world.documents.order("ord_1", 1)
    world.quantity = 7

    orders = [await world.documents.order("ord_1") for _ in range(2)]

    assert [order.lines[0].quantity for order in orders] == [7, 7]
    assert world.asked["ord_1"] == 3


async def test_a_step_that_a_new_version_overtook_is_given_that_one_each_time_again() -> None:
    world = World()
    world.version = 2

    versions = [(await world.documents.order("ord_1", 1)).version for _ in range(2)]

    assert versions == [2, 2]
    assert world.asked["ord_1"] == 2


@pytest.mark.parametrize(
    ("milestone", "asked"), [("shipped", 1), ("delivered", 1), ("cancelled", 2), ("failed", 2), ("closed", 2)]
)
async def test_an_order_that_ended_is_asked_for_again_because_its_quantities_fall(milestone: str, asked: int) -> None:
    world = World()
    await world.documents.order("ord_1", 1)

    await OrdersActivities(world.services, world.documents).record_order(RecordStep("k", "ord_1", 1, milestone))
    await world.documents.order("ord_1", 1)

    assert world.asked["ord_1"] == asked


async def test_the_worker_keeps_only_so_many_orders_and_no_very_long_one() -> None:
    world = World()
    for number in range(KEPT + 1):
        await world.documents.order(f"ord_{number}", 1)
    world.lines = LARGEST // 4
    await world.documents.order("ord_long", 1)

    for order_id in ("ord_0", f"ord_{KEPT}", "ord_long"):
        await world.documents.order(order_id, 1)

    assert [world.asked[order_id] for order_id in ("ord_0", f"ord_{KEPT}", "ord_long")] == [2, 1, 2]


@pytest.mark.parametrize(("state", "asked"), [*((state, 1) for state in LEFT), *((state, 2) for state in HERE)])
async def test_a_shipment_is_kept_once_it_has_left(state: fulfillment_pb2.ShipmentState.ValueType, asked: int) -> None:
    world = World()
    world.state = state

    for _ in range(2):
        await world.documents.shipment("shp_1")

    assert world.asked["shp_1"] == asked


@pytest.mark.parametrize(
    ("shipment_id", "order_id", "state", "has_left"),
    [
        *(("shp_1", "ord_1", state, True) for state in LEFT),
        *(("shp_1", "ord_1", state, False) for state in HERE),
        ("shp_1", "ord_2", LEFT[0], False),
        ("shp_nobody", "ord_1", LEFT[0], False),
        ("", "ord_1", LEFT[0], False),
    ],
)
async def test_a_shipment_has_left_only_when_fulfillment_says_so_of_this_order(
    shipment_id: str, order_id: str, state: fulfillment_pb2.ShipmentState.ValueType, has_left: bool
) -> None:
    world = World()
    world.state = state

    found = await world.documents.shipment_that_left(shipment_id, order_id)

    assert (found is not None) is has_left


@pytest.mark.parametrize(("cancellation_id", "stopped"), [("can_1", 1), ("can_nobody", 0), ("", 1)])
async def test_shipments_are_stopped_for_a_cancellation_that_waits_and_no_other(
    cancellation_id: str, stopped: int
) -> None:
    world = World()
    activities = FulfillmentActivities(world.services, world.documents)

    answer = await activities.cancel_shipments(Stop("order/ord_1/cancel/1", "ord_1", "", True, cancellation_id))

    assert (world.asked["stopped"], answer.is_asked) == (stopped, bool(stopped))
