"""kill -9 between the steps of an order's money: prepaid, reversed and paid again, or by card, it comes to the same, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.journey import TOTAL, WAIT_S, Journey, Shop
from tests.faults.running import RunningSystem
from tests.faults.summary import differences
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok


class Prepaid(Journey):
    """Paid ahead by a check that bounces while its goods are with the warehouse, and by another one."""

    def body(self) -> dict[str, Any]:
        """The order's document."""
        return super().body() | {"payment": {"method": "prepaid"}}

    def until_released(self) -> None:
        """Wait for the hold, pay, have the check bounce, and pay again."""
        self.until(lambda order: order["status"] == "on_hold", "hold")
        check = self._pay()
        self.until(lambda order: order["status"] == "in_fulfilment", "release")
        self.trade.reverse(check["payment_id"])
        self.until(lambda order: order["status"] == "on_hold", "second hold")
        self._give_back()
        self._pay()
        self.until(lambda order: order["status"] == "in_fulfilment", "second release")

    def _give_back(self) -> None:
        """The warehouse gives back what it is asked for."""
        warehouse = self.running.api("warehouse")

        def asked() -> dict[str, Any] | None:
            rows = ok(warehouse.get("/v1/recalls", params={"order_id": self.order_id}))["rows"]
            return dict(rows[0]) if rows else None

        recall = self.running.wait_for(asked, f"the recall of {self.order_id}", WAIT_S)
        answer = {"answer": "acknowledge"}
        ok(warehouse.post(f"/v1/recalls/{recall['recall_id']}/answer", json=answer, headers=key()))
        self.until(lambda order: not [one for one in order["shipments"] if one["state"] != "cancelled"], "goods back")

    def leaving(self) -> list[dict[str, Any]]:
        """The shipments that were not given back."""
        return [one for one in super().leaving() if one["state"] != "cancelled"]

    def finish(self) -> None:
        """Deliver, and wait until it is complete: it is paid."""
        for shipment in self.leaving():
            self.deliver(shipment)
        self.until(lambda order: order["status"] == "completed", "completion")

    def _pay(self) -> dict[str, Any]:
        return self.trade.pay(self.goods.customer_id, TOTAL, orders=[(self.number, TOTAL)])


class ByCard(Journey):
    """Authorized before it is accepted, captured with its invoice."""

    def body(self) -> dict[str, Any]:
        """The order's document."""
        return super().body() | {"payment": {"method": "card", "token": "pm_card_visa"}}

    def finish(self) -> None:
        """Deliver, and wait until it is complete: its card pays."""
        for shipment in self.leaving():
            self.deliver(shipment)
        self.until(lambda order: order["status"] == "completed", "completion")


PREPAID = (
    "billing.CommitCredit.before_commit",
    "billing.CommitCredit.before_reply",
    "billing.RecordPayment.before_commit",
    "billing.RecordPayment.before_reply",
    "billing.ReversePayment.before_commit",
    "billing.ReversePayment.before_reply",
    "orders.RecordFacts/deposit_received.before_commit",
    "orders.RecordFacts/credit_granted.before_commit",
    "orders.RecordFacts/credit_granted.before_reply",
    "orders.RecordFacts/payment_reversed.before_commit",
    "orders.RecordFacts/payment_reversed.before_reply",
    "billing.relay/credit_granted.after_delivery",
    "billing.relay/payment_reversed.after_delivery",
    "orders.relay/holds_released.after_delivery",
    "orders.relay/payment_reversed.after_delivery",
    "orders.POST reversal.before_commit",
    "orders.POST reversal.before_reply",
    "billing.IssueInvoice.before_commit",
    "billing.IssueInvoice.before_reply",
)
BY_CARD = (
    "billing.CommitCredit.before_commit",
    "billing.CommitCredit.before_commit_3",
    "billing.CommitCredit.before_reply",
    "billing.CaptureInvoice.before_commit",
    "billing.CaptureInvoice.before_commit_3",
    "billing.CaptureInvoice.before_reply",
    "worker.billing.CommitCredit.after",
    "worker.billing.IssueInvoice.after",
    "orders.RecordFacts/payment_received.before_commit",
    "billing.relay/payment_received.after_delivery",
)
"""The provider acts between an action's second commit, which counts the try, and its third, which records the answer."""


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_a_prepaid_order_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(PREPAID), Prepaid) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_an_order_by_card_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(BY_CARD), ByCard) == {}


@pytest.mark.prove
@pytest.mark.slice
def test_a_card_that_is_asked_for_under_a_new_key_is_caught(tmp_path: Path) -> None:
    """The planted twin: the same kill authorizes the order more than once, and the comparison sees it."""
    with RunningSystem(tmp_path, planted="billing asks anew") as running:
        shop = Shop(running)
        wanted = ByCard(shop, shop.goods()).travel()
        running.points.arm("billing.CommitCredit.before_commit_3")

        got = ByCard(shop, shop.goods()).travel()

        assert running.restarts("billing") == 1
    found = differences(wanted, got)
    assert set(found) == {"intents at the provider", "charges at the provider"}
    # the caller and the thread that looks for answers may both ask after the kill
    assert all(len(came) in (2, 3) for _, came in found.values())
