"""Dangerous goods through the public API: they leave only warehouses that may send them."""

from __future__ import annotations

import pytest

from tests.system.trade import Trade, ok


@pytest.fixture
def places(trade: Trade) -> dict[str, str]:
    made = trade.warehouses({"near": 500, "far": 900})
    admin = trade.system.api("admin")
    nodes = [{"warehouse_id": made["near"], "excludes_hazardous": True}]
    ok(admin.patch("/v1/sourcing-policy", json={"nodes": nodes}))
    trade.afterwards.callback(lambda: ok(admin.patch("/v1/sourcing-policy", json={"nodes": []})))
    return made


def test_dangerous_goods_leave_only_where_they_may_be(trade: Trade, places: dict[str, str]) -> None:
    acid, pump = trade.product("acid", "20.00", is_hazardous=True), trade.product("pump", "30.00")
    for sku in (acid, pump):
        for place in places.values():
            trade.receive(place, sku, 10, "5.00")
    customer = trade.customer()
    lines = [{"sku": acid, "quantity": 2}, {"sku": pump, "quantity": 1}]

    order_id = trade.placed(trade.order_body(customer, lines))["order_id"]
    plain = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 1}]))["order_id"]

    assert {one["warehouse_id"] for one in trade.shipments(order_id)} == {places["far"]}
    assert {one["warehouse_id"] for one in trade.shipments(plain)} == {places["near"]}
    [plan] = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/sourcing"))["rows"]
    reasons = {one["reason"] for one in plan["candidates"] if not one["is_chosen"]}
    assert f"serves 1 of the 3 units: {places['near']} may send no dangerous goods" in reasons
    trade.until_audit_is_clean()


def test_who_waits_for_them_waits_for_the_warehouse_that_may_send_them(trade: Trade, places: dict[str, str]) -> None:
    acid = trade.product("acid", "20.00", is_hazardous=True)
    order_id = trade.placed(trade.order_body(trade.customer(), [{"sku": acid, "quantity": 2}]))["order_id"]

    trade.receive(places["near"], acid, 10, "5.00")
    trade.until_audit_is_clean()
    assert trade.shipments(order_id) == []
    trade.receive(places["far"], acid, 10, "5.00")

    trade.until_released(order_id)
    assert {one["warehouse_id"] for one in trade.shipments(order_id)} == {places["far"]}
    trade.until_audit_is_clean()
