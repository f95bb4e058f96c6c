"""kill -9 between the steps of a count below what is promised, and of a short pick: what is not there is taken once, and comes once."""

from __future__ import annotations

import pytest

from tests.faults.journey import UNITS, Journey, Shop
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok


class Counted(Journey):
    """An order whose warehouse finds one unit too few before it picks, and gets one more later."""

    def ship(self) -> None:
        """Count, wait until the shipment has what is there, receive what is missing, and ship."""
        body = {"warehouse_id": self.goods.warehouse_id, "sku": self.goods.sku, "counted": UNITS - 1}
        ok(self.running.api("warehouse").post("/v1/stock/counts", json=body, headers=key()))
        self.running.wait_for(lambda: self._carries(UNITS - 1), f"fewer units for {self.order_id}", 120.0)
        self.running.wait_for(self._is_recorded, f"the loss of {self.order_id} in its history", 120.0)
        self.trade.receive(self.goods.warehouse_id, self.goods.sku, 1, "80.00")
        self.running.wait_for(lambda: self._carries(UNITS), f"the last unit for {self.order_id}", 120.0)
        super().ship()

    def _is_recorded(self) -> bool | None:
        """The workflow has taken the loss up: what comes before that is one answer to both."""
        events = ok(self.running.api("support").get(f"/v1/orders/{self.order_id}/history", params={"limit": 100}))
        return "order_allocated" in str(events) or None

    def _carries(self, units: int) -> bool | None:
        return sum(line["quantity"] for each in self.leaving() for line in each["lines"]) == units or None


class Short(Counted):
    """An order of which the picker finds one unit too few; it comes later, in a parcel of its own."""

    def ship(self) -> None:
        """Report what is short, receive it, and ship both."""
        [first] = self.leaving()
        [line] = first["lines"]
        found = {"line_id": line["line_id"], "sku": line["sku"], "quantity": UNITS - 1, "short_reason": "missing"}
        warehouse, path = self.running.api("warehouse"), f"/v1/shipments/{first['shipment_id']}"
        ok(warehouse.post(f"{path}/pick", json={"lines": [found]}, headers=key()))
        self.running.wait_for(self._is_recorded, f"the loss of {self.order_id} in its history", 120.0)
        self.trade.receive(self.goods.warehouse_id, self.goods.sku, 1, "80.00")
        self.running.wait_for(lambda: self._carries(UNITS), f"the last unit for {self.order_id}", 120.0)
        for verb in ("pack", "ship"):
            ok(warehouse.post(f"{path}/{verb}", json={}, headers=key()))
        [second] = [one for one in self.leaving() if one["state"] == "released"]
        self.trade.send_off(second)
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")


SHORT_POINTS = (
    "orders.POST pick.before_commit",
    "inventory.BookShortPick.before_commit",
    "inventory.BookShortPick.before_reply",
    "fulfillment.RecallUncovered.before_commit",
    "fulfillment.RecallUncovered.before_reply",
    "inventory.CloseCount.before_commit",
    "fulfillment.PickShipment.before_commit",
    "fulfillment.PickShipment.before_reply",
    "fulfillment.relay/recall_answered.after_delivery",
)
POINTS = (
    "inventory.relay/stock_released.after_delivery",
    "inventory.CountStock.before_commit",
    "inventory.CountStock.before_reply",
    "fulfillment.RecallUncovered.before_commit",
    "fulfillment.RecallUncovered.before_reply",
    "inventory.CloseCount.before_commit",
    "inventory.CloseCount.before_reply",
    "orders.POST counts.before_reply",
    "fulfillment.relay/recall_answered.after_delivery",
)


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_a_count_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(POINTS), Counted) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_a_short_pick_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(SHORT_POINTS), Short) == {}
