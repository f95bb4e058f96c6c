"""What makes due invoices, when orders is away and when an invoice cannot be made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing.invoice_runner import InvoiceRunner
from services.runtime.grpc_client import Unreachable
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.order_desk import at_order
from tests.billing.test_consolidated import left, monthly
from tests.billing.test_policies import SUNDAY, at

WAIT_S = 30


def nothing(_seconds: float) -> None:
    """No time passes."""


class Orders:
    """Orders as the runner asks for them; it keeps what it is asked."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.is_away = False
        self.asked: list[str] = []
        self.is_at_last = threading.Event()

    def read(self, order_id: str) -> orders_pb2.Order:
        self.asked.append(order_id)
        if self.is_away:
            raise Unreachable("GetOrder: UNAVAILABLE")
        if order_id == "ord_4":
            self.is_at_last.set()
        return self.desk.orders[order_id]


@pytest.fixture
def orders(desk: Desk) -> Orders:
    """Three orders of three customers whose week is over, and one that is invoiced at order."""
    for number in (1, 2, 3):
        order_id, customer_id = f"ord_{number}", f"cus_{number}"
        order = order_of({"1": (2, "10.00")}, invoicing="weekly", order_id=order_id, customer_id=customer_id)
        desk.leave(order, f"shp_{number}", {"1": 2})
    whole = at_order({"1": (1, "7.00")}, order_id="ord_4")
    desk.billing.InvoiceOrder(pb.InvoiceOrderRequest(order=whole), CONTEXT)
    desk.orders["ord_4"] = whole
    desk.now = at(SUNDAY + timedelta(days=1))
    return Orders(desk)


def runner_of(orders: Orders, rest: Callable[[float], object] = nothing) -> InvoiceRunner:
    return InvoiceRunner(orders.desk.database, orders.read, lambda: orders.desk.now, rest)


def test_while_orders_is_away_no_second_order_is_asked_for(orders: Orders) -> None:
    orders.is_away = True
    runner = runner_of(orders)

    with pytest.raises(Unreachable):
        runner.issue_due()
    with pytest.raises(Unreachable):
        runner.issue_orders()

    assert orders.asked == ["ord_1", "ord_4"]
    orders.is_away = False
    assert (runner.issue_due(), runner.issue_orders()) == (3, 1)


def test_an_order_that_cannot_be_invoiced_is_asked_for_again_after_a_minute(orders: Orders) -> None:
    broken, runner = orders.desk.orders.pop("ord_2"), runner_of(orders)

    made = [runner.issue_due(), runner.issue_due()]
    asked_before = orders.asked.count("ord_2")
    orders.desk.orders["ord_2"] = broken
    orders.desk.now += timedelta(seconds=61)

    assert (made, asked_before) == ([2, 0], 1)
    assert (runner.issue_due(), runner.issue_orders()) == (1, 1)
    assert orders.desk.violations() == {}


def test_an_order_that_is_being_changed_is_asked_for_again_at_once(orders: Orders) -> None:
    runner = runner_of(orders)
    block = pb.BlockInvoicingRequest(order_id="ord_2", customer_id="cus_2", currency="USD", least_version=2)
    orders.desk.billing.BlockInvoicing(block, CONTEXT)

    while_it_changes = runner.issue_due()
    orders.desk.orders["ord_2"].version = 2

    assert (while_it_changes, runner.issue_due()) == (2, 1)


@pytest.mark.parametrize("is_changing", [False, True])
def test_orders_that_are_invoiced_together_are_asked_for_once_a_round(desk: Desk, is_changing: bool) -> None:
    """A hundred are on the first invoice, which waits while one of them is being changed, and two on the next."""
    left(desk, *(monthly(number, {"1": (1, "1.00")}) for number in range(1, 103)))
    if is_changing:
        block = pb.BlockInvoicingRequest(order_id="ord_2", customer_id="cus_acme", currency="USD", least_version=2)
        desk.billing.BlockInvoicing(block, CONTEXT)
    orders = Orders(desk)

    made = runner_of(orders).issue_due()

    assert [len(one.shares) for one in desk.listed()] == ([2] if is_changing else [100, 2])
    assert (made, len(orders.asked)) == (1 if is_changing else 2, 102)


def test_the_thread_rests_while_orders_is_away_and_goes_on_after(orders: Orders) -> None:
    rests: list[float] = []

    def rest(seconds: float) -> None:
        orders.is_away = False
        rests.append(seconds)
        runner.wake()

    orders.is_away, runner = True, runner_of(orders, rest)
    runner.start()
    runner.wake()
    try:
        assert orders.is_at_last.wait(WAIT_S)
    finally:
        runner.stop()
    assert (orders.asked, len(rests)) == (["ord_1", "ord_1", "ord_2", "ord_3", "ord_4"], 1)
    assert len(orders.desk.listed()) == 4
