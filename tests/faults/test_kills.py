"""kill -9 at every step of the happy path: the order comes to the same as if nothing had happened, and nothing twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.journey import WAIT_S, Goods, Journey, Shop
from tests.faults.running import PROCESSES, RunningSystem
from tests.faults.summary import Differences, Rows, differences
from tests.threads import Crew

BEFORE_AND_AFTER = (
    "billing.CommitCredit",
    "orders.ValidateOrder",
    "inventory.ReserveStock",
    "fulfillment.ReleaseShipments",
    "orders.RecordOrder/accepted",
    "orders.RecordFacts/stock_reserved",
    "notifications.NotifyAll/order_received",
    "notifications.NotifyAll/order_accepted",
    "fulfillment.PickShipment",
    "fulfillment.PackShipment",
    "fulfillment.ShipShipment",
    "orders.RecordFacts/shipment_shipped",
    "inventory.ShipStock",
    "billing.IssueInvoice",
    "billing.PostStockMovements/stock_issued",
    "billing.RecordDeliveries/goods_delivered",
    "orders.RecordFacts/invoice_issued",
    "fulfillment.RecordCarrierEvent",
    "orders.RecordFacts/shipment_delivered",
    "billing.RecordPayment",
    "orders.RecordFacts/payment_received",
    "orders.RecordOrder/closed",
)
"""RPCs of the path: the process dies with the change not yet committed, and with the reply not yet sent."""

REQUESTS = (
    "orders.POST orders.before_commit",
    "orders.POST orders.after_commit",
    "orders.POST orders.before_commit_2",
    "orders.POST orders.before_reply",
    "orders.POST pick.before_commit",
    "orders.POST pack.before_commit",
    "orders.POST ship.before_commit",
    "orders.POST ship.before_reply",
    "orders.POST roadrunner.before_reply",
    "orders.POST payments.before_commit",
    "orders.POST payments.before_reply",
)
"""Requests of the public API: `before_commit` of an action done elsewhere is after the action, before its answer is kept."""

MESSAGES = (
    "inventory.relay/stock_reserved.after_delivery",
    "inventory.relay/stock_issued.before_delivery",
    "inventory.relay/stock_issued.after_delivery",
    "fulfillment.relay/shipments_released.after_delivery",
    "fulfillment.relay/shipment_shipped.before_delivery",
    "fulfillment.relay/shipment_shipped.after_delivery",
    "fulfillment.relay/goods_delivered.before_delivery",
    "fulfillment.relay/goods_delivered.after_delivery",
    "billing.relay/invoice_issued.after_delivery",
    "billing.relay/payment_received.after_delivery",
    "orders.relay/order_accepted.after_delivery",
    "orders.relay/shipment_shipped.after_delivery",
    "orders.relay/shipment_delivered.after_delivery",
    "orders.relay/payment_settled.after_delivery",
    "notifications.mail/order_received.after_handover",
    "notifications.mail/shipped.after_handover",
    "notifications.mail/invoice.after_handover",
)
"""Messages: delivered, not yet marked as sent."""

STEPS = (
    "worker.billing.CommitCredit.before",
    "worker.billing.CommitCredit.after",
    "worker.orders.ValidateOrder.after",
    "worker.inventory.ReserveStock.after",
    "worker.fulfillment.ReleaseShipments.after",
    "worker.orders.RecordOrder/accepted.after",
    "worker.inventory.ShipStock.before",
    "worker.inventory.ShipStock.after",
    "worker.billing.IssueInvoice.after",
    "worker.orders.RecordOrder/closed.before",
    "worker.orders.RecordOrder/closed.after",
)
"""Steps of the worker: the action is done and nobody has noted it."""

POINTS = (
    *(f"{rpc}.{moment}" for rpc in BEFORE_AND_AFTER for moment in ("before_commit", "before_reply")),
    *REQUESTS,
    *MESSAGES,
    *STEPS,
)
SLICE = (
    "orders.POST orders.before_reply",
    "inventory.ReserveStock.before_reply",
    "worker.billing.IssueInvoice.after",
    "orders.relay/shipment_delivered.after_delivery",
)
LANES = 4
A_POINT_S = 15
"""How long a point may take in the mean, with LANES under way: 6 to 11 s on a machine that has six times as much to do as it has cores."""


def mixed(points: Sequence[str]) -> list[str]:
    """The same points in an order in which neighbors, who are under way together, are far apart on the path."""
    quarter = -(-len(points) // LANES)
    return [points[n] for start in range(quarter) for n in range(start, len(points), quarter)]


def disturbed(shop: Shop, goods: Goods, point: str, way: type[Journey]) -> dict[str, Rows]:
    """What an order comes to whose way leads over an armed point."""
    points, began = shop.running.points, time.monotonic()
    points.arm(point)
    try:
        came_to = way(shop, goods).travel()
        assert points.has_struck(point), f"nobody came by {point}"
    finally:
        points.disarm(point)
    print(f"{time.monotonic() - began:6.1f} s  {point}")
    return came_to


def changed(shop: Shop, points: Sequence[str], way: type[Journey] = Journey) -> dict[str, Differences]:
    """What an order whose way leads over a kill comes to otherwise than the undisturbed one, by point.

    Several orders are under way, and each kill meets them all. That each point killed once, how the API answered, and that the audit
    is clean is asserted here.
    """
    running, goods = shop.running, [shop.goods() for _ in range(len(points) + 1)]
    wanted = way(shop, goods[0]).travel()
    restarts = deaths(running)

    with Crew(LANES, WAIT_S + A_POINT_S * len(points)) as crew:
        outcomes = crew.map(lambda mine, point: disturbed(shop, mine, point, way), goods[1:], points)

    assert deaths(running) - restarts == len(points)
    # 404 is the rate table before there is one
    assert set(running.answers) <= {200, 201, 202, 404, 503, "no answer"}
    assert running.answers[404] <= 1
    shop.trade().until_audit_is_clean()
    return {point: found for point, got in zip(points, outcomes, strict=True) if (found := differences(wanted, got))}


def deaths(running: RunningSystem) -> int:
    """How often any process died."""
    return sum(
        running.restarts(name) for name in ("orders", "inventory", "fulfillment", "billing", "notifications", "worker")
    )


def test_a_kill_in_the_middle_of_an_action_changes_nothing(shop: Shop) -> None:
    assert changed(shop, SLICE) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_the_happy_path_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(POINTS)) == {}


@pytest.mark.prove
def test_all_processes_killed_at_once_change_nothing(shop: Shop) -> None:
    goods = [shop.goods() for _ in range(3)]
    wanted = Journey(shop, goods[0]).travel()

    def interrupted(mine: Goods) -> dict[str, Rows]:
        journey = Journey(shop, mine)
        for stage in (journey.place, journey.ship, journey.finish):
            stage()
            kill_everything(shop.running)
        return journey.came_to()

    outcomes = [interrupted(mine) for mine in goods[1:]]

    assert [differences(wanted, got) for got in outcomes] == [{}, {}]
    shop.trade().until_audit_is_clean()


def kill_everything(running: RunningSystem) -> None:
    """Every service, the worker and Temporal, at once; they come back."""
    for name in (*PROCESSES, "temporal"):
        running.send(name, signal.SIGKILL)
    running.wait_ready()


@pytest.mark.prove
@pytest.mark.slice
def test_a_relay_that_marks_before_it_sends_is_caught(tmp_path: Path) -> None:
    """The planted twin: the same kill loses a shipment's fact for ever, and the comparison sees it."""
    with RunningSystem(tmp_path, planted="fulfillment marks first") as running:
        shop = Shop(running)
        journey = Journey(shop, shop.goods())
        journey.place()
        running.points.arm("fulfillment.relay/shipment_shipped.before_delivery")

        with pytest.raises(AssertionError, match="in vain for billing"):
            journey.ship()
