"""kill -9 between the steps of an outage: what was released is taken back once, sourced again once, and leaves once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.journey import UNITS, Journey, Shop
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok

_RATES = threading.Lock()
"""Whoever adds warehouses replaces the whole rate table."""


class Moved(Journey):
    """An order whose warehouse closes before it has picked anything: another one sends it."""

    def __init__(self, shop: Shop, goods: Any) -> None:
        super().__init__(shop, goods)
        with _RATES:
            self.near, self.far = self.trade.warehouses({"near": 100, "far": 200}).values()
        for place in (self.near, self.far):
            self.trade.receive(place, goods.sku, UNITS, "80.00")

    def ship(self) -> None:
        """Close it, wait until the other one has the order, and ship."""
        until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        path, body = f"/v1/warehouses/{self.near}/outage", {"until": until, "reason": "flooded dock"}
        ok(self.running.api("warehouse").post(path, json=body, headers=key()))
        self.running.wait_for(self._has_moved, f"another warehouse for {self.order_id}", 120.0)
        super().ship()

    def leaving(self) -> list[dict[str, Any]]:
        """The order's shipments, but for the one that was taken back."""
        return [one for one in super().leaving() if one["state"] != "cancelled"]

    def _has_moved(self) -> bool | None:
        return [one["warehouse_id"] for one in self.leaving()] == [self.far] or None


POINTS = (
    "inventory.DeclareOutage.before_commit",
    "inventory.DeclareOutage.before_reply",
    "orders.POST outage.before_reply",
    "inventory.relay/sourcing_asked.after_delivery",
    "orders.RecordFacts/sourcing_asked.before_commit",
    "orders.relay/sourcing_asked.after_delivery",
    "worker.fulfillment.SourceAgain.before",
    "fulfillment.RecallUnsendable.before_commit",
    "fulfillment.RecallUnsendable.before_reply",
    "inventory.SourceAgain.before_commit",
    "inventory.SourceAgain.before_reply",
    "worker.fulfillment.SourceAgain.after",
    "orders.RecordOrder/sourced_again.before_commit",
    "orders.RecordOrder/sourced_again.before_reply",
)


@pytest.mark.timeout(300)
def test_a_kill_while_stock_is_sourced_again_changes_nothing(shop: Shop) -> None:
    assert changed(shop, ("inventory.SourceAgain.before_reply",), Moved) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_an_outage_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(POINTS), Moved) == {}
