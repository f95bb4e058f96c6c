"""Too few units: gold, silver and bronze get theirs in the order of the allocation policy, as it was foretold, through every door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.trade import Trade, eventually, ok

A6 = (("bronze", 30), ("silver", 15), ("gold", 20))


@pytest.fixture
def tiers(trade: Trade) -> Iterator[dict[str, str]]:
    """Tier → its name in this trade; gold's lines ship whole."""
    names = {tier: trade.name(tier) for tier, _ in A6}
    admin = trade.system.api("admin")
    terms = [{"tier": names["gold"], "delivery": "line_complete"}, {"tier": names["silver"]}, {"tier": names["bronze"]}]
    ok(admin.post("/v1/allocation-policy", json={"tiers": terms}))
    yield names
    ok(admin.post("/v1/allocation-policy", json={}))


def a6(trade: Trade, tiers: dict[str, str]) -> tuple[str, str, dict[str, str]]:
    """Bronze, silver and gold order in this order what is not there; the SKU, the warehouse and tier → order id."""
    [place] = trade.warehouses({"w1": 900}).values()
    sku = trade.product("j", "20.00")
    orders = {}
    for tier, units in A6:
        customer = trade.customer(tier, tier=tiers[tier])
        order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": units}]))
        orders[tier] = str(order["order_id"])
        trade.when_idle(orders[tier])
    return sku, place, orders


def allocated(trade: Trade, orders: dict[str, str]) -> dict[str, int]:
    return {tier: trade.order(order_id)["lines"][0]["quantities"]["allocated"] for tier, order_id in orders.items()}


def test_a6_a_receipt_goes_to_who_was_foretold_and_a_line_that_ships_whole_waits_for_all_of_it(
    trade: Trade, tiers: dict[str, str]
) -> None:
    sku, place, orders = a6(trade, tiers)
    support = trade.system.api("support")

    queue = ok(support.get("/v1/backorders", params={"sku": sku, "warehouse_id": place}))["rows"]
    body = {"sku": sku, "warehouse_id": place, "quantity": 18}
    foretold = ok(support.post("/v1/backorders/what-if", json=body))
    trade.receive(place, sku, 18, "10.00")
    first = eventually(lambda: _is(allocated(trade, orders), {"bronze": 3, "silver": 15, "gold": 0}))
    trade.receive(place, sku, 22, "10.00")

    assert [(row["order_id"], row["position"], row["before_quantity"]) for row in queue] == [
        (orders["gold"], 1, 0), (orders["silver"], 2, 20), (orders["bronze"], 3, 35)
    ]  # fmt: skip
    assert queue[0]["value"] == {"amount": "400.00", "currency": "USD"}
    assert "whole lines only" in queue[0]["reason"]
    assert {row["order_id"]: row["quantity"] for row in foretold["rows"]} == {
        orders[tier]: units for tier, units in first.items() if units
    }
    eventually(lambda: _is(allocated(trade, orders), {"bronze": 5, "silver": 15, "gold": 20}))
    trade.until_audit_is_clean()


def _is(found: dict[str, int], wanted: dict[str, int]) -> dict[str, int]:
    assert found == wanted
    return found
