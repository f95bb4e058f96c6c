"""The first steps of an order: what each asks for, and what a try or a later turn must read again."""

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
from workflows.activities.inventory import InventoryActivities
from workflows.activities.orders import OrdersActivities
from workflows.messages import ChangeStep, Credit, OrderStep, Recall, RecordStep, Reservation, ValidateStep


class World:
    """Services in memory that hold what they are asked for and note who asks for a document."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.held = 4
        self.is_repeat = False
        self.is_served = True
        self.is_ship_complete = False
        self.short = 0
        self.changed = orders_pb2.Order()
        self.requested_on = ""
        self.reserved: list[inventory_pb2.ReserveStockRequest] = []
        self.released: list[tuple[str, int]] = []
        self.promised: list[int] = []
        stubs: Any = (self, self, self, self, None)
        services = Services(*stubs)
        documents = Documents(services)
        self._orders = OrdersActivities(services, documents)
        self._stock = InventoryActivities(services, documents)
        self._warehouse = FulfillmentActivities(services, documents)

    @property
    def order(self) -> orders_pb2.Order:
        line = orders_pb2.OrderLine(line_id="1", sku="BOLT", quantity=4, kind="stock", unit_weight_grams=700)
        return orders_pb2.Order(
            order_id="ord_1",
            version=1,
            currency="USD",
            lines=[line],
            is_ship_complete=self.is_ship_complete,
            requested_on=self.requested_on,
        )

    @property
    def allocations(self) -> list[inventory_pb2.Allocation]:
        return [inventory_pb2.Allocation(line_id="1", sku="BOLT", warehouse_id="wh", quantity=self.held)]

    async def GetOrder(self, _: Any) -> orders_pb2.GetOrderResponse:
        self.asked.append("GetOrder")
        return orders_pb2.GetOrderResponse(order=self.order)

    async def ValidateOrder(self, _: Any) -> orders_pb2.ValidateOrderResponse:
        order = None if self.is_repeat else self.order
        return orders_pb2.ValidateOrderResponse(outcome=orders_pb2.VALIDATION_OUTCOME_CLEARED, order=order)

    async def QuoteWarehouses(self, _: Any) -> fulfillment_pb2.QuoteWarehousesResponse:
        tariff = fulfillment_pb2.QuotedTariff(carrier="ups", base_minor=500, per_kg_minor=200, promised_on="2026-12-04")
        quote = fulfillment_pb2.WarehouseQuote(warehouse_id="wh", cost_minor=900, tariffs=[tariff])
        return fulfillment_pb2.QuoteWarehousesResponse(quotes=[quote] if self.is_served else [], currency="EUR")

    async def GetChangedOrder(self, _: Any) -> orders_pb2.GetChangedOrderResponse:
        return orders_pb2.GetChangedOrderResponse(order=self.changed)

    async def RequestRecall(self, _: Any) -> fulfillment_pb2.RequestRecallResponse:
        return fulfillment_pb2.RequestRecallResponse(state=fulfillment_pb2.RECALL_STATE_NOTHING_TO_RECALL)

    async def ReserveStock(self, request: inventory_pb2.ReserveStockRequest) -> inventory_pb2.ReserveStockResponse:
        self.reserved.append(request)
        return inventory_pb2.ReserveStockResponse(allocations=self.allocations, why="wh for 9.00 EUR")

    async def GetReservation(self, _: Any) -> inventory_pb2.GetReservationResponse:
        self.asked.append("GetReservation")
        missing = [inventory_pb2.Shortage(line_id="1", sku="BOLT", quantity=self.short)] if self.short else []
        return inventory_pb2.GetReservationResponse(allocations=self.allocations, shortages=missing)

    async def GetCoveredUnits(self, _: billing_pb2.GetCoveredUnitsRequest) -> billing_pb2.GetCoveredUnitsResponse:
        return billing_pb2.GetCoveredUnitsResponse(is_all=True)

    async def ReleaseShipments(self, request: Any) -> fulfillment_pb2.ReleaseShipmentsResponse:
        self.released.append((request.request_id, sum(line.quantity for line in request.lines)))
        return fulfillment_pb2.ReleaseShipmentsResponse(shipments=[self._shipment()])

    async def ListShipments(self, _: Any) -> fulfillment_pb2.ListShipmentsResponse:
        self.asked.append("ListShipments")
        return fulfillment_pb2.ListShipmentsResponse(shipments=[self._shipment()])

    async def RecordOrder(self, request: Any) -> orders_pb2.RecordOrderResponse:
        self.promised.append(sum(promise.quantity for promise in request.promises))
        return orders_pb2.RecordOrderResponse(status=request.milestone)

    def _shipment(self) -> fulfillment_pb2.Shipment:
        return fulfillment_pb2.Shipment(lines=[fulfillment_pb2.ShipmentLine(line_id="1", quantity=self.held)])

    async def validate(self) -> None:
        credit = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
        await self._orders.validate_order(ValidateStep("validate/1", "ord_1", credit, "USD"))

    async def reserve(self) -> Reservation:
        return await self._stock.reserve_stock(OrderStep("reserve/1", "ord_1", version=1))

    async def recall(self) -> Recall:
        return await self._warehouse.request_recall(ChangeStep("recall/chg_1/1", "ord_1", "chg_1"))

    async def release(self, turn: int) -> None:
        await self._warehouse.release_shipments(OrderStep(f"release/{turn}", "ord_1", version=1))

    async def accept(self) -> None:
        await self._orders.record_order(RecordStep("record", "ord_1", 1, "accepted", is_backordered=False))


async def test_an_order_that_passes_at_once_is_not_asked_for_again() -> None:
    world = World()

    await world.validate()
    await world.reserve()
    await world.release(0)
    await world.accept()

    assert world.asked == ["GetReservation", "ListShipments"]
    assert (world.released, world.promised) == ([("release/0", 4)], [4])


async def test_a_repeat_of_the_evaluation_does_not_carry_the_order_so_it_is_asked_for() -> None:
    world = World()
    world.is_repeat = True

    await world.validate()
    await world.reserve()

    assert world.asked == ["GetOrder"]


async def test_a_release_that_is_tried_again_asks_what_is_held_by_then() -> None:
    world = World()
    await world.validate()
    await world.reserve()

    await world.release(0)
    world.held = 6
    await world.release(0)

    assert world.asked == ["GetReservation", "GetReservation"]
    assert world.released == [("release/0", 4), ("release/0", 6)]


async def test_an_order_that_ships_complete_stays_while_inventory_says_that_something_is_missing() -> None:
    world = World()
    world.is_ship_complete, world.short = True, 2

    await world.release(1)  # as an old fact told, before the order was changed, that nothing waits any more
    before = list(world.released)
    world.short = 0
    await world.release(2)

    assert (before, world.released) == ([], [("release/2", 4)])


async def test_inventory_is_told_every_tariff_weight_and_delay_and_the_history_says_why() -> None:
    world = World()
    world.requested_on = "2026-12-01"

    held = await world.reserve()

    [asked] = world.reserved
    [tariff] = asked.costs[0].tariffs
    assert (tariff.carrier, tariff.base_minor, tariff.per_kg_minor, tariff.promised_on) == (
        "ups",
        500,
        200,
        "2026-12-04",
    )
    assert [(one.sku, one.grams) for one in asked.unit_weights] == [("BOLT", 700)]
    assert (tariff.late_days, asked.currency) == (3, "EUR")
    assert held.why == "wh for 9.00 EUR"
    assert "9.00 EUR" in held.sources[0]


async def test_where_no_carrier_goes_nothing_is_reserved() -> None:
    world = World()
    world.is_served = False

    held = await world.reserve()

    assert held == Reservation(0, 0, is_undeliverable=True)


@pytest.mark.parametrize(
    ("region", "quantity", "is_served", "state"),
    [
        ("AK", 4, False, "refused"),
        ("", 5, False, "refused"),
        ("", 3, False, "nothing_to_recall"),
        ("AK", 4, True, "nothing_to_recall"),
    ],
)
async def test_a_change_that_nobody_can_carry_is_refused_before_anything_is_done(
    region: str, quantity: int, is_served: bool, state: str
) -> None:
    world = World()
    world.is_served = is_served
    world.changed.CopyFrom(world.order)
    world.changed.ship_to.region = region
    world.changed.lines[0].quantity = quantity

    assert (await world.recall()).state == state
