"""Changing an order through the real steps and three real services: what one of them gives up, no other still counts on."""

from __future__ import annotations

import random
from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as billing_pb
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment_pb
from oms.inventory.v1 import inventory_pb2 as inventory_pb
from oms.orders.v1 import orders_pb2
from services.billing import models as billing_models
from services.fulfillment import models as fulfillment_models
from services.inventory import models as inventory_models
from tests.billing.desk import Desk, order_of
from tests.conftest import MakeDatabase
from tests.fulfillment.desk import DALLAS, WarehouseDesk
from tests.inventory.stockroom import Stockroom
from workflows.activities.billing import BillingActivities
from workflows.activities.calls import Services
from workflows.activities.documents import Documents
from workflows.activities.fulfillment import FulfillmentActivities
from workflows.activities.inventory import InventoryActivities
from workflows.activities.standing import StandingActivities
from workflows.messages import ChangeStep, CreditStep, OrderStep

WAREHOUSES = ("W1", "W2")
Lines = dict[str, tuple[int, str]]


class Direct:
    """The stub of a service in this process."""

    def __init__(self, servicer: Any) -> None:
        self._servicer = servicer

    def __getattr__(self, name: str) -> Any:
        async def ask(request: Any) -> Any:
            return getattr(self._servicer, name)(request, None)

        return ask


class Orders:
    """The orders service as far as the steps ask it: the order as it stands, and as its change will make it."""

    def __init__(self) -> None:
        self.order = orders_pb2.Order()
        self.changed = orders_pb2.Order()
        self.unpaid_hold_id = ""

    async def GetOrder(self, request: orders_pb2.GetOrderRequest) -> orders_pb2.GetOrderResponse:
        return orders_pb2.GetOrderResponse(order=self.order)

    async def GetChangedOrder(self, request: orders_pb2.GetChangedOrderRequest) -> orders_pb2.GetChangedOrderResponse:
        return orders_pb2.GetChangedOrderResponse(order=self.changed)

    async def GetClearance(self, request: orders_pb2.GetClearanceRequest) -> orders_pb2.GetClearanceResponse:
        clearance = orders_pb2.Clearance(state=orders_pb2.CLEARANCE_STATE_CLEARED)
        return orders_pb2.GetClearanceResponse(
            clearance=clearance, phase="accepted", is_accepted=True, unpaid_hold_id=self.unpaid_hold_id
        )

    async def GetCard(self, request: orders_pb2.GetCardRequest) -> orders_pb2.GetCardResponse:
        return orders_pb2.GetCardResponse()


class World:
    """Stock, warehouse and ledger of one order, asked by the steps of its workflow in their order."""

    def __init__(self, make_database: MakeDatabase, chance: random.Random, orders: Orders | None = None) -> None:
        self.chance = chance
        self.stock = Stockroom(make_database(inventory_models.Table.metadata, "inventory"))
        self.warehouse = WarehouseDesk(make_database(fulfillment_models.Table.metadata, "fulfillment"))
        self.desk = Desk(make_database(billing_models.Table.metadata, "billing"))
        for place in WAREHOUSES:
            self.stock.put_warehouse(place)
        self.desk.limit(100_000_000)
        self.orders = orders or Orders()
        servicers: list[Any] = [Direct(self.stock.servicer), Direct(self.warehouse.service), Direct(self.desk.billing)]
        stubs: Any = (self.orders, *servicers, None)
        services = Services(*stubs)
        documents = Documents(services)
        self.inventory = InventoryActivities(services, documents)
        self.fulfillment, self.billing = (
            FulfillmentActivities(services, documents),
            BillingActivities(services, documents),
        )
        self.standing = StandingActivities(services)
        self.turns = self.version = 0

    def step(self, subject_id: str = "") -> OrderStep:
        self.turns += 1
        return OrderStep(f"order/ord_1/{self.turns}", "ord_1", subject_id, version=self.version)

    def document(self, lines: Lines) -> orders_pb2.Order:
        order = order_of(lines, discount=100, freight=999, tax_rate="0.0825")
        order.ship_to.CopyFrom(DALLAS)
        order.placed_at_micros = 1_780_000_000_000_000
        order.version = self.version + 1
        return order

    async def place(self, lines: Lines) -> None:
        self.orders.order = self.document(lines)
        self.version = 1
        await self.billing.commit_credit(self.credit())
        await self.inventory.reserve_stock(self.step())
        await self.release()

    def credit(self, change_id: str = "", method: str = "terms") -> CreditStep:
        total = self.orders.order.total
        step = self.step().request_id
        return CreditStep(step, "ord_1", "cus_acme", total.minor_units, "USD", method, change_id=change_id)

    async def release(self) -> None:
        await self.fulfillment.release_shipments(self.step())
        self.agrees()

    async def change(self, lines: Lines) -> bool:
        """Warehouse, credit, the new version, stock: as the workflow settles a change. Whether it came about."""
        self.orders.changed = self.document(lines)
        change_id = self.step().request_id.replace("/", "-")
        recall = await self.fulfillment.request_recall(ChangeStep(self.step().request_id, "ord_1", change_id))
        if recall.state == "pending":
            self.answer()
            again = await self.fulfillment.request_recall(ChangeStep(self.step().request_id, "ord_1", change_id))
            recall = again if not self.warehouse.recalls().recalls else recall
        if recall.state != "nothing_to_recall":
            self.refuse_what_waits()
            await self.release()
            return False
        assert (await self.billing.adjust_credit(self.credit(change_id))).is_granted
        self.orders.order = self.orders.changed
        self.version += 1
        await self.inventory.adjust_reservation(self.step())
        await self.release()
        return True

    def answer(self) -> None:
        """Yes, no, or by picking a shipment that is concerned."""
        (recall,) = self.warehouse.recalls().recalls
        match self.chance.choice(["yes", "yes", "yes", "no", "action"]):
            case "yes":
                self.warehouse.answer(recall.recall_id, yes=True)
            case "no":
                self.warehouse.answer(recall.recall_id, yes=False, reason="the truck is loaded")
            case "action":
                shipment = fulfillment_pb.Shipment(shipment_id=recall.lines[0].shipment_id)
                self.warehouse.pick(shipment)

    def refuse_what_waits(self) -> None:
        for recall in self.warehouse.recalls().recalls:
            self.warehouse.answer(recall.recall_id, yes=False, reason="too late")

    async def work(self, shipment: fulfillment_pb.Shipment) -> None:
        """The next step of a shipment; one that leaves is taken off stock and invoiced."""
        match shipment.state:
            case fulfillment_pb.SHIPMENT_STATE_RELEASED:
                self.warehouse.pick(shipment)
            case fulfillment_pb.SHIPMENT_STATE_PICKED:
                self.warehouse.pack(shipment)
            case fulfillment_pb.SHIPMENT_STATE_PACKED:
                self.warehouse.ship(shipment)
                await self.inventory.ship_stock(self.step(shipment.shipment_id))
                await self.billing.issue_invoice(self.step(shipment.shipment_id))

    def open_shipments(self) -> list[fulfillment_pb.Shipment]:
        done = (fulfillment_pb.SHIPMENT_STATE_SHIPPED, fulfillment_pb.SHIPMENT_STATE_CANCELLED)
        return [each for each in self.warehouse.page(limit=500).shipments if each.state not in done]

    def shipped(self) -> dict[str, int]:
        units: dict[str, int] = {}
        for (line_id, _), quantity in self.stock.shipped("ord_1").items():
            units[line_id] = units.get(line_id, 0) + quantity
        return units

    def picked(self) -> dict[str, int]:
        units: dict[str, int] = {}
        waiting = (fulfillment_pb.SHIPMENT_STATE_RELEASED, fulfillment_pb.SHIPMENT_STATE_CANCELLED)
        for shipment in self.warehouse.page(limit=500).shipments:
            for line in shipment.lines if shipment.state not in waiting else ():
                units[line.line_id] = units.get(line.line_id, 0) + line.quantity
        return units

    def agrees(self) -> None:
        """Shipments carry exactly what is held or has left, line by line and warehouse by warehouse."""
        carried: dict[tuple[str, str], int] = {}
        for shipment in self.warehouse.page(limit=500).shipments:
            for line in shipment.lines if shipment.state != fulfillment_pb.SHIPMENT_STATE_CANCELLED else ():
                key = (line.line_id, shipment.warehouse_id)
                carried[key] = carried.get(key, 0) + line.quantity
        has: dict[tuple[str, str], int] = dict(self.stock.held("ord_1"))
        for key, units in self.stock.shipped("ord_1").items():
            has[key] = has.get(key, 0) + units
        assert carried == has
        assert (self.stock.broken(), self.warehouse.broken_rules(), self.desk.violations()) == ({}, {}, {})

    def receive(self) -> None:
        sku = self.chance.choice(self.orders.order.lines).sku
        self.stock.receive(self.chance.choice(WAREHOUSES), sku, self.chance.randint(1, 12), "1.00")


def next_version(world: World, number: int) -> Lines:
    """Any lines that keep what has left at its price, and a new one, so that something is left to invoice.

    Mostly they keep what is picked as well, as a warehouse would ask for.
    """
    chance, shipped, picked = world.chance, world.shipped(), world.picked()
    lines: Lines = {}
    for line in world.orders.order.lines:
        left = shipped.get(line.line_id, 0)
        least = picked.get(line.line_id, 0) if chance.random() < 0.9 else left
        if least or chance.random() < 0.7:
            price = line.unit_price if left else f"{chance.randint(100, 9999) / 100:.2f}"
            lines[line.line_id] = (max(least + chance.randint(0, 12), 1), price)
    return lines | {f"n{number}": (chance.randint(1, 6), f"{chance.randint(100, 9999) / 100:.2f}")}


@pytest.mark.parametrize("seed", range(4))
async def test_an_order_changed_at_any_time_ships_and_bills_its_last_version(
    make_database: MakeDatabase, seed: int
) -> None:
    chance = random.Random(seed)
    world = World(make_database, chance)
    for sku in ("SKU-1", "SKU-2"):
        for place in WAREHOUSES:
            world.stock.receive(place, sku, chance.randint(1, 9), "1.00")
    await world.place({"1": (20, "12.34"), "2": (15, "3.33")})

    changes = 0
    for step in range(30):
        match chance.choice(["receive", "receive", "work", "change", "change"]):
            case "receive":
                world.receive()
                await world.release()
            case "work" if world.open_shipments():
                await world.work(chance.choice(world.open_shipments()))
            case "change":
                changes += await world.change(next_version(world, step))
    while world.shipped() != {line.line_id: line.quantity for line in world.orders.order.lines}:
        world.receive()
        await world.release()
        for shipment in world.open_shipments():
            await world.work(shipment)

    billed = world.desk.billing.ListInvoices(billing_pb.ListInvoicesRequest(order_id="ord_1", limit=500), None)  # type: ignore[arg-type]  # the servicer never looks at its context
    assert changes > 1
    assert sum(each.total.minor_units for each in billed.invoices) == world.orders.order.total.minor_units
    assert world.desk.account() == (0, world.orders.order.total.minor_units)
    held = world.stock.servicer.GetReservation(inventory_pb.GetReservationRequest(order_id="ord_1"), None)
    assert (list(held.allocations), list(held.shortages)) == ([], [])
    world.agrees()


async def test_a_change_is_tested_by_the_payment_method_of_its_order(make_database: MakeDatabase) -> None:
    world = World(make_database, random.Random(1))
    world.orders.order = world.document({"1": (1, "10.00")})
    world.orders.changed = world.document({"1": (2, "10.00")})

    assert not (await world.billing.adjust_credit(world.credit("chg_1", "prepaid"))).is_granted

    assert world.desk.money("ord_1")["waiting_on"] == "cash"


async def test_an_order_of_a_till_by_card_is_changed_on_the_credit_that_it_was_committed_to(
    make_database: MakeDatabase,
) -> None:
    world = World(make_database, random.Random(1))
    await world.place({"1": (5, "10.00")})
    await by_card_at_the_till(world, {"1": (3, "10.00")})
    assert world.desk.committed("ord_1") == world.desk.account()[0] == world.orders.order.total.minor_units
    await by_card_at_the_till(world, {"1": (9, "10.00")})
    assert world.desk.committed("ord_1") == world.desk.account()[0] == world.orders.order.total.minor_units

    world.desk.release("ord_1")

    assert world.desk.account() == (0, 0)
    assert world.desk.violations() == {}


async def by_card_at_the_till(world: World, lines: Lines) -> None:
    """A change, as its document has it: the buyer's card was charged at the till."""
    world.orders.changed = world.document(lines)
    world.orders.changed.channel, world.orders.changed.payment_method = "pos", "card"
    assert (await world.billing.adjust_credit(world.credit(f"chg_{world.turns}"))).is_granted
    world.orders.order = world.orders.changed
    world.version += 1


@pytest.mark.parametrize(("method", "is_on_credit"), [("terms", True), ("card", False)])
async def test_a_run_that_goes_on_is_told_whether_billing_counts_an_order_by_card_against_credit(
    make_database: MakeDatabase, method: str, *, is_on_credit: bool
) -> None:
    world = World(make_database, random.Random(1))
    world.orders.order = world.document({"1": (1, "10.00")})
    world.orders.order.payment_method = "card"
    before = await world.standing.get_standing(world.step())
    await world.billing.commit_credit(world.credit(method=method))

    standing = await world.standing.get_standing(world.step())

    assert (before.is_on_credit, standing.is_on_credit) == (False, is_on_credit)


async def test_what_a_reversed_payment_has_recalled_is_of_its_hold_and_ends_with_the_next_release(
    make_database: MakeDatabase,
) -> None:
    world = World(make_database, random.Random(1))
    world.stock.receive("W1", "SKU-1", 5)
    await world.place({"1": (5, "10.00")})
    without_hold = await world.fulfillment.recall_unpaid(world.step("hold_told"))
    world.orders.unpaid_hold_id = "hold_1"

    asked = await world.fulfillment.recall_unpaid(world.step())
    [recall] = world.warehouse.recalls().recalls
    standing = await world.standing.get_standing(world.step())
    world.orders.unpaid_hold_id = ""
    await world.release()

    assert (without_hold.state, asked.state) == ("not_asked", "pending")
    assert (recall.change_id, standing.unpaid_hold_id) == ("hold_1", "hold_1")
    assert list(world.warehouse.recalls().recalls) == []
