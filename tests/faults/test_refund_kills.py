"""kill -9 while a cancellation gives a card's money back: what the provider has refunded is booked once and refunded once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.journey import TOTAL, WAIT_S, Journey, Shop
from tests.faults.summary import Rows
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok

POINTS = (
    "billing.provider/refund.after",
    "billing.FreeOrderMoney.before_commit",
    "billing.FreeOrderMoney.before_reply",
    "billing.relay/owed_refund.after_delivery",
    "orders.RecordFacts/owed_refund.before_commit",
    "orders.RecordFacts/owed_refund.before_reply",
    "fulfillment.AnswerRecall.before_reply",
    "worker.orders.ApplyChange.after",
)


class Canceled(Journey):
    """Prepaid by what was captured from a card; 1 of 4 is canceled while the warehouse has them, the rest is delivered."""

    def body(self) -> dict[str, Any]:
        """The order's document."""
        return super().body() | {"payment": {"method": "prepaid"}}

    def until_released(self) -> None:
        """Wait for the hold, and put the card's money to the order."""
        self.until(lambda order: order["status"] == "on_hold", "hold")
        part = {"order_id": self.order_id, "amount": {"amount": TOTAL, "currency": "USD"}}
        body = {"orders": [part], "reason": "it was meant for this order"}
        accounting = self.running.api("accounting")
        ok(accounting.post(f"/v1/payments/{self._captured()}/reapply", json=body, headers=key()))
        self.until(lambda order: order["status"] == "in_fulfilment", "release")

    def ship(self) -> None:
        """Cancel one unit, have the warehouse give it back, and wait for its money to be back on its card; ship the rest."""
        path, body = f"/v1/orders/{self.order_id}/cancellation", {"reason": "too many"}
        asked = {**body, "lines": [{"line_id": "1", "quantity": 1}]}
        ok(self.running.api("support").post(path, json=asked, headers=key()))
        self._give_back()
        self.running.wait_for(self._refunded, f"the refund of {self.order_id}", WAIT_S)
        super().ship()

    def finish(self) -> None:
        """Deliver, and wait until it is complete: it is paid."""
        for shipment in self.leaving():
            self.deliver(shipment)
        self.until(lambda order: order["status"] == "completed_with_cancellations", "completion")

    def came_to(self) -> dict[str, Rows]:
        """What it came to, with what went back to its card."""
        [owed] = self._owed()
        paid = (str(owed["state"]), str(owed["amount"]["amount"]), str(owed["failed_count"]))
        return {**super().came_to(), "refunds": [paid]}

    def _captured(self) -> str:
        """The payment of another order by card of the same amount."""
        by_card = super().body() | {"payment": {"method": "card", "token": "pm_card_visa"}}
        order_id = ok(self.trade.place(by_card))["order_id"]
        self.trade.until(order_id, lambda order: bool(order["shipments"]), "the release")
        self.trade.send_off(self.trade.shipments(order_id)[0])

        def payment() -> str | None:
            wanted = {"customer_id": self.goods.customer_id}
            found = ok(self.running.api("accounting").get("/v1/payments", params=wanted))["rows"]
            return str(found[0]["payment_id"]) if found else None

        return self.running.wait_for(payment, "the capture", WAIT_S)

    def _give_back(self) -> None:
        warehouse = self.running.api("warehouse")

        def asked() -> dict[str, Any] | None:
            rows = ok(warehouse.get("/v1/recalls", params={"order_id": self.order_id}))["rows"]
            return dict(rows[0]) if rows else None

        recall = self.running.wait_for(asked, f"the recall of {self.order_id}", WAIT_S)
        answer, same = {"answer": "acknowledge"}, key()

        def answered() -> bool | None:
            said = warehouse.post(f"/v1/recalls/{recall['recall_id']}/answer", json=answer, headers=same)
            return True if said.is_success else None

        self.running.wait_for(answered, f"the answer for {self.order_id}", WAIT_S)

    def _owed(self) -> list[dict[str, Any]]:
        wanted = {"order_id": self.order_id}
        return list(ok(self.running.api("accounting").get("/v1/refunds", params=wanted))["rows"])

    def _refunded(self) -> bool | None:
        return True if [one["state"] for one in self._owed()] == ["paid"] else None


@pytest.mark.timeout(600)
def test_a_kill_between_the_providers_refund_and_its_booking_pays_it_once(shop: Shop) -> None:
    assert changed(shop, POINTS[:1], Canceled) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_a_refund_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(POINTS), Canceled) == {}
