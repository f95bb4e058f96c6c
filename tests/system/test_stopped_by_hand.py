"""Somebody cancels workflows in Temporal while something else comes: each order has one outcome, and a repair goes on with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from tests.system.boardroom import Boardroom
from tests.system.harness import System
from tests.system.test_leases import exceptions_of, repair
from tests.system.trade import Trade, eventually, key, ok


class Company:
    """Orders at every stage, and what comes of each while no worker is there."""

    def __init__(self, trade: Trade, room: Boardroom) -> None:
        self.trade = trade
        self.room = room
        self.customers = itertools.count()
        self.sku = trade.product("s", "1000.00", cost="700.00")
        self.scarce = trade.product("n", "1000.00", cost="700.00")
        self.warehouse = trade.warehouses({"w1": 900})["w1"]

    def placed(self, quantity: int = 2) -> str:
        """An order for which all is there."""
        self.trade.receive(self.warehouse, self.sku, quantity, "700.00")
        return self._placed(self.sku, quantity)

    def _placed(self, sku: str, quantity: int) -> str:
        customer = self.trade.customer(f"c{next(self.customers)}")  # its orders count together for a review
        body = self.trade.order_body(customer, [{"sku": sku, "quantity": quantity}])
        return str(self.trade.placed(body)["order_id"])

    def short(self) -> str:
        """An order of which nothing is there."""
        return self._placed(self.scarce, 2)

    def in_review(self) -> str:
        """An order that a manager must see."""
        return self.placed(6)

    def delivered(self) -> str:
        """An order that only waits for its money."""
        order_id = self.placed()
        self.ship(order_id)
        self.deliver(order_id)
        self.trade.until_idle(order_id)
        return order_id

    def ship(self, order_id: str) -> None:
        """All of it leaves."""
        for shipment in self.trade.shipments(order_id, "released"):
            self.trade.send_off(shipment)

    def deliver(self, order_id: str) -> None:
        """All of it arrives."""
        for shipment in self.trade.shipments(order_id, "shipped"):
            self.trade.deliver(shipment)

    def pay(self, order_id: str) -> None:
        """Its invoices are paid."""
        order = self.trade.order(order_id)
        for invoice in order["invoices"]:
            amount = invoice["total"]["amount"]
            self.trade.pay(order["customer_id"], amount, [(invoice["invoice_id"], amount)])

    def live_to_the_end(self, *order_ids: str) -> None:
        """What waits for stock gets it; all is shipped, delivered and paid."""
        self.trade.receive(self.warehouse, self.scarce, 1, "700.00")
        for act in (self.ship, self.deliver, self.pay):
            self.trade.until_idle(*order_ids)
            for order_id in order_ids:
                act(order_id)
        self.trade.until_idle(*order_ids)

    def cancel(self, order_id: str) -> None:
        """All that has not left."""
        self._cancel(order_id)

    def cancel_one(self, order_id: str) -> None:
        """One unit."""
        self._cancel(order_id, lines=[{"line_id": "1", "quantity": 1}])

    def _cancel(self, order_id: str, **body: Any) -> None:
        path = f"/v1/orders/{order_id}/cancellation"
        ok(self.trade.system.api("support").post(path, json={"reason": "no need", **body}, headers=key()))

    def approve(self, order_id: str) -> None:
        """The manager says yes."""
        ok(self.room.decide("manager", order_id, "approve", version=1))


Stage = Callable[[Company], str]
Act = Callable[[Company, str], None]
COMPLETED, INTERRUPTED = WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CANCELED
CASES: dict[str, tuple[Stage, Act, str, WorkflowExecutionStatus]] = {
    "shipped": (Company.placed, Company.ship, "shipped", INTERRUPTED),
    "paid": (Company.delivered, Company.pay, "completed", COMPLETED),
    "cancelled": (Company.placed, Company.cancel, "cancelled", COMPLETED),
    "cancelled while it waits for stock": (Company.short, Company.cancel, "cancelled", COMPLETED),
    "cancelled in review": (Company.in_review, Company.cancel, "cancelled", COMPLETED),
    "cancelled in part": (Company.short, Company.cancel_one, "backordered", INTERRUPTED),
    "approved": (Company.in_review, Company.approve, "in_fulfilment", INTERRUPTED),
}
"""Before, what comes, the order's status, and how its run ends."""


@contextmanager
def without_worker(system: System) -> Iterator[None]:
    """Nobody works on workflows while the block runs."""
    system.on_loop(system.worker.shutdown())
    try:
        yield
    finally:
        system.on_loop(system.start_worker())


def heard_of(system: System, order_id: str) -> int:
    """How many events the order's workflow has."""
    return int(system.on_loop(system.workflow(order_id).describe()).history_length)


def ending(system: System, order_id: str) -> WorkflowExecutionStatus | None:
    """How the order's run ended."""
    return system.on_loop(system.workflow(order_id).describe()).status


def stop(system: System, order_id: str) -> None:
    """Request Cancellation in the Temporal UI."""
    system.on_loop(system.workflow(order_id).cancel())


def act_and_stop(company: Company, order_id: str, act: Act, *, is_stopped_first: bool) -> None:
    """Both reach the workflow, in this order."""
    system = company.trade.system
    if is_stopped_first:
        stop(system, order_id)
    before = heard_of(system, order_id)
    act(company, order_id)
    if act in (
        Company.ship,
        Company.pay,
    ):  # a fact, which a relay hands over; what people ask for has arrived by its answer
        eventually(lambda: _must_have_heard(system, order_id, before))
    if not is_stopped_first:
        stop(system, order_id)


def _must_have_heard(system: System, order_id: str, before: int) -> None:
    assert heard_of(system, order_id) > before


@pytest.mark.parametrize(
    "is_stopped_first",
    [pytest.param(True, id="stopped first", marks=pytest.mark.prove), pytest.param(False, id="stopped last")],
)
def test_what_comes_with_a_stop_has_one_outcome_and_a_repair_goes_on(
    trade: Trade, room: Boardroom, is_stopped_first: bool
) -> None:
    company, system = Company(trade, room), trade.system
    orders = {name: stage(company) for name, (stage, *_) in CASES.items()}

    with without_worker(system):
        for name, (_, act, *_) in CASES.items():
            act_and_stop(company, orders[name], act, is_stopped_first=is_stopped_first)
    trade.until_idle(*orders.values())

    came = {name: (trade.order(one)["status"], ending(system, one)) for name, one in orders.items()}
    interrupted = [one for name, one in orders.items() if came[name][1] == INTERRUPTED]
    opened = {one: exceptions_of(trade, one) for one in orders.values()}
    repaired = [repair(trade, one) for one in interrupted]
    trade.until_idle(*interrupted)
    company.live_to_the_end(*interrupted)

    assert came == {name: (status, run) for name, (*_, status, run) in CASES.items()}
    assert opened == {one: ["workflow_lost"] if one in interrupted else [] for one in orders.values()}
    assert set(repaired) == {"started"}
    for order_id in interrupted:
        order = trade.order(order_id)
        assert order["status"] in ("completed", "completed_with_cancellations")
        assert len(order["invoices"]) == 1
        assert exceptions_of(trade, order_id) == []
    assert trade.order(orders["cancelled in part"])["lines"][0]["quantities"]["cancelled"] == 1
    assert trade.stock(company.sku)[company.warehouse] == (8, 0)  # of two that were cancelled: 2 and 6
    trade.until_audit_is_clean()
