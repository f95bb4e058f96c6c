"""The picker finds 12 of 15: what is short comes from another warehouse, or waits, and stock tells the truth."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.test_a2_partial_shipments import changes
from tests.system.test_counts import carried, level
from tests.system.trade import Trade, eventually, key, ok


def fifteen(trade: Trade, **elsewhere: int) -> tuple[str, dict[str, str], str]:
    """15 on hand in W1, all of them with the warehouse for one order; units `elsewhere`. The SKU, the warehouses and the order."""
    sku = trade.product("j", "20.00", cost="10.00")
    places = trade.warehouses({"w1": 900, "w2": 1900})
    trade.receive(places["w1"], sku, 15, "10.00")
    for name, units in elsewhere.items():
        trade.receive(places[name], sku, units, "10.00")
    order = trade.placed(trade.order_body(trade.customer(), [{"sku": sku, "quantity": 15}]))
    return sku, places, str(order["order_id"])


def pick(
    trade: Trade, shipment: dict[str, Any], units: int, *, reason: str = "missing", use: dict[str, str] | None = None
) -> dict[str, Any]:
    [line] = shipment["lines"]
    found = {"line_id": line["line_id"], "sku": line["sku"], "quantity": units, "short_reason": reason}
    path = f"/v1/shipments/{shipment['shipment_id']}/pick"
    done: dict[str, Any] = ok(trade.system.api("warehouse").post(path, json={"lines": [found]}, headers=use or key()))
    return done


def test_a6_what_is_short_comes_from_the_warehouse_that_has_it(trade: Trade) -> None:
    sku, places, order_id = fifteen(trade, w2=3)
    [shipment] = trade.shipments(order_id, "released")
    once = key()

    done = pick(trade, shipment, 12, use=once)
    again = pick(trade, shipment, 12, use=once)
    eventually(lambda: _is(carried(trade, order_id), [3]))
    second = trade.shipments(order_id, "released")[0]
    for verb in ("pack", "ship"):
        ok(trade.system.api("warehouse").post(f"/v1/shipments/{done['shipment_id']}/{verb}", json={}, headers=key()))
    trade.send_off(second)

    assert (done["state"], [line["picked_quantity"] for line in done["lines"]]) == ("picked", [12])
    assert again == done
    assert second["warehouse_id"] == places["w2"]
    assert trade.when_idle(order_id)["status"] == "shipped"
    assert (level(trade, places["w1"], sku), level(trade, places["w2"], sku)) == ((0, 0), (0, 0))
    trade.until_audit_is_clean()


def test_a6_what_nobody_has_waits_and_stock_is_less_by_it(trade: Trade) -> None:
    sku, places, order_id = fifteen(trade)
    [shipment] = trade.shipments(order_id, "released")

    done = pick(trade, shipment, 12)
    order = trade.when_idle(order_id)
    subject = f"Part of your order {order['number']} is backordered"

    history = ok(trade.system.api("support").get(f"/v1/orders/{order_id}/history", params={"limit": 100}))["rows"]
    theirs = ok(trade.system.api("customer", order["customer_id"]).get(f"/v1/orders/{order_id}/history"))["rows"]
    said = f"{shipment['number']}, 3 of {sku}: short pick of {shipment['number']}, missing"
    assert [one["why"] for one in history if one["what"] == "recall_answered"] == [said]
    assert "missing" not in str(theirs)
    assert [line["quantity"] for line in done["lines"]] == [12]
    assert order["lines"][0]["quantities"]["backordered"] == 3
    assert level(trade, places["w1"], sku) == (12, 12)  # 15 − 3 as shrinkage
    moved = ok(trade.system.api("warehouse").get("/v1/stock/movements", params={"sku": sku}))["rows"]
    assert (moved[0]["kind"], moved[0]["quantity"]) == ("adjusted", -3)
    assert f"short pick of {shipment['number']}, missing" in str(moved[0])
    assert eventually(lambda: _has(trade.mails(order["number"]), subject)).count(subject) == 1
    trade.receive(places["w1"], sku, 3, "10.00")
    eventually(lambda: _is(carried(trade, order_id), [3]))
    trade.until_audit_is_clean()


def test_what_is_damaged_is_in_quarantine_and_is_no_loss_until_somebody_decides(trade: Trade) -> None:
    sku, places, order_id = fifteen(trade)
    [shipment] = trade.shipments(order_id, "released")
    floor, before = trade.system.api("warehouse"), trade.ledger()

    pick(trade, shipment, 12, reason="damaged")
    apart = changes(before, trade.ledger())
    [row] = ok(floor.get("/v1/quarantine", params={"sku": sku}))["rows"]
    decision = {"quantity": 3, "outcome": "scrap", "reason": "crushed"}
    ok(floor.post(f"/v1/quarantine/{row['movement_id']}/decision", json=decision, headers=key()))

    assert apart == {"inventory": -3_000, "inventory_in_quarantine": 3_000}
    assert changes(before, trade.ledger()) == {"inventory": -3_000, "inventory_write_offs": 3_000}
    assert level(trade, places["w1"], sku) == (12, 12)
    assert (row["quantity"], row["return_number"]) == (3, None)
    assert row["reason"] == f"short pick of {shipment['number']}, damaged"
    assert trade.when_idle(order_id)["lines"][0]["quantities"]["backordered"] == 3
    trade.until_audit_is_clean()


def test_a_shipment_of_which_nothing_is_there_is_canceled_and_all_of_it_waits(trade: Trade) -> None:
    sku, places, order_id = fifteen(trade)
    [shipment] = trade.shipments(order_id, "released")

    done = pick(trade, shipment, 0)

    assert done["state"] == "cancelled"
    assert trade.when_idle(order_id)["lines"][0]["quantities"]["backordered"] == 15
    assert level(trade, places["w1"], sku) == (0, 0)
    trade.until_audit_is_clean()


def test_an_order_that_ships_complete_comes_back_whole_and_leaves_whole_later(trade: Trade) -> None:
    sku, other = trade.product("p", "25.00", cost="10.00"), trade.product("q", "5.00", cost="2.00")
    [place] = trade.warehouses({"w1": 900}).values()
    trade.receive(place, sku, 4, "10.00")
    trade.receive(place, other, 2, "2.00")
    lines = [{"sku": sku, "quantity": 4}, {"sku": other, "quantity": 2}]
    order_id = trade.placed({**trade.order_body(trade.customer(), lines), "ship_complete": True})["order_id"]
    [shipment] = trade.shipments(order_id, "released")
    found = [
        {"line_id": line["line_id"], "sku": line["sku"], "quantity": line["quantity"] - (line["sku"] == sku),
         "short_reason": "missing" if line["sku"] == sku else None}
        for line in shipment["lines"]
    ]  # fmt: skip

    path = f"/v1/shipments/{shipment['shipment_id']}/pick"
    done = ok(trade.system.api("warehouse").post(path, json={"lines": found}, headers=key()))
    waiting = trade.when_idle(order_id)
    trade.receive(place, sku, 1, "10.00")
    eventually(lambda: _is(sorted(carried(trade, order_id)), [2, 4]))
    for each in trade.shipments(order_id, "released"):
        trade.send_off(each)

    assert done["state"] == "cancelled"
    assert sum(line["quantities"]["shipped"] for line in waiting["lines"]) == 0
    assert trade.when_idle(order_id)["status"] == "shipped"
    assert (level(trade, place, sku), level(trade, place, other)) == ((0, 0), (0, 0))
    trade.until_audit_is_clean()


def test_what_was_free_on_an_empty_shelf_leaves_stock_too_and_what_others_hold_stays(trade: Trade) -> None:
    sku, places, order_id = fifteen(trade)
    trade.receive(places["w1"], sku, 9, "10.00")
    other = trade.placed(trade.order_body(trade.customer(), [{"sku": sku, "quantity": 4}]))["order_id"]
    before = level(trade, places["w1"], sku)

    pick(trade, trade.shipments(order_id, "released")[0], 12)
    order = trade.when_idle(order_id)

    assert before == (24, 19)
    assert level(trade, places["w1"], sku) == (16, 16)
    assert order["lines"][0]["quantities"]["backordered"] == 3
    assert carried(trade, other) == [4]
    trade.until_audit_is_clean()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"short_reason": None}, "PICK_INCOMPLETE"),
        ({"quantity": 16}, "PICK_EXCEEDS_SHIPMENT"),
        ({"line_id": "9"}, "UNKNOWN_LINE"),
        ({"sku": "OTHER"}, "UNKNOWN_LINE"),
        ({"short_reason": "lazy"}, "INVALID_REQUEST"),
        ({"quantity": -1}, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_a_short_pick_is_refused_and_books_nothing(
    trade: Trade, change: dict[str, Any], code: str
) -> None:
    sku, places, order_id = fifteen(trade)
    [shipment] = trade.shipments(order_id, "released")
    [line] = shipment["lines"]
    found = {"line_id": line["line_id"], "sku": sku, "quantity": 12, "short_reason": "missing", **change}

    path = f"/v1/shipments/{shipment['shipment_id']}/pick"
    answer = trade.system.api("warehouse").post(path, json={"lines": [found]}, headers=key())

    assert answer.status_code in (409, 422)
    assert answer.json()["code"] == code
    assert level(trade, places["w1"], sku) == (15, 15)
    assert carried(trade, order_id) == [15]


def _is(found: Any, wanted: Any) -> Any:
    assert found == wanted
    return found


def _has(found: list[str], wanted: str) -> list[str]:
    assert wanted in found
    return found
