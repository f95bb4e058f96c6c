"""kill -9 at every step of an exchange, whatever replaces the goods and whether they come: it comes to the same, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.journey import UNITS, WAIT_S, Goods, Journey, Shop
from tests.faults.summary import Rows, differences, is_expected
from tests.faults.test_cancellation_kills import both
from tests.faults.test_kills import changed, kill_everything, mixed
from tests.faults.test_money_kills import ByCard
from tests.faults.test_return_kills import CAME, Returned
from tests.system.trade import key, ok


class Exchanged(Returned):
    """Paid by card and delivered; four units are to be replaced by the same SKU, three come, and three leave for them."""

    is_advance = False
    came = CAME

    def __init__(self, shop: Shop, goods: Goods) -> None:
        super().__init__(shop, goods)
        self.other = Journey(shop, goods)

    def stages(self) -> tuple[Callable[[], None], ...]:
        """What people do, and what time does, one after the other."""
        return self.ask, self.authorize, self.receive, self.inspect, self.arrive, self.let_time_pass

    def _ask(self, quantity: int) -> None:
        line = {"line_id": "1", "quantity": quantity, "reason": "defective", "replace": self.replaces_it()}
        body = {"order": self.number, "lines": [line], "advance": self.is_advance}
        customer = self.running.api("customer", self.goods.customer_id)
        self.rma = str(ok(customer.post("/v1/returns", json=body, headers=key()))["number"])

    def replaces_it(self) -> dict[str, Any]:
        """What is wanted in place of the goods."""
        return {}

    def authorize(self) -> None:
        """Support authorizes it, and the warehouse expects it."""
        self._post("support", "authorize", {"note": "as agreed"})
        what = f"announcement of {self.rma}"
        self.running.wait_for(lambda: is_expected(self.running, self.rma) or None, what, WAIT_S)

    def receive(self) -> None:
        """The warehouse counts what comes."""
        lines = [{"line_id": "1", "quantity": self.came}]
        self._post("warehouse", "receive", {"warehouse_id": self.goods.warehouse_id, "lines": lines})
        self.until_return(lambda one: one["lines"][0]["received"] == self.came, "count")

    def inspect(self) -> None:
        """All of it is as new."""
        units = [
            {"line_id": "1", "quantity": self.came, "grade": "A", "disposition": "restock", "responsible": "seller"}
        ]
        self._post("warehouse", "inspect", {"warehouse_id": self.goods.warehouse_id, "units": units})
        self.until_return(lambda one: bool(one["inspections"] and one["inspections"][0]["credited_at"]), "credit")

    def arrive(self) -> None:
        """What replaces the goods leaves and is delivered."""
        self.find_other()
        self.other.until_released()
        for shipment in self.other.leaving():
            self.trade.send_off(shipment)
        for shipment in self.other.leaving():
            self.deliver(shipment)
        self.other.until(lambda order: order["status"] in ("delivered", "completed"), "delivery")

    def find_other(self) -> None:
        """The one order that replaces the goods."""
        self.until_return(lambda one: bool(one["replacements"]), "replacement")
        [one] = ok(self.running.api("auditor").get(f"/v1/returns/{self.rma}"))["replacements"]
        self.other.acknowledged({"order_id": one["order_id"], "number": one["order_number"]})

    def _summary(self) -> dict[str, Rows]:
        both_of_them = super()._summary()
        both_of_them |= {f"{what} of the replacement": rows for what, rows in self.other._summary().items()}
        return {what: [self._unnamed(row) for row in rows] for what, rows in both_of_them.items()}

    def _unnamed(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value.replace(self.rma, "…") if isinstance(value, str) else value for value in row)

    def _is_quiet(self) -> bool:
        return super()._is_quiet() and self.other._is_quiet()


class OfAnotherSku(Exchanged):
    """A cheaper product replaces all four: their credit pays it, and the rest goes back to the card."""

    came = UNITS

    def __init__(self, shop: Shop, goods: Goods) -> None:
        super().__init__(shop, goods)
        sku = self.trade.product("basic", "100.00", cost="60.00")
        self.trade.receive(goods.warehouse_id, sku, 10, "60.00")
        self.other.goods = Goods(goods.customer_id, sku, goods.warehouse_id)

    def stages(self) -> tuple[Callable[[], None], ...]:
        """All come, and what is left of the money is refunded."""
        return self.ask, self.authorize, self.receive, self.inspect, self.arrive, self.refund, self.end

    def replaces_it(self) -> dict[str, Any]:
        """As many of the cheaper one."""
        return {"sku": self.other.goods.sku}

    def end(self) -> None:
        """Nothing more comes."""
        self.until_return(lambda one: one["state"] == "closed", "end")


class InAdvance(Exchanged):
    """Four leave at once; three of those that they replace come back, and the card pays the fourth."""

    is_advance = True

    def stages(self) -> tuple[Callable[[], None], ...]:
        """They arrive before the first comes back."""
        return self.ask, self.authorize, self.arrive, self.receive, self.inspect, self.let_time_pass


class CalledOff(InAdvance):
    """Four are to leave at once, and the customer keeps what they were to replace."""

    def stages(self) -> tuple[Callable[[], None], ...]:
        """Nothing has left yet."""
        return self.ask, self.authorize, self.call_off

    def call_off(self) -> None:
        """Support calls it off, and with it what is with the warehouse."""
        self.find_other()
        self.other.until_released()
        self._post("support", "cancel", {"note": "kept"})
        self.until_return(lambda one: one["state"] == "cancelled", "end")
        self.other.until(lambda order: order["status"] == "cancelled", "cancellation")


PLACED = (
    *both("orders.AdvanceReturn/credited"),
    "orders.AdvanceReturn/credited.after_commit",
    "worker.billing.CreditReturn.before",
    "worker.billing.CreditReturn.after",
    "orders.relay/order_placed.before_delivery",
    "orders.relay/order_placed.after_delivery",
    "notifications.mail/return_replaced.after_handover",
)
"""A count earns what replaces it: the order is placed with the credit, and nobody but the relay starts it."""
LEFT = (
    *both("orders.AdvanceReturn/closed"),
    "worker.fulfillment.CloseReturn.after",
)
NETTED = (
    *both("billing.NetExchange", "orders.AdvanceReturn/netted"),
    "billing.NetExchange.after_commit",
    "orders.AdvanceReturn/netted.after_commit",
    "worker.billing.NetExchange.before",
    "worker.billing.NetExchange.after",
    "orders.RecordFacts/deposit_received.before_commit",
)
PLACED_AT_ONCE = (
    "orders.POST authorize.before_commit",
    "orders.POST authorize.after_commit",
    "orders.POST authorize.before_reply",
    "orders.relay/order_placed.before_delivery",
    "orders.relay/order_placed.after_delivery",
    "orders.relay/return_decided.after_delivery",
)
SETTLED = (
    *both("billing.SettleExchange", "orders.AdvanceReturn/settled"),
    "billing.SettleExchange.after_commit",
    "orders.AdvanceReturn/settled.after_commit",
    "billing.CaptureInvoice/open.before_commit",
    "billing.CaptureInvoice/open.after_commit",
    "billing.CaptureInvoice/open.before_reply",
    "worker.billing.SettleExchange.before",
    "worker.billing.SettleExchange.after",
)
IN_ADVANCE = mixed((*PLACED_AT_ONCE, *SETTLED))
"""Far apart on the path: a process that dies too often in a row is away for longer than people ask."""
NOT_WANTED = (
    "orders.POST cancel.before_commit",
    "orders.POST cancel.before_reply",
    *both("orders.AdvanceReturn/closed"),
    "orders.AdvanceReturn/closed.after_commit",
    "worker.fulfillment.CloseReturn.before",
    "worker.fulfillment.CloseReturn.after",
    "orders.relay/cancellation_requested.before_delivery",
    "orders.relay/cancellation_requested.after_delivery",
)
SLICE = ("orders.AdvanceReturn/settled.before_commit", "worker.billing.SettleExchange.after")


@pytest.mark.prove
@pytest.mark.slice
def test_a_kill_while_what_never_came_is_charged_changes_nothing(shop: Shop) -> None:
    assert changed(shop, SLICE, InAdvance) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_an_exchange_for_the_same_sku_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed((*PLACED, *LEFT)), Exchanged) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_an_exchange_for_another_sku_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed((*PLACED, *NETTED)), OfAnotherSku) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("points", [IN_ADVANCE[:8], IN_ADVANCE[8:]], ids=["first half", "second half"])
def test_a_kill_at_every_step_of_an_exchange_in_advance_changes_nothing(shop: Shop, points: list[str]) -> None:
    assert changed(shop, points, InAdvance) == {}


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_a_kill_at_every_step_of_an_exchange_that_is_called_off_changes_nothing(shop: Shop) -> None:
    assert changed(shop, mixed(NOT_WANTED), CalledOff) == {}


OTHER = "of the replacement"
CAME_TO: dict[type[Exchanged], dict[str, Rows]] = {
    Exchanged: {
        "returns": [("closed", "expired", 1, 1, "", "0", UNITS, CAME, CAME)],
        "replacements": [(0, 0, 0, "1", CAME)],
        "inspections": [(0, 0, 0, 0)],
        "credit notes": [],
        f"invoices {OTHER}": [],
        f"stock {OTHER}": [(10 - UNITS, 0)],
    },
    OfAnotherSku: {
        "returns": [("closed", "", 1, 0, "", "0", UNITS, UNITS, UNITS)],
        "replacements": [(0, 1, 0, "1", UNITS)],
        "credit notes": [(558_57, 0, 558_57, 0, "returned")],
        f"invoices {OTHER}": [(400_00, 0, 33_00, 433_00, 433_00)],
        "returned cash": [(125_57,)],
        "refunds at the provider": [(125_57, "succeeded")],
        "payments": [(558_57, 0)],
    },
    InAdvance: {
        "returns": [("closed", "expired", 1, 1, "", "0", UNITS, CAME, CAME)],
        "replacements": [(1, 0, 1, "1", UNITS)],
        "credit notes": [],
        f"invoices {OTHER}": [(129_00, 0, 10_64, 139_64, 139_64)],
        f"charges at the provider {OTHER}": [(558_57, 139_64, 0, 0)],
        f"stock {OTHER}": [(10 - UNITS - 1, 0)],
    },
    CalledOff: {
        "returns": [("cancelled", "cancelled", 1, 1, "", "0", UNITS, 0, 0)],
        f"invoices {OTHER}": [],
        f"charges at the provider {OTHER}": [(558_57, 0, 0, 0)],
        f"stock {OTHER}": [(10 - UNITS, 0)],
    },
}
"""129.00 and 100.00 each, tax 8.25 %: what comes is credited only where another SKU replaces it, and what never comes is charged."""


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", CAME_TO)
def test_all_processes_killed_at_once_after_each_stage_of_an_exchange_change_nothing(
    shop: Shop, way: type[Exchanged]
) -> None:
    wanted = way(shop, shop.goods()).travel()
    journey = way(shop, shop.goods())

    journey.place()
    journey.ship()
    ByCard.finish(journey)
    for stage in journey.stages():
        stage()
        kill_everything(shop.running)

    assert differences(wanted, journey.came_to()) == {}
    assert {what: wanted[what] for what in CAME_TO[way]} == CAME_TO[way]
    shop.trade().until_audit_is_clean()
