"""medusa#12401 and what people do instead: a count below what is promised is recorded, and who is served last waits again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.test_leases import sweep
from tests.system.trade import Trade, eventually, key, ok


def count(trade: Trade, place: str, sku: str, units: int, *, preview: bool = False) -> dict[str, Any]:
    body = {"warehouse_id": place, "sku": sku, "counted": units}
    path = "/v1/stock/counts" + ("?preview=true" if preview else "")
    found: dict[str, Any] = ok(trade.system.api("warehouse").post(path, json=body, headers=key()))
    return found


def level(trade: Trade, place: str, sku: str) -> tuple[int, int]:
    [row] = ok(trade.system.api("warehouse").get("/v1/stock", params={"sku": sku, "warehouse_id": place}))["rows"]
    return row["on_hand"], row["allocated"]


def carried(trade: Trade, order_id: str) -> list[int]:
    return [line["quantity"] for each in trade.shipments(order_id, "released") for line in each["lines"]]


def two_orders(trade: Trade) -> tuple[str, str, str, str]:
    """10 are there; the first order has 6 of them, the second 4, all with the warehouse: SKU, warehouse, first and second."""
    sku = trade.product("p", "25.00", cost="10.00")
    [place] = trade.warehouses({"w1": 900}).values()
    trade.receive(place, sku, 10, "10.00")
    ids = []
    for units in (6, 4):
        order = trade.placed(trade.order_body(trade.customer(), [{"sku": sku, "quantity": units}]))
        trade.when_idle(order["order_id"])
        ids.append(str(order["order_id"]))
    return sku, place, ids[0], ids[1]


def test_medusa_12401_a_count_below_what_is_promised_takes_it_from_who_is_served_last_and_notifies_them(
    trade: Trade,
) -> None:
    sku, place, first, second = two_orders(trade)

    said = count(trade, place, sku, 7, preview=True)
    before = level(trade, place, sku)
    done = count(trade, place, sku, 7)
    eventually(lambda: _is(carried(trade, second), [1]))
    loser, keeper = trade.when_idle(second), trade.when_idle(first)
    subject = f"Part of your order {loser['number']} is backordered"
    kinds = eventually(lambda: _has(trade.mails(loser["number"]), subject))

    assert [(one["order_id"], one["quantity"], one["released_quantity"]) for one in said["losses"]] == [(second, 3, 3)]
    assert (said["count_id"], said["on_hand_before"], said["delta"], before) == (None, 10, -3, (10, 10))
    assert done["losses"] == said["losses"]
    assert level(trade, place, sku) == (7, 7)
    assert (loser["lines"][0]["quantities"]["backordered"], loser["lines"][0]["quantities"]["allocated"]) == (3, 1)
    assert keeper["lines"][0]["quantities"]["allocated"] == 6
    assert (carried(trade, first), carried(trade, second)) == ([6], [1])
    assert kinds.count(subject) == 1
    trade.until_audit_is_clean()


def test_what_was_lost_comes_again_in_its_old_place_and_all_of_it_ships(trade: Trade) -> None:
    sku, place, first, second = two_orders(trade)
    count(trade, place, sku, 7)
    eventually(lambda: _is(carried(trade, second), [1]))

    trade.receive(place, sku, 3, "10.00")
    eventually(lambda: _is(sum(carried(trade, second)), 4))
    for order_id in (first, second):
        for shipment in trade.shipments(order_id, "released"):
            trade.send_off(shipment)

    assert [trade.when_idle(one)["status"] for one in (first, second)] == ["shipped", "shipped"]
    assert level(trade, place, sku) == (0, 0)
    trade.until_audit_is_clean()


def test_what_whoever_counted_could_not_take_out_of_shipments_a_sweep_does(trade: Trade) -> None:
    sku, place, _, second = two_orders(trade)
    gateway = "gateway.http.neighbors.counts.recall_uncovered"
    with pytest.MonkeyPatch.context() as ended:
        ended.setattr(gateway, lambda *_: None)  # as if its process ended here
        count(trade, place, sku, 7)
    before = carried(trade, second)

    found = sweep(trade.system, "counts")

    assert (before, found) == ([4], {"recalled": 1})
    eventually(lambda: _is(carried(trade, second), [1]))
    assert sweep(trade.system, "counts") == {"recalled": 0}
    trade.when_idle(second)
    trade.until_audit_is_clean()


def test_an_order_that_ships_complete_gets_all_of_it_back_from_the_warehouse_and_leaves_whole_later(
    trade: Trade,
) -> None:
    sku, other = trade.product("p", "25.00", cost="10.00"), trade.product("q", "5.00", cost="2.00")
    [place] = trade.warehouses({"w1": 900}).values()
    trade.receive(place, sku, 4, "10.00")
    trade.receive(place, other, 2, "2.00")
    lines = [{"sku": sku, "quantity": 4}, {"sku": other, "quantity": 2}]
    order_id = trade.placed({**trade.order_body(trade.customer(), lines), "ship_complete": True})["order_id"]
    trade.when_idle(order_id)

    count(trade, place, sku, 1)
    eventually(lambda: _is(carried(trade, order_id), []))
    trade.receive(place, sku, 3, "10.00")

    eventually(lambda: _is(sorted(carried(trade, order_id)), [2, 4]))
    trade.until_audit_is_clean()


def test_a_count_below_what_is_picked_is_refused_and_says_what_to_do(trade: Trade) -> None:
    sku, place, first, _ = two_orders(trade)
    [shipment] = trade.shipments(first, "released")
    ok(trade.system.api("warehouse").post(f"/v1/shipments/{shipment['shipment_id']}/pick", json={}, headers=key()))

    body = {"warehouse_id": place, "sku": sku, "counted": 5}
    refused = trade.system.api("warehouse").post("/v1/stock/counts", json=body, headers=key())

    assert (refused.status_code, refused.json()["code"]) == (409, "COUNT_BELOW_PICKED")
    assert "6 units are picked" in refused.json()["detail"]
    assert level(trade, place, sku) == (10, 10)
    trade.until_audit_is_clean()


def _is(found: Any, wanted: Any) -> Any:
    assert found == wanted
    return found


def _has(found: list[str], wanted: str) -> list[str]:
    assert wanted in found
    return found
