"""The release step leaves out what a pending change holds back, and asks which lines that are only when there is one."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from workflows.activities.calls import Services
from workflows.activities.documents import Documents
from workflows.activities.fulfillment import FulfillmentActivities
from workflows.messages import OrderStep


class World:
    """Three services in memory: an order of two lines that are allocated, and a change that holds back the first."""

    def __init__(self, *, is_ship_complete: bool = False) -> None:
        lines = [orders_pb2.OrderLine(line_id=line_id, sku=f"SKU-{line_id}", quantity=5) for line_id in ("1", "2")]
        self.order = orders_pb2.Order(order_id="ord_1", lines=lines, is_ship_complete=is_ship_complete)
        self.asked: list[str] = []
        self.released: list[list[str]] = []

    async def GetOrder(self, request: orders_pb2.GetOrderRequest) -> orders_pb2.GetOrderResponse:
        return orders_pb2.GetOrderResponse(order=self.order)

    async def GetChangedOrder(self, request: orders_pb2.GetChangedOrderRequest) -> orders_pb2.GetChangedOrderResponse:
        self.asked.append(request.change_id)
        return orders_pb2.GetChangedOrderResponse(order=self.order, withheld_line_ids=["1"])

    async def GetReservation(self, request: inventory_pb2.GetReservationRequest) -> Any:
        held = [
            inventory_pb2.Allocation(line_id=line.line_id, sku=line.sku, warehouse_id="wh_dallas", quantity=5)
            for line in self.order.lines
        ]
        return inventory_pb2.GetReservationResponse(allocations=held)

    async def GetCoveredUnits(self, _: billing_pb2.GetCoveredUnitsRequest) -> billing_pb2.GetCoveredUnitsResponse:
        return billing_pb2.GetCoveredUnitsResponse(is_all=True)

    async def ReleaseShipments(self, request: fulfillment_pb2.ReleaseShipmentsRequest) -> Any:
        self.released.append([line.line_id for line in request.lines])
        return fulfillment_pb2.ReleaseShipmentsResponse()


async def released(world: World, change_id: str) -> None:
    stubs: Any = (world, world, world, world, None)
    services = Services(*stubs)
    step = OrderStep("k", "ord_1", change_id, version=1)
    await FulfillmentActivities(services, Documents(services)).release_shipments(step)


@pytest.mark.parametrize(("change_id", "lines"), [("", ["1", "2"]), ("chg_1", ["2"])])
async def test_what_a_change_does_not_touch_is_released_as_usual(change_id: str, lines: list[str]) -> None:
    world = World()

    await released(world, change_id)

    assert world.released == [lines]
    assert world.asked == [change_id] * bool(change_id)


async def test_an_order_that_ships_complete_waits_as_a_whole_for_the_line_that_is_held_back() -> None:
    world = World(is_ship_complete=True)

    await released(world, "chg_1")

    assert world.released == []
