"""kill -9 between the steps of a cancellation with a fee: the units go once, and the fee is charged once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.journey import UNITS, Journey, Shop
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok

FEE_POINTS = (
    "orders.ApplyChange.before_commit",
    "orders.ApplyChange.before_reply",
    "billing.ChargeFee.before_commit",
    "billing.ChargeFee.before_reply",
    "billing.FreeOrderMoney.before_commit",
    "worker.orders.ApplyChange.after",
    "billing.relay/invoice_issued.after_delivery",
)


class WithFee(Journey):
    """What is built to order of it is canceled before it ships: 5 at 100.00, of which 25 % are charged."""

    def body(self) -> dict[str, Any]:
        """Pumps, and rigs that are built to order."""
        rig = self.trade.product("rig", "100.00", kind="build_to_order", cost="40.00")
        lines = [{"sku": self.goods.sku, "quantity": UNITS}, {"sku": rig, "quantity": 5}]
        return self.trade.order_body(self.goods.customer_id, lines)

    def ship(self) -> None:
        """Cancel the rigs, and ship the pumps."""
        body = {"reason": "no need", "lines": [{"line_id": "2"}]}
        path = f"/v1/orders/{self.order_id}/cancellation"
        ok(self.running.api("support").post(path, json=body, headers=key()))
        self.until(lambda order: len(order["invoices"]) == 1, "the fee")
        super().ship()

    def finish(self) -> None:
        """Deliver, pay with the fee, and wait until it is complete."""
        for shipment in self.leaving():
            self.deliver(shipment)
        self.until(lambda order: order["axes"]["fulfilment"] == "delivered", "delivery")
        self.trade.pay(self.goods.customer_id, "683.57")  # 558.57 and 125.00
        self.until(lambda order: order["status"] == "completed_with_cancellations", "completion")


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_a_cancellation_with_a_fee_changes_nothing(shop: Shop) -> None:
    ladder = {"not_started": 25, "started": 60, "finished": 100}
    ok(shop.running.api("admin").patch("/v1/policies", json={"cancellation_fees": ladder}, headers=key()))

    assert changed(shop, mixed(FEE_POINTS), WithFee) == {}
