"""A warehouse that is closed for a while: what nobody has picked comes from elsewhere, through the public API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.system.trade import Trade, key, ok


def close(trade: Trade, warehouse_id: str, reason: str = "flooded dock") -> dict[str, Any]:
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    body = {"until": until, "reason": reason}
    found: dict[str, Any] = ok(
        trade.system.api("warehouse").post(f"/v1/warehouses/{warehouse_id}/outage", json=body, headers=key())
    )
    return found


def places(trade: Trade, order_id: str, *states: str) -> dict[str, int]:
    """Warehouse → units in shipments of these states."""
    found: dict[str, int] = {}
    for one in trade.shipments(order_id):
        if one["state"] in states:
            units = sum(line["quantity"] for line in one["lines"])
            found[one["warehouse_id"]] = found.get(one["warehouse_id"], 0) + units
    return found


def test_a_closed_warehouse_gives_back_what_it_has_not_picked_and_another_one_sends_it(trade: Trade) -> None:
    near, far = trade.warehouses({"near": 900, "far": 1600}).values()
    sku = trade.product("a", "20.00")
    trade.receive(near, sku, 10, "10.00")
    trade.receive(far, sku, 7, "10.00")
    customer = trade.customer()
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}]))
    order_id = order["order_id"]
    before = places(trade, order_id, "released")

    outage = close(trade, near)
    trade.until(order_id, lambda _: places(trade, order_id, "released") == {far: 7}, "what the other one has")
    after = trade.when_idle(order_id)

    assert (before, outage["order_count"]) == ({near: 10}, 1)
    assert trade.stock(sku) == {near: (10, 0), far: (7, 7)}
    quantities = after["lines"][0]["quantities"]
    assert (quantities["allocated"], quantities["backordered"]) == (7, 3)
    newest = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/sourcing"))["rows"][0]
    assert "flooded dock" in newest["cause"]
    assert {one["warehouse_id"]: one["reason"] for one in newest["unused"]}[near] == "closed"
    history = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/history"))["rows"]
    kinds = [row["what"] for row in history]
    assert kinds.count("sourcing_asked") == kinds.count("order_sourced_again") == 1
    trade.until_audit_is_clean()

    ok(trade.system.api("warehouse").post(f"/v1/warehouses/{near}/outage/end", headers=key()))
    trade.until(order_id, lambda _: places(trade, order_id, "released") == {far: 7, near: 3}, "the rest")
    for shipment in trade.shipments(order_id, "released"):
        trade.send_off(shipment)
    done = trade.when_idle(order_id)

    assert done["lines"][0]["quantities"]["shipped"] == 10
    assert trade.stock(sku) == {near: (7, 0), far: (0, 0)}
    trade.until_audit_is_clean()


def test_what_is_picked_stays_with_a_warehouse_that_closes(trade: Trade) -> None:
    near, far = trade.warehouses({"near": 900, "far": 1600}).values()
    sku = trade.product("a", "20.00")
    trade.receive(near, sku, 4, "10.00")
    order_id = trade.placed(trade.order_body(trade.customer(), [{"sku": sku, "quantity": 10}]))["order_id"]
    [first] = trade.shipments(order_id, "released")
    ok(trade.system.api("warehouse").post(f"/v1/shipments/{first['shipment_id']}/pick", headers=key()))
    trade.receive(near, sku, 6, "10.00")
    trade.until(order_id, lambda _: places(trade, order_id, "released") == {near: 6}, "the second shipment")
    trade.when_idle(order_id)
    trade.receive(far, sku, 9, "10.00")

    close(trade, near)
    trade.until(order_id, lambda _: places(trade, order_id, "released") == {far: 6}, "what is not picked")
    trade.when_idle(order_id)

    assert places(trade, order_id, "picked") == {near: 4}
    assert trade.stock(sku) == {near: (10, 4), far: (9, 6)}
    for verb in ("pack", "ship"):
        ok(trade.system.api("warehouse").post(f"/v1/shipments/{first['shipment_id']}/{verb}", headers=key()))
    trade.when_idle(order_id)
    assert trade.stock(sku) == {near: (6, 0), far: (9, 6)}
    trade.until_audit_is_clean()
