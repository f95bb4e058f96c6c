"""Weeks after its acceptance an order's backorders are filled: what has changed since, or waits for people, holds them back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.system.harness import System
from tests.system.test_changes import change
from tests.system.trade import Trade, key, ok


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


def backordered(trade: Trade, *skus: str) -> dict[str, Any]:
    """An accepted order of 10 of each SKU, of which the warehouse has 4 of the first."""
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, skus[0], 4, "10.00")
    return trade.placed(trade.order_body(trade.customer(), [{"sku": sku, "quantity": 10} for sku in skus]))


def units(shipments: list[dict[str, Any]]) -> list[dict[str, int]]:
    """What each shipment carries: line id → units."""
    return [{line["line_id"]: line["quantity"] for line in shipment["lines"]} for shipment in shipments]


def test_a_backorder_of_a_deactivated_customer_stays_allocated_until_support_lets_it_go(trade: Trade) -> None:
    sku = trade.product("c", "25.00", cost="10.00")
    order = backordered(trade, sku)
    order_id, warehouse = order["order_id"], trade.name("wh-w1")
    trade.customer(is_active=False)
    trade.receive(warehouse, sku, 6, "10.00")

    held = trade.when_idle(order_id)
    at_first = units(trade.shipments(order_id))
    [hold] = [one for one in held["holds"] if one["released_at"] is None]
    path = f"/v1/orders/{order_id}/holds/{hold['hold_id']}/release"
    support = trade.system.api("support")
    too_early = support.post(path, json={"note": "go on"})
    trade.until_audit_is_clean()
    trade.customer(is_active=True)
    ok(support.post(path, json={"note": "they paid"}))
    trade.when_idle(order_id)
    released = units(trade.shipments(order_id))
    for shipment in trade.shipments(order_id, "released"):
        trade.send_off(shipment)
    done = trade.when_idle(order_id)

    assert (held["status"], held["waiting_for"]["who"]) == ("on_hold", "support")
    assert (hold["code"], hold["hold_type"]) == ("CUSTOMER_INACTIVE", "facts_changed")
    assert held["lines"][0]["quantities"]["allocated"] == 10
    assert at_first == [{"1": 4}]
    assert (too_early.status_code, too_early.json()["code"]) == (409, "FACTS_STILL_WRONG")
    assert released == [{"1": 10}]  # it joins what is not picked
    assert done["status"] == "shipped"
    trade.until_audit_is_clean()


def test_what_a_pending_change_touches_waits_until_the_policys_time_and_the_rest_goes(trade: Trade) -> None:
    changing, other = trade.product("c", "25.00", cost="10.00"), trade.product("o", "5.00", cost="2.00")
    order = backordered(trade, changing, other)
    order_id, warehouse = order["order_id"], trade.name("wh-w1")
    made = change(trade, order, "support", {"line_id": "1", "quantity": 5})
    for sku in (changing, other):
        trade.receive(warehouse, sku, 10, "2.00")
        trade.when_idle(order_id)

    waiting = trade.shipments(order_id)
    trade.system.skip(order_id, timedelta(hours=24, seconds=30))
    after = trade.when_idle(order_id)
    gone_on = trade.shipments(order_id)
    for shipment in gone_on:
        trade.send_off(shipment)
    done = trade.when_idle(order_id)

    assert units(waiting) == [{"1": 4}, {"2": 10}]
    assert [bool(each["change_pending"]) for each in waiting] == [True, False]
    assert waiting[0]["change_pending"]["what"] == [f"Quantity of {changing}: 10 → 5"]
    assert units(gone_on) == [{"1": 10}, {"2": 10}]
    assert after["change"]["state"] == "awaiting_customer"
    assert any("still open" in subject for subject in trade.mails(order["number"]))
    rows = ok(trade.system.api("support").get(f"/v1/orders/{order_id}/changes"))["rows"]
    assert [(row["change_id"], row["state"]) for row in rows] == [(made["change_id"], "rejected")]
    assert "picked or shipped" in rows[0]["ended_reason"]
    assert done["status"] == "shipped"
    trade.until_audit_is_clean()


def test_a_declined_change_releases_at_once_what_it_held_back(trade: Trade) -> None:
    sku = trade.product("c", "25.00", cost="10.00")
    order = backordered(trade, sku)
    order_id = order["order_id"]
    made = change(trade, order, "support", {"line_id": "1", "quantity": 5})
    trade.receive(trade.name("wh-w1"), sku, 6, "10.00")
    trade.when_idle(order_id)
    waiting = units(trade.shipments(order_id))

    customer = trade.system.api("customer", order["customer_id"])
    path = f"/v1/orders/{order_id}/changes/{made['change_id']}/consent"
    ok(customer.post(path, json={"answer": "decline"}, headers=key()))
    trade.when_idle(order_id)

    assert waiting == [{"1": 4}]
    assert units(trade.shipments(order_id)) == [{"1": 10}]
    trade.until_audit_is_clean()
