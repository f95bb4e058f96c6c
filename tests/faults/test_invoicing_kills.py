"""kill -9 between the steps of invoicing at order, by hand and by delivery: each shipment is on one invoice, and no number is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.journey import TOTAL, WAIT_S, Journey, Shop
from tests.faults.test_kills import changed, mixed
from tests.system.trade import key, ok


class Deferred(Journey):
    """An order whose customer is not invoiced per shipment."""

    policy = ""

    def place(self) -> None:
        """Place it under the policy."""
        body = {"customer_id": self.goods.customer_id, "invoicing": self.policy}
        ok(self.running.api("admin").patch("/v1/customers", json=body))
        super().place()

    def ship(self) -> None:
        """Pick, pack and ship, and wait until billing has heard of it."""
        for shipment in self.leaving():
            self.trade.send_off(shipment)
        self.running.wait_for(self._waiting, f"what is to be invoiced of {self.order_id}", WAIT_S)

    def _waiting(self) -> list[dict[str, Any]] | None:
        query = {"customer_id": self.goods.customer_id}
        return ok(self.running.api("accounting").get("/v1/billable", params=query))["rows"] or None


class ByHand(Deferred):
    """Accounting invoices it, and asks again until it is answered."""

    policy = "manual"

    def ship(self) -> None:
        """Ship, and invoice by hand."""
        super().ship()
        body = {"order_id": self.number}
        ok(self.running.api("accounting").post("/v1/invoices", json=body, headers=key()))
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")


class Drafted(Deferred):
    """Accounting drafts it, approves that and posts it."""

    policy = "monthly"

    def ship(self) -> None:
        """Ship, and post a draft."""
        super().ship()
        accounting = self.running.api("accounting")
        draft = ok(accounting.post("/v1/invoice-drafts", json={"order_id": self.number}, headers=key()))
        for act in ("approval", "posting"):
            ok(accounting.post(f"/v1/invoice-drafts/{draft['draft_id']}/{act}", headers=key()))
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")


class PerDelivery(Deferred):
    """It is invoiced when it arrives."""

    policy = "per_delivery"

    def finish(self) -> None:
        """Deliver, wait for the invoice, pay, and wait until it is complete."""
        for shipment in self.leaving():
            self.deliver(shipment)
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")
        self.trade.pay(self.goods.customer_id, TOTAL)
        self.until(lambda order: order["status"] == "completed", "completion")


class AtOrder(Journey):
    """It is invoiced before it ships."""

    def place(self) -> None:
        """Place it under the policy, and wait for its invoice."""
        body = {"customer_id": self.goods.customer_id, "invoicing": "at_order"}
        ok(self.running.api("admin").patch("/v1/customers", json=body))
        super().place()
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")


BY_HAND = (
    "billing.IssueInvoice.before_commit",
    "billing.IssueInvoice.before_reply",
    "billing.CreateInvoice.before_commit",
    "billing.CreateInvoice.before_reply",
    "orders.POST invoices.before_commit",
    "orders.POST invoices.before_reply",
    "orders.RecordFacts/invoice_issued.before_commit",
)
DRAFTED = (
    "billing.MakeInvoiceDraft.before_commit",
    "billing.MakeInvoiceDraft.before_reply",
    "billing.MoveInvoiceDraft.before_commit",
    "billing.MoveInvoiceDraft.before_reply",
)
PER_DELIVERY = (
    "worker.billing.IssueInvoice.after",
    "billing.RecordDeliveries/goods_delivered.before_commit",
    "billing.RecordDeliveries/goods_delivered.before_reply",
    "billing.relay/invoice_issued.after_delivery",
)

AT_ORDER = (
    "orders.RecordOrder/accepted.before_reply",
    "billing.InvoiceOrder.before_commit",
    "billing.InvoiceOrder.before_reply",
    "worker.orders.RecordOrder/accepted.after",
    "billing.relay/invoice_issued.after_delivery",
    "billing.IssueInvoice.before_commit",
    "billing.IssueInvoice.before_reply",
)


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_an_invoice_by_hand_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(BY_HAND), ByHand) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_a_draft_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(DRAFTED), Drafted) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_an_invoice_per_delivery_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(PER_DELIVERY), PerDelivery) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_between_the_steps_of_an_invoice_at_order_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(AT_ORDER), AtOrder) == {}
