"""When warehouses work counts where an order comes from, and what its customer is promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.system.trade import Trade, ok

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def two_warehouses(trade: Trade, units: int) -> tuple[str, dict[str, str]]:
    """The near warehouse costs 9.00 and the far one 12.00; both have all of it."""
    sku, places = trade.product("s", "20.00", cost="10.00"), trade.warehouses({"near": 900, "far": 1200})
    for place in places.values():
        trade.receive(place, sku, units, "10.00")
    return sku, places


def schedule(trade: Trade, place: str, **terms: Any) -> None:
    path = f"/v1/warehouses/{place}/schedule"
    ok(trade.system.api("admin").post(path, json={"working_days": EVERY_DAY} | terms))


def placed(trade: Trade, sku: str, units: int, **terms: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its shipment, and the plan behind it."""
    body = trade.order_body(trade.customer(), [{"sku": sku, "quantity": units}], **terms)
    order_id = trade.placed(body)["order_id"]
    [shipment] = trade.shipments(order_id)
    [plan] = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/sourcing"))["rows"]
    return shipment, plan


def policy(trade: Trade, **terms: Any) -> None:
    none: dict[str, Any] = {"split_penalty_minor": 0, "maximum_splits": None, "late_day_minor": 0, "nodes": []}
    ok(trade.system.api("admin").post("/v1/sourcing-policy", json=none | terms))


def test_a1_whose_cut_off_has_passed_is_late_and_loses_where_lateness_costs_more(trade: Trade) -> None:
    trade.afterwards.callback(policy, trade)
    sku, places = two_warehouses(trade, 20)
    schedule(trade, places["far"])
    prompt, _ = placed(trade, sku, 2)
    closed = [(datetime.now(UTC) + timedelta(days=ahead)).date().isoformat() for ahead in range(1, 10)]
    schedule(trade, places["near"], cut_off="00:00", closed_on=closed)

    cheap, plan = placed(trade, sku, 2)
    policy(trade, late_day_minor=10_000)
    far = next(one for one in plan["candidates"] if one["shipments"][0]["warehouse_id"] == places["far"])
    soon, dear = placed(trade, sku, 2, requested_on=far["promised_on"])

    assert (prompt["warehouse_id"], cheap["warehouse_id"], soon["warehouse_id"]) == (
        places["near"], places["near"], places["far"],
    )  # fmt: skip
    assert cheap["promised_on"] > prompt["promised_on"]
    [chosen] = [one for one in plan["candidates"] if one["is_chosen"]]
    assert "its cut-off at 00:00 has passed" in chosen["shipments"][0]["delay"]
    assert plan["why"].endswith("its cut-off at 00:00 has passed")
    lost = next(one for one in dear["candidates"] if one["shipments"][0]["warehouse_id"] == places["near"])
    assert lost["costs"]["lateness"]["amount"] != "0.00"
    assert "its cut-off at 00:00 has passed" in lost["reason"]
    trade.until_audit_is_clean()


def test_a_warehouse_that_is_full_is_promised_later(trade: Trade) -> None:
    sku, places = two_warehouses(trade, 40)
    schedule(trade, places["near"], daily_units=5)

    first, _ = placed(trade, sku, 5)
    second, plan = placed(trade, sku, 12)

    assert (first["warehouse_id"], second["warehouse_id"]) == (places["near"], places["near"])
    assert second["promised_on"] > first["promised_on"]
    assert "it handles 5 units a day, and 5 are before these 12" in plan["why"]
    trade.until_audit_is_clean()
