"""The release step gives the warehouses what of an order its customer's credit covers, on top of what they have."""

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
from workflows.activities.fulfillment import FulfillmentActivities
from workflows.messages import OrderStep, Release

Units = dict[tuple[str, str], int]


class World:
    """An order of two lines, held in two warehouses; billing says how many units of each line are covered."""

    def __init__(
        self, covered: dict[str, int], shipped: Units | None = None, *, is_ship_complete: bool = False
    ) -> None:
        lines = [orders_pb2.OrderLine(line_id=line_id, sku=f"SKU-{line_id}", quantity=10) for line_id in ("1", "2")]
        self.order = orders_pb2.Order(order_id="ord_1", lines=lines, is_ship_complete=is_ship_complete)
        self.covered = covered
        self.shipped = shipped or {}
        self.asked: list[tuple[dict[str, int], dict[str, int]]] = []
        self.released: list[Units] = []

    async def GetOrder(self, _: Any) -> orders_pb2.GetOrderResponse:
        return orders_pb2.GetOrderResponse(order=self.order)

    async def GetReservation(self, _: Any) -> inventory_pb2.GetReservationResponse:
        held = [
            inventory_pb2.Allocation(line_id=line_id, sku=f"SKU-{line_id}", warehouse_id=warehouse, quantity=5)
            for line_id in ("1", "2")
            for warehouse in ("east", "west")
        ]
        return inventory_pb2.GetReservationResponse(allocations=held)

    async def ListShipments(self, _: Any) -> fulfillment_pb2.ListShipmentsResponse:
        return fulfillment_pb2.ListShipmentsResponse(
            shipments=[
                fulfillment_pb2.Shipment(
                    warehouse_id=warehouse,
                    state=fulfillment_pb2.SHIPMENT_STATE_RELEASED,
                    lines=[fulfillment_pb2.ShipmentLine(line_id=line_id, quantity=units)],
                )
                for (line_id, warehouse), units in self.shipped.items()
            ]
            + [
                fulfillment_pb2.Shipment(
                    warehouse_id="east",
                    state=fulfillment_pb2.SHIPMENT_STATE_CANCELLED,
                    lines=[fulfillment_pb2.ShipmentLine(line_id="1", quantity=4)],
                )
            ]
        )

    async def GetCoveredUnits(self, request: billing_pb2.GetCoveredUnitsRequest) -> billing_pb2.GetCoveredUnitsResponse:
        if not request.wanted:
            return billing_pb2.GetCoveredUnitsResponse(is_all=not self.covered)
        released = {line.line_id: line.quantity for line in request.released}
        self.asked.append((released, {line.line_id: line.quantity for line in request.wanted}))
        lines = [types_pb2.LineQuantity(line_id=line_id, quantity=units) for line_id, units in self.covered.items()]
        return billing_pb2.GetCoveredUnitsResponse(lines=lines)

    async def ReleaseShipments(self, request: fulfillment_pb2.ReleaseShipmentsRequest) -> Any:
        self.released.append({(line.line_id, line.warehouse_id): line.quantity for line in request.lines})
        return fulfillment_pb2.ReleaseShipmentsResponse()


async def release(world: World) -> Release:
    stubs: Any = (world, world, world, world, None)
    services = Services(*stubs)
    step = OrderStep("k", "ord_1", version=1)
    return await FulfillmentActivities(services, Documents(services)).release_shipments(step)


ALL = {("1", "east"): 5, ("1", "west"): 5, ("2", "east"): 5, ("2", "west"): 5}


@pytest.mark.parametrize(
    ("covered", "shipped", "goes", "uncovered"),
    [
        ({}, {}, ALL, 0),
        ({"1": 10, "2": 10}, {}, ALL, 0),
        ({"1": 7}, {}, {("1", "east"): 5, ("1", "west"): 2}, 13),
        ({"1": 6, "2": 1}, {("1", "west"): 5}, {("1", "east"): 1, ("1", "west"): 5, ("2", "east"): 1}, 13),
        ({"2": 5}, {("2", "west"): 5}, {("2", "west"): 5}, 15),
        # a warehouse was given more than is held there today: its units count, and nothing is added to them
        ({"1": 7}, {("1", "east"): 7}, {("1", "east"): 5}, 15),
    ],
)
async def test_what_is_covered_goes_from_the_first_warehouse_on(
    covered: dict[str, int], shipped: Units, goes: Units, uncovered: int
) -> None:
    world = World(covered, shipped)

    released = await release(world)

    assert world.released == [goes]
    assert released.uncovered == uncovered
    assert ("units wait for room under the credit limit" in " ".join(released.what)) == bool(uncovered)
    assert len(world.asked) == bool(covered)


async def test_billing_is_told_what_is_with_the_warehouses_already() -> None:
    world = World({"1": 6}, {("1", "west"): 5})

    await release(world)

    assert world.asked == [({"1": 5}, {"1": 10, "2": 10})]


async def test_an_order_that_ships_complete_waits_as_a_whole_for_what_is_not_covered() -> None:
    world = World({"1": 7}, is_ship_complete=True)

    released = await release(world)

    assert (world.released, released.shipments, released.uncovered) == ([], 0, 13)
