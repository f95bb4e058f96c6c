"""The sweep cancels what has not shipped by the last day to ship, and the warehouse and the customer hear of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.system.harness import System
from tests.system.test_leases import sweep
from tests.system.trade import Trade


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


def test_what_has_not_shipped_by_the_last_day_is_cancelled_by_the_sweep(trade: Trade) -> None:
    customer, sku = trade.customer(), trade.product("p", "10.00", cost="4.00")
    [warehouse] = trade.warehouses({"w": 900}).values()
    trade.receive(warehouse, sku, 4, "4.00")
    last = (trade.system.now() + timedelta(days=3)).date()
    body = trade.order_body(customer, [{"sku": sku, "quantity": 10}], cancel_after=last.isoformat())
    placed = trade.placed(body)
    order_id = placed["order_id"]
    trade.when_idle(order_id)
    [shipment] = trade.shipments(order_id)
    trade.send_off(shipment)
    trade.when_idle(order_id)
    early = sweep(trade.system, "past_dates")

    trade.system.pass_time(timedelta(days=5))
    found = sweep(trade.system, "past_dates")
    order = trade.until(order_id, lambda one: one["lines"][0]["quantities"]["cancelled"] == 6, "the cancellation")
    again = sweep(trade.system, "past_dates")

    assert (early, found, again) == ({"asked": 0}, {"asked": 1}, {"asked": 0})
    [asked] = order["cancellations"]
    assert (asked["state"], order["cancel_after"]) == ("done", last.isoformat())
    assert "the last day to ship" in asked["reason"]
    trade.when_idle(order_id)
    assert f"Part of your order {placed['number']} has been canceled" in trade.mails(placed["number"])
    trade.until_audit_is_clean()
