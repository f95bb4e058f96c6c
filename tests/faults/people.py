"""An order that people hold up: reminded of, changed with the customer's consent, approved, made smaller on the warehouse, shipped."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.testing import TimeSkipper

from tests.faults.journey import UNITS, WAIT_S, Journey, Shop
from tests.system.boardroom import DEADLINES, RULES, tier
from tests.system.trade import key, ok
from workflows.names import order_workflow_id

REVIEW = {
    "code": "EVERY_ORDER",
    "when": "order.total > 0.0",
    "message": "Somebody looks at every order.",
    "tiers": [tier(1, "manager")],
}
MORE = UNITS + 1
UNTIL_REMINDED = timedelta(hours=4, seconds=30)


def hire(shop: Shop) -> None:
    """One manager, who is the company's approver, and a policy that shows every order to a manager."""
    manager = {
        "sub": "approver@staff",
        "name": "Max",
        "email": "max@oms.example",
        "roles": ["approver"],
        "positions": ["manager"],
        "company": "",
        "manager": "",
        "limits": [{"amount": "1000000.00", "currency": "USD"}],
    }
    admin = shop.running.api("admin")
    ok(admin.post("/v1/people", json=manager))
    ok(admin.post("/v1/policies", json={"rules": RULES, "reviews": [REVIEW], "deadlines": DEADLINES}))


class ReviewedJourney(Journey):
    """One order's way past people. Whoever decides sends the same decision again until it is answered."""

    def place(self) -> None:
        """Place, wait past the reminder, one unit more with consent, approve, and back to the first quantity on the warehouse."""
        self.acknowledged(ok(self.trade.place(self.body())))
        self.until(lambda order: order["status"] == "in_review", "review")
        self.be_reminded()
        self.grow()
        self.until_reminded(2)  # by its own clock the order is four hours older than the question that version 2 asks
        self.approve(version=2)
        self.until_released()
        self.until(lambda order: order["lines"][0]["quantities"]["released"] == MORE, "shipment")
        self.shrink()

    def be_reminded(self) -> None:
        """Nobody acts until the manager is reminded."""
        asyncio.run(self._wait_past_the_reminder())
        self.until_reminded(1)

    def until_reminded(self, times: int) -> None:
        """Wait until the log tells of so many reminders."""
        what = f"reminder of {self.order_id}"
        self.running.wait_for(lambda: self._log().count("review_reminded") == times or None, what, WAIT_S)

    def _log(self) -> list[str]:
        rows = ok(self.running.api("auditor").get(f"/v1/orders/{self.order_id}/history"))["rows"]
        return [row["what"] for row in rows]

    async def _wait_past_the_reminder(self) -> None:
        number = self.trade.order(self.order_id)["number"]
        async with asyncio.timeout(WAIT_S):
            client = await Client.connect(f"127.0.0.1:{self.running.ports.temporal}")
            handle = client.get_workflow_handle(order_workflow_id(number))
            await TimeSkipper(client).fast_forward(handle, UNTIL_REMINDED)

    def grow(self) -> None:
        """Support proposes one unit more, and the customer agrees."""
        change_id = self.change("support", 1, MORE)["change_id"]
        self.until(lambda order: order["status"] == "awaiting_customer", "question to the customer")
        customer = self.running.api("customer", self.goods.customer_id)
        path = f"/v1/orders/{self.order_id}/changes/{change_id}/consent"
        ok(customer.post(path, json={"answer": "accept", "version": 1}, headers=key()))
        self.until(lambda order: (order["version"], order["status"]) == (2, "in_review"), "version 2")

    def change(self, role: str, version: int, quantity: int) -> dict[str, Any]:
        """Ask for another quantity."""
        api = self.running.api(role, self.goods.customer_id if role == "customer" else None)
        body = {"version": version, "reason": "on the phone", "lines": [{"line_id": "1", "quantity": quantity}]}
        made: dict[str, Any] = ok(api.post(f"/v1/orders/{self.order_id}/changes", json=body, headers=key()))
        return made

    def approve(self, version: int) -> None:
        """The manager's decision on the step that is open."""
        step = self.step(self.trade.order(self.order_id))
        body = {"step_id": step["step_id"], "decision": "approve", "version": version, "note": "seen"}
        ok(self.running.api("approver").post(f"/v1/orders/{self.order_id}/decisions", json=body, headers=key()))

    def step(self, order: dict[str, Any]) -> dict[str, Any]:
        """The step that waits for the manager."""
        (step,) = [one for review in order["reviews"] for one in review["steps"] if one["state"] == "open"]
        return dict(step)

    def shrink(self) -> None:
        """The customer wants the first quantity again, and the warehouse gives back what it has."""
        self.change("customer", 2, UNITS)
        self.until(lambda order: order["change"] and order["change"]["state"] == "awaiting_warehouse", "recall")
        recall = self.running.wait_for(self._recall, f"recall of {self.order_id}", WAIT_S)
        answer = {"answer": "acknowledge", "reason": ""}
        path = f"/v1/recalls/{recall['recall_id']}/answer"
        ok(self.running.api("warehouse").post(path, json=answer, headers=key()))
        self.until(lambda order: order["version"] == 3 and order["change"] is None, "version 3")
        self.until(lambda order: order["lines"][0]["quantities"]["released"] == UNITS, "new shipment")

    def _recall(self) -> dict[str, Any] | None:
        rows = ok(self.running.api("warehouse").get("/v1/recalls", params={"order_id": self.order_id}))["rows"]
        return rows[0] if rows else None

    def leaving(self) -> list[dict[str, Any]]:
        """Shipments that were not recalled."""
        return [one for one in super().leaving() if one["state"] != "cancelled"]
