"""What a recorded milestone promises, and whom it asks for that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from workflows.activities.calls import Services
from workflows.activities.documents import Documents
from workflows.activities.orders import OrdersActivities
from workflows.messages import RecordStep


class World:
    """The three services in memory: six units are on their way, two wait for supply."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.promises: dict[str, int] = {}

    async def RecordOrder(self, request: orders_pb2.RecordOrderRequest) -> orders_pb2.RecordOrderResponse:
        self.promises = {promise.promised_on: promise.quantity for promise in request.promises}
        return orders_pb2.RecordOrderResponse(status=request.milestone)

    async def ListShipments(self, request: fulfillment_pb2.ListShipmentsRequest) -> Any:
        self.asked.append("ListShipments")
        lines = [fulfillment_pb2.ShipmentLine(line_id="1", quantity=6)]
        shipment = fulfillment_pb2.Shipment(promised_on="2026-03-02", lines=lines)
        return fulfillment_pb2.ListShipmentsResponse(shipments=[shipment])

    async def GetReservation(self, request: inventory_pb2.GetReservationRequest) -> Any:
        self.asked.append("GetReservation")
        shortage = inventory_pb2.Shortage(line_id="1", quantity=2, expected_on="2026-04-01")
        return inventory_pb2.GetReservationResponse(shortages=[shortage])


async def recorded(milestone: str, *, is_backordered: bool | None = None) -> World:
    """The fakes after a milestone was recorded."""
    world = World()
    stubs: Any = (world, world, world, None, None)
    services = Services(*stubs)
    step = RecordStep("k", "ord_1", 1, milestone)
    if is_backordered is not None:
        step = replace(step, is_backordered=is_backordered)
    await OrdersActivities(services, Documents(services)).record_order(step)
    return world


@pytest.mark.parametrize("milestone", ["accepted", "changed"])
async def test_an_order_of_which_nothing_waits_is_promised_what_its_shipments_are(milestone: str) -> None:
    world = await recorded(milestone, is_backordered=False)

    assert world.asked == ["ListShipments"]
    assert world.promises == {"2026-03-02": 6}


@pytest.mark.parametrize("milestone", ["accepted", "changed"])
async def test_units_that_wait_are_promised_when_their_supply_is_expected(milestone: str) -> None:
    world = await recorded(milestone, is_backordered=True)

    assert world.promises == {"2026-03-02": 6, "2026-04-01": 2}


async def test_a_step_that_does_not_know_asks() -> None:
    world = await recorded("accepted")

    assert world.promises == {"2026-03-02": 6, "2026-04-01": 2}


async def test_a_fact_that_says_nothing_waits_is_not_believed_because_it_may_be_old() -> None:
    world = await recorded("allocated", is_backordered=False)

    assert world.promises == {"2026-03-02": 6, "2026-04-01": 2}


@pytest.mark.parametrize("milestone", ["shipped", "delivered", "closed", "cancelled"])
async def test_a_milestone_that_promises_nothing_asks_nobody(milestone: str) -> None:
    world = await recorded(milestone)

    assert (world.asked, world.promises) == ([], {})
