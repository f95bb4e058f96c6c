"""What is open of an order comes from elsewhere once a carrier goes there or the address is another one; terms of customers."""

from __future__ import annotations

from typing import Any

from tests.system.test_a1_sourcing import Shop
from tests.system.test_changes import at_version, change
from tests.system.test_outages import places
from tests.system.trade import TEXAS, Trade, ok

AUCKLAND = TEXAS | {"city": "Auckland", "region": "AUK", "postal_code": "1010", "country": "NZ"}


def rate(warehouse_id: str, zone: str, base_minor: int) -> dict[str, Any]:
    return {
        "warehouse_id": warehouse_id, "carrier": "roadrunner", "zone": zone, "base_minor": base_minor,
        "per_kg_minor": 0, "per_unit_minor": 0, "transit_days": 2,
    }  # fmt: skip


def test_a_carrier_that_comes_lets_held_and_waiting_orders_go_on_by_themselves(trade: Trade) -> None:
    _, far = trade.warehouses({"near": 900, "far": 900}).values()
    trade.put_rates([rate(far, "moon", 900)], [{"country": "US", "region": "*", "zone": "south"}])
    sku = trade.product("a", "20.00")
    trade.receive(far, sku, 10, "10.00")
    customer = trade.customer()
    waiting = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 4}]))
    held = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 3}], ship_to=AUCKLAND))

    trade.put_rates(
        [rate(far, "south", 1200), rate(far, "islands", 1500)],
        [{"country": "US", "region": "*", "zone": "south"}, {"country": "NZ", "region": "AUK", "zone": "islands"}],
    )
    trade.until(waiting["order_id"], lambda _: places(trade, waiting["order_id"], "released") == {far: 4}, "the fill")
    trade.until(held["order_id"], lambda _: places(trade, held["order_id"], "released") == {far: 3}, "the release")
    after = [trade.when_idle(one["order_id"]) for one in (waiting, held)]

    assert (waiting["status"], held["waiting_for"]["who"]) == ("backordered", "support")
    assert [one["status"] for one in after] == ["in_fulfilment"] * 2
    history = ok(trade.system.api("auditor").get(f"/v1/orders/{waiting['order_id']}/history"))["rows"]
    [again] = [row for row in history if row["what"] == "order_sourced_again"]
    assert again["why"].startswith(f"a carrier goes from {far} to more places now. Now {far} for 12.00 USD")
    assert trade.stock(sku) == {far: (10, 7)}
    trade.until_audit_is_clean()
    for one in trade.shipments(held["order_id"]):  # what is still to leave keeps its rate
        trade.send_off(one)


def test_what_waits_to_ship_complete_is_planned_again_for_another_address(trade: Trade) -> None:
    south, north = trade.warehouses({"south": 900, "north": 1600}).values()
    trade.put_rates(
        [
            rate(south, "south", 900),
            rate(north, "south", 1600),
            rate(south, "islands", 2500),
            rate(north, "islands", 700),
        ],
        [{"country": "US", "region": "*", "zone": "south"}, {"country": "NZ", "region": "AUK", "zone": "islands"}],
    )
    sku, scarce = trade.product("a", "20.00"), trade.product("b", "20.00")
    for place in (south, north):
        trade.receive(place, sku, 5, "10.00")
    lines = [{"sku": sku, "quantity": 5}, {"sku": scarce, "quantity": 1}]
    order = trade.placed(trade.order_body(trade.customer(), lines, ship_complete=True))
    before = trade.stock(sku)

    change(trade, order, "support", ship_to=AUCKLAND)
    path = f"/v1/orders/{order['order_id']}/changes"
    [made] = ok(trade.system.api("auditor").get(path))["rows"]
    if made["needs_consent"]:
        said = {"answer": "accept", "version": 1}
        customer = trade.system.api("customer", order["customer_id"])
        ok(
            customer.post(
                f"{path}/{made['change_id']}/consent", json=said, headers={"Idempotency-Key": trade.name("k")}
            )
        )
    at_version(trade, order["order_id"], 2)

    assert (before[south], before[north]) == ((5, 5), (5, 0))
    assert trade.stock(sku) == {south: (5, 0), north: (5, 5)}
    newest = ok(trade.system.api("auditor").get(f"/v1/orders/{order['order_id']}/sourcing"))["rows"][0]
    assert newest["cause"] == "the address was changed"
    trade.until_audit_is_clean()


def test_a_customer_whose_orders_are_never_split_is_served_from_one_warehouse(trade: Trade) -> None:
    shop = Shop(trade)
    trade.afterwards.callback(shop.put_policy, {"customers": []})
    terms = {"customer_id": shop.customer, "is_never_split": True}

    split = shop.plan(w2=1900)[0]
    one, plan = shop.plan(w2=1900, customers=[terms])

    assert (split, one) == ({"w1": 10, "w3": 4}, {"w2": 14})
    assert "needs 2 shipments: this customer's orders are never split" in [
        each["reason"] for each in plan["candidates"]
    ]
