"""kill -9 at every step of a return, from the question to the refund, or to its expiry: it comes to the same, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from tests.faults.journey import UNITS, WAIT_S, Goods, Shop
from tests.faults.summary import Rows, differences, is_expected
from tests.faults.test_cancellation_kills import both
from tests.faults.test_kills import changed, kill_everything, mixed
from tests.faults.test_money_kills import ByCard
from tests.system.trade import key, ok
from workflows.names import return_workflow_id

CAME = UNITS - 1
OVERDUE = timedelta(days=30, minutes=1)


class Returned(ByCard):
    """Paid by card and delivered; four units are to come back, three come, and the cash of those goes back to the card."""

    rma = ""

    def finish(self) -> None:
        """Deliver, and send it back."""
        super().finish()
        for stage in self.stages():
            stage()

    def stages(self) -> tuple[Callable[[], None], ...]:
        """What people do, and what time does, one after the other."""
        return self.ask, self.authorize, self.receive, self.inspect, self.refund, self.let_time_pass

    def ask(self) -> None:
        """The customer asks; a return of everything waits for support."""
        self._ask(UNITS)
        self.until_return(lambda one: one["state"] == "requested", "question")

    def _ask(self, quantity: int) -> None:
        line = {"line_id": "1", "quantity": quantity, "reason": "changed_mind"}
        body = {"order": self.number, "lines": [line], "reason": "too many"}
        customer = self.running.api("customer", self.goods.customer_id)
        self.rma = str(ok(customer.post("/v1/returns", json=body, headers=key()))["number"])

    def authorize(self) -> None:
        """Support authorizes it with a fee, and the warehouse expects it."""
        self._post("support", "authorize", {"note": "as agreed", "fee_percent": "10"})
        what = f"announcement of {self.rma}"
        self.running.wait_for(lambda: is_expected(self.running, self.rma) or None, what, WAIT_S)

    def receive(self) -> None:
        """The warehouse counts three."""
        lines = [{"line_id": "1", "quantity": CAME}]
        self._post("warehouse", "receive", {"warehouse_id": self.goods.warehouse_id, "lines": lines})
        self.until_return(lambda one: one["stage"] == "part_received", "count")

    def inspect(self) -> None:
        """Two are as new, one was damaged on the way; their stock and their money follow."""
        found = ((CAME - 1, "A", "restock", "customer"), (1, "D", "scrap", "carrier"))
        units = [
            {"line_id": "1", "quantity": count, "grade": grade, "disposition": what, "responsible": who}
            for count, grade, what, who in found
        ]
        self._post("warehouse", "inspect", {"warehouse_id": self.goods.warehouse_id, "units": units})
        self.until_return(lambda one: one["stage"] == "part_credited", "credit")

    def refund(self) -> None:
        """Accounting gives the cash back, and a second question gives nothing more."""
        first, second = (self._post("accounting", "refund") for _ in range(2))
        assert float(first["refunded"]["amount"]) > 0
        assert second["refunded"]["amount"] == "0.00"

    def let_time_pass(self) -> None:
        """What has not come never comes."""
        asyncio.run(self._until_overdue())
        self.until_return(lambda one: bool(one["ended_at"]), "end")

    async def _until_overdue(self) -> None:
        async with asyncio.timeout(WAIT_S):
            client = await Client.connect(f"127.0.0.1:{self.running.ports.temporal}")
            await TimeSkipper(client).fast_forward(client.get_workflow_handle(return_workflow_id(self.rma)), OVERDUE)

    def until_return(self, is_so: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Wait until the return is as wanted."""

        def check() -> bool | None:
            return is_so(ok(self.running.api("auditor").get(f"/v1/returns/{self.rma}"))) or None

        self.running.wait_for(check, f"{what} of {self.rma}", WAIT_S)

    def _post(self, role: str, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        path = f"/v1/returns/{self.rma}/{verb}"
        answer: dict[str, Any] = ok(self.running.api(role).post(path, json=body, headers=key()))
        return answer


class Expired(Returned):
    """A small return, which the policy authorizes at once and of which nothing comes."""

    def stages(self) -> tuple[Callable[[], None], ...]:
        """Asked for, announced, and never heard of again."""
        return self.ask, self.let_time_pass

    def ask(self) -> None:
        """The customer asks for one unit, and the warehouse expects it."""
        self._ask(1)
        what = f"announcement of {self.rma}"
        self.running.wait_for(lambda: is_expected(self.running, self.rma) or None, what, WAIT_S)


class CalledOff(Expired):
    """One that is called off while the warehouse expects it, and one that support denies."""

    def stages(self) -> tuple[Callable[[], None], ...]:
        """A small one, and then everything."""
        return self.ask, self.call_off, super(Expired, self).ask, self.deny

    def call_off(self) -> None:
        """The customer keeps it, and the warehouse takes nothing."""
        self._post("support", "cancel", {"note": "kept"})
        self.until_return(lambda one: one["state"] == "cancelled", "end")

    def deny(self) -> None:
        """Support lets no goods come."""
        self._post("support", "deny", {"note": "out of its box for months"})
        self.until_return(lambda one: one["state"] == "denied", "end")


ASKED = (
    "orders.POST returns.before_commit",
    "orders.POST returns.after_commit",
    "orders.POST returns.before_reply",
    "orders.relay/return_started.before_delivery",
    "orders.relay/return_started.after_delivery",
    *both("orders.AdvanceReturn/next"),
    "worker.orders.AdvanceReturn.before",
    "worker.orders.AdvanceReturn.after",
)
ANNOUNCED = (
    *both("fulfillment.ExpectReturn", "orders.AdvanceReturn/announced"),
    "worker.fulfillment.ExpectReturn.before",
    "worker.fulfillment.ExpectReturn.after",
)
OVER = (
    *both("orders.AdvanceReturn/passed", "fulfillment.CloseReturn", "orders.AdvanceReturn/closed"),
    "worker.fulfillment.CloseReturn.before",
    "worker.fulfillment.CloseReturn.after",
)
COUNTED = (
    "orders.POST authorize.before_commit",
    "orders.POST authorize.before_reply",
    "orders.relay/return_decided.after_delivery",
    "orders.POST receive.before_commit",
    "orders.POST receive.before_reply",
    *both("fulfillment.ReceiveReturn", "orders.RecordFacts/return_received"),
    "fulfillment.relay/return_received.after_delivery",
    "orders.POST inspect.before_commit",
    "orders.POST inspect.before_reply",
    *both("fulfillment.InspectReturn", "orders.RecordFacts/return_inspected"),
    "fulfillment.relay/return_inspected.before_delivery",
    "fulfillment.relay/return_inspected.after_delivery",
    "orders.relay/return_inspected.before_delivery",
    "orders.relay/return_inspected.after_delivery",
)
"""`before_commit` of what the warehouse does is after it is done, before its answer is kept."""
CREDITED = (
    *both("inventory.TakeReturn", "billing.CreditReturn", "orders.AdvanceReturn/credited"),
    "worker.inventory.TakeReturn.before",
    "worker.inventory.TakeReturn.after",
    "worker.billing.CreditReturn.before",
    "worker.billing.CreditReturn.after",
    "inventory.relay/stock_returned.after_delivery",
    "inventory.relay/stock_scrapped.after_delivery",
    *both("billing.PostStockMovements/stock_returned", "orders.RecordFacts/invoice_credited"),
    "billing.relay/invoice_credited.after_delivery",
)
REFUNDED = (
    "orders.POST refund.before_commit",
    "orders.POST refund.before_reply",
    *both("billing.RefundReturn"),
    "billing.provider/refund.after",
)
NOT_WANTED = (
    "orders.POST cancel.before_commit",
    "orders.POST cancel.before_reply",
    "orders.relay/return_cancelled.before_delivery",
    "orders.relay/return_cancelled.after_delivery",
    *both("fulfillment.CloseReturn", "orders.AdvanceReturn/closed"),
    "worker.fulfillment.CloseReturn.after",
    "orders.POST deny.before_commit",
    "orders.POST deny.before_reply",
    "orders.relay/return_decided.before_delivery",
    "orders.relay/return_decided.after_delivery",
)
POINTS = (*ASKED, *ANNOUNCED, *COUNTED, *CREDITED, *REFUNDED, *OVER)
WITHOUT_GOODS = (*ASKED, *ANNOUNCED, *OVER)
CAME_TO: dict[str, Rows] = {
    "returns": [("closed", "expired", 1, 1, "", "10", UNITS, CAME, CAME)],
    "inspections": [(0, 418_93, 25_80, 1)],
    "counts": [(CAME,)],
    "returned stock": [("restock", CAME - 1, 160_00), ("scrap", 1, 80_00)],
    "credit notes": [(418_93, 0, 418_93, 25_80, "returned")],
    "returned cash": [(393_13,)],
    "refunds at the provider": [(393_13, "succeeded")],
}
"""3 × 129.00 × 1.0825 less 10 % of 2 × 129.00."""
SLICE = ("worker.billing.CreditReturn.after", "orders.POST refund.before_commit")


@pytest.mark.prove
@pytest.mark.slice
def test_a_kill_between_credit_and_refund_of_a_return_changes_nothing(shop: Shop) -> None:
    assert changed(shop, SLICE, Returned) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_a_return_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(POINTS), Returned) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_a_return_that_expires_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(WITHOUT_GOODS), Expired) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_a_return_that_nobody_wants_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(NOT_WANTED), CalledOff) == {}


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_all_processes_killed_at_once_after_each_stage_of_a_return_change_nothing(shop: Shop) -> None:
    wanted = Returned(shop, shop.goods()).travel()

    def interrupted(mine: Goods) -> dict[str, Rows]:
        journey = Returned(shop, mine)
        journey.place()
        journey.ship()
        ByCard.finish(journey)
        for stage in journey.stages():
            stage()
            kill_everything(shop.running)
        return journey.came_to()

    assert differences(wanted, interrupted(shop.goods())) == {}
    assert {what: wanted[what] for what in CAME_TO} == CAME_TO
    shop.trade().until_audit_is_clean()
