"""Cancelling units at any time through the real steps and three real services: one outcome, and nobody counts on what is gone."""

from __future__ import annotations

import random

import pytest

from oms.billing.v1 import billing_pb2 as billing_pb
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment_pb
from oms.inventory.v1 import inventory_pb2 as inventory_pb
from oms.orders.v1 import orders_pb2
from tests.billing.desk import order_of
from tests.conftest import MakeDatabase
from tests.fulfillment.desk import DALLAS
from tests.workflows.test_changed_orders import WAREHOUSES, Lines, Orders, World
from workflows.messages import ChangeStep


class CancellingOrders(Orders):
    """Orders whose change cancels units: of what the warehouses carry none is cancelled."""

    world: Cancelling

    async def GetChangedOrder(self, request: orders_pb2.GetChangedOrderRequest) -> orders_pb2.GetChangedOrderResponse:
        return orders_pb2.GetChangedOrderResponse(order=self.changed, is_cancellation=True)

    async def KeepUnits(self, request: orders_pb2.KeepUnitsRequest) -> orders_pb2.KeepUnitsResponse:
        carried = {line.line_id: line.quantity for line in request.carried}
        lines = {
            line.line_id: (max(line.quantity, carried.get(line.line_id, 0)), line.unit_price)
            for line in self.changed.lines
        }
        self.changed = self.world.document(lines)
        is_pending = any(
            line.quantity < before.quantity for line, before in zip(self.changed.lines, self.order.lines, strict=True)
        )
        return orders_pb2.KeepUnitsResponse(is_pending=is_pending, reason="" if is_pending else "all of it is kept")


class Cancelling(World):
    """An order without charges of which units are cancelled."""

    def __init__(self, make_database: MakeDatabase, chance: random.Random) -> None:
        orders = CancellingOrders()
        orders.world = self
        super().__init__(make_database, chance, orders)

    def document(self, lines: Lines) -> orders_pb2.Order:
        order = order_of(lines)
        order.ship_to.CopyFrom(DALLAS)
        order.placed_at_micros = 1_780_000_000_000_000
        order.version = self.version + 1
        return order

    async def cancel(self) -> int:
        """Cancel any units that have not left, as the workflow does; how many were."""
        shipped = self.shipped()
        wanted = {
            line.line_id: (self.chance.randint(shipped.get(line.line_id, 0), line.quantity), line.unit_price)
            for line in self.orders.order.lines
        }
        before = sum(line.quantity for line in self.orders.order.lines)
        self.orders.changed = self.document(wanted)
        change_id = self.step().request_id.replace("/", "-")
        recall = await self.fulfillment.request_recall(ChangeStep(self.step().request_id, "ord_1", change_id))
        if recall.state == "pending":
            await self._answers()
            recall = await self.fulfillment.request_recall(ChangeStep(self.step().request_id, "ord_1", change_id))
        if recall.state != "nothing_to_recall":
            return 0
        assert (await self.billing.adjust_credit(self.credit(change_id))).is_granted
        self.orders.order = self.orders.changed
        self.version += 1
        await self.inventory.adjust_reservation(self.step())
        await self.release()
        return before - sum(line.quantity for line in self.orders.order.lines)

    async def _answers(self) -> None:
        """Each shipment's yes or no, or its warehouse goes on with it."""
        for recall in list(self.warehouse.recalls(limit=500).recalls):
            match self.chance.choice(["yes", "no", "action"]):
                case "yes":
                    self.warehouse.answer(recall.recall_id, yes=True)
                case "no":
                    self.warehouse.answer(recall.recall_id, yes=False, reason="the truck is loaded")
                case "action":
                    wanted = fulfillment_pb.Shipment(shipment_id=recall.lines[0].shipment_id)
                    await self.work(self.warehouse.get(wanted))


@pytest.mark.parametrize("seed", range(6))
async def test_units_cancelled_at_any_time_are_gone_everywhere_and_the_rest_ships(
    make_database: MakeDatabase, seed: int
) -> None:
    chance = random.Random(seed)
    world = Cancelling(make_database, chance)
    for sku in ("SKU-1", "SKU-2"):
        for place in WAREHOUSES:
            world.stock.receive(place, sku, chance.randint(1, 9), "1.00")
    await world.place({"1": (30, "12.34"), "2": (25, "3.33")})

    cancelled = 0
    for _ in range(25):
        match chance.choice(["receive", "work", "work", "cancel"]):
            case "receive":
                world.receive()
                await world.release()
            case "work" if world.open_shipments():
                await world.work(chance.choice(world.open_shipments()))
            case "cancel":
                cancelled += await world.cancel()
        world.agrees()
    wanted = {line.line_id: line.quantity for line in world.orders.order.lines if line.quantity}
    while world.shipped() != wanted:
        world.receive()
        await world.release()
        for shipment in world.open_shipments():
            await world.work(shipment)

    billed = world.desk.billing.ListInvoices(billing_pb.ListInvoicesRequest(order_id="ord_1", limit=500), None)  # type: ignore[arg-type]  # the servicer never looks at its context
    assert cancelled
    assert sum(wanted.values()) + cancelled == 55
    assert sum(each.total.minor_units for each in billed.invoices) == world.orders.order.total.minor_units
    assert world.desk.account() == (0, world.orders.order.total.minor_units)
    held = world.stock.servicer.GetReservation(inventory_pb.GetReservationRequest(order_id="ord_1"), None)
    assert (list(held.allocations), list(held.shortages)) == ([], [])
    world.agrees()
