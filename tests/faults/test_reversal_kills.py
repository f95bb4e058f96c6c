"""kill -9 between the steps of a reversed ship confirm: stock is back once, the invoice is credited once, and the goods are billed once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.journey import WAIT_S, Journey, Shop
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok


class Reversed(Journey):
    """A shipment that was confirmed by mistake, reversed, and shipped again."""

    def ship(self) -> None:
        """Ship, reverse, wait until nothing of it is invoiced any more, and ship again."""
        super().ship()
        warehouse = self.running.api("warehouse")
        for shipment in self.leaving():
            path, why = f"/v1/shipments/{shipment['shipment_id']}/reversal", {"reason": "wrong pallet"}
            ok(warehouse.post(path, json=why, headers=key()))
        self.until(lambda order: order["axes"]["billing"] == "none", "the credit note")
        self.running.wait_for(self._is_back, f"the stock of {self.order_id}", WAIT_S)
        for shipment in self.trade.shipments(self.order_id, "packed"):
            ok(warehouse.post(f"/v1/shipments/{shipment['shipment_id']}/ship", headers=key()))
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")

    def leaving(self) -> list[dict[str, Any]]:
        """The order's shipments, but for the one that had not left."""
        return [one for one in super().leaving() if one["state"] != "cancelled"]

    def _is_back(self) -> bool | None:
        return self.trade.stock(self.goods.sku)[self.goods.warehouse_id][0] == 10 or None


POINTS = (
    "fulfillment.ReverseShipment.before_commit",
    "fulfillment.ReverseShipment.before_reply",
    "orders.POST reversal.before_commit",
    "orders.RecordFacts/shipment_reversed.before_commit",
    "fulfillment.relay/shipment_reversed.after_delivery",
    "inventory.ReverseIssue.before_commit",
    "inventory.ReverseIssue.before_reply",
    "billing.ReverseShipmentBilling.before_commit",
    "billing.ReverseShipmentBilling.before_reply",
    "worker.inventory.ReverseIssue.after",
    "billing.PostStockMovements/stock_issue_reversed.before_commit",
    "orders.RecordFacts/invoice_credited.before_commit",
)


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_a_reversal_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(POINTS), Reversed) == {}
