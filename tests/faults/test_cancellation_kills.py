"""kill -9 at every step of a cancellation, whole, of an order that waits, or of the rest: it comes to the same, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.journey import WAIT_S, Journey, Shop
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok

STOCK, MORE, ORDERED = 10, 2, 16


class Cancelled(Journey):
    """Cancelled while its warehouse has it."""

    def ship(self) -> None:
        """Nothing leaves."""
        self.cancel()

    def finish(self) -> None:
        """It ends as cancelled."""
        self.until(lambda order: order["status"] == "cancelled", "cancellation")

    def cancel(self) -> None:
        """Everything that has not left."""
        path = f"/v1/orders/{self.order_id}/cancellation"
        ok(self.running.api("support").post(path, json={"reason": "postponed"}, headers=key()))


class CancelledWhileHeld(Cancelled):
    """Cancelled while it waits for its money."""

    def body(self) -> dict[str, Any]:
        """The order's document."""
        return super().body() | {"payment": {"method": "prepaid"}}

    def until_released(self) -> None:
        """It is not."""
        self.until(lambda order: order["status"] == "on_hold", "hold")


class RestCancelled(Cancelled):
    """Of 16 units 10 have left, 2 are picked, 2 released and 2 wait for stock: the rest is cancelled, and the picked ones are kept."""

    def body(self) -> dict[str, Any]:
        """The order's document."""
        return super().body() | {"lines": [{"sku": self.goods.sku, "quantity": ORDERED}]}

    def until_released(self) -> None:
        """What is there is with the warehouse."""
        self._until_released(STOCK)

    def _until_released(self, units: int) -> None:
        self.until(lambda order: order["lines"][0]["quantities"]["released"] == units, f"release of {units}")

    def ship(self) -> None:
        """Ten leave, four come of which two are picked, the rest is cancelled."""
        [first] = self.leaving()
        self.trade.send_off(first)
        self.until(lambda order: len(order["invoices"]) == 1, "first invoice")
        picked = self._next(STOCK + MORE)
        self._floor(picked, "pick")  # so that the next does not join it
        self.until(lambda order: order["lines"][0]["quantities"]["picked"] == STOCK + MORE, "picking")
        released = self._next(STOCK + 2 * MORE)
        self.cancel()
        self.until(lambda order: order["change"] and order["change"]["state"] == "awaiting_warehouse", "recall")
        recalls = self.running.wait_for(self._recalls, f"recalls of {self.order_id}", WAIT_S)
        self._answer(recalls[released], answer="acknowledge")
        self._answer(recalls[picked], answer="refuse", reason="the truck is loaded")
        self.until(lambda order: order["cancellations"][-1]["state"] == "done", "cancellation")
        self._floor(picked, "pack", "ship")
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")

    def _next(self, units: int) -> str:
        """The shipment of what comes next, once so many units are released in all."""
        self.trade.receive(self.goods.warehouse_id, self.goods.sku, MORE, "80.00")
        self._until_released(units)
        [released] = [one["shipment_id"] for one in self.leaving() if one["state"] == "released"]
        return str(released)

    def _floor(self, shipment_id: str, *verbs: str) -> None:
        for verb in verbs:
            ok(self.running.api("warehouse").post(f"/v1/shipments/{shipment_id}/{verb}", headers=key()))

    def _recalls(self) -> dict[str, str] | None:
        """Shipment → the recall that asks for it."""
        query = {"order_id": self.order_id}
        rows = ok(self.running.api("warehouse").get("/v1/recalls", params=query))["rows"]
        found = {line["shipment_id"]: row["recall_id"] for row in rows for line in row["lines"]}
        return found if len(found) == 2 else None

    def _answer(self, recall_id: str, **said: str) -> None:
        ok(self.running.api("warehouse").post(f"/v1/recalls/{recall_id}/answer", json=said, headers=key()))

    def leaving(self) -> list[dict[str, Any]]:
        """Its shipments but the one that was given back."""
        return [one for one in super().leaving() if one["state"] != "cancelled"]

    def finish(self) -> None:
        """Deliver, pay, and wait until it is complete."""
        for shipment in self.leaving():
            self.deliver(shipment)
        self.until(lambda order: order["axes"]["fulfilment"] == "delivered", "delivery")
        self.trade.pay(self.goods.customer_id, self.trade.order(self.order_id)["totals"]["total"]["amount"])
        self.until(lambda order: order["status"] == "completed_with_cancellations", "completion")


def both(*rpcs: str) -> tuple[str, ...]:
    """With the change not yet committed, and with the reply not yet sent."""
    return tuple(f"{rpc}.{moment}" for rpc in rpcs for moment in ("before_commit", "before_reply"))


ASKED = (
    "orders.POST cancellation.before_commit",
    "orders.POST cancellation.after_commit",
    "orders.POST cancellation.before_commit_2",
    "orders.POST cancellation.before_reply",
)
"""`after_commit` is before the workflow hears of it, `before_commit_2` when it has answered."""
WHOLE = (
    *ASKED,
    *both(
        "fulfillment.CancelShipments",
        "inventory.ReleaseReservation",
        "billing.ReleaseCredit",
        "orders.RecordOrder/cancelled",
        "orders.RecordFacts/shipments_cancelled",
        "orders.RecordFacts/stock_released",
        "notifications.NotifyAll/order_cancelled",
    ),
    "fulfillment.relay/shipments_cancelled.before_delivery",
    "fulfillment.relay/shipments_cancelled.after_delivery",
    "inventory.relay/stock_released.after_delivery",
    "notifications.mail/order_cancelled.after_handover",
    "worker.fulfillment.CancelShipments.before",
    "worker.fulfillment.CancelShipments.after",
    "worker.inventory.ReleaseReservation.before",
    "worker.inventory.ReleaseReservation.after",
    "worker.billing.ReleaseCredit.after",
    "worker.orders.RecordOrder/cancelled.before",
    "worker.orders.RecordOrder/cancelled.after",
)
WHILE_HELD = (
    "orders.POST cancellation.after_commit",
    "orders.GetClearance.before_reply",
    *both("billing.ReleaseCredit", "orders.RecordOrder/cancelled"),
    "worker.orders.GetClearance.after",
    "worker.orders.RecordOrder/cancelled.after",
)
REST = (
    *ASKED,
    *both(
        "fulfillment.RequestRecall",
        "orders.RecordChange",
        "fulfillment.AnswerRecall",
        "orders.RecordFacts/recall_answered",
        "orders.KeepUnits",
        "billing.AdjustCredit",
        "orders.ApplyChange",
        "inventory.AdjustReservation",
        "orders.RecordOrder/changed",
        "orders.RecordFacts/stock_released",
        "notifications.NotifyAll/units_cancelled",
    ),
    "orders.POST answer.before_commit",
    "orders.POST answer.before_reply",
    "fulfillment.relay/recall_answered.before_delivery",
    "fulfillment.relay/recall_answered.after_delivery",
    "orders.relay/recall_answered.after_delivery",
    "notifications.mail/units_cancelled.after_handover",
    "worker.fulfillment.RequestRecall.before",
    "worker.fulfillment.RequestRecall.after",
    "worker.orders.RecordChange.after",
    "worker.billing.AdjustCredit.after",
    "worker.orders.ApplyChange.before",
    "worker.orders.ApplyChange.after",
    "worker.inventory.AdjustReservation.after",
    "worker.orders.RecordOrder/changed.after",
)
SLICE = ("orders.POST cancellation.after_commit", "worker.inventory.AdjustReservation.after")


@pytest.mark.prove
@pytest.mark.slice
def test_a_kill_while_the_rest_is_cancelled_changes_nothing(shop: Shop) -> None:
    assert changed(shop, SLICE, RestCancelled) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_a_cancellation_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(WHOLE), Cancelled) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_cancelling_a_held_order_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(WHILE_HELD), CancelledWhileHeld) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_cancelling_the_rest_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(REST), RestCancelled) == {}
