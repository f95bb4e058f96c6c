"""Waves on the real processes: three orders picked together by bin, one short, one given back; the audit clean after each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.test_packing_slips import scanned
from tests.system.trade import Trade, eventually, key, ok


def three_orders(trade: Trade) -> tuple[str, str, str, list[dict[str, Any]]]:
    """Two SKUs in bins of one warehouse, and the released shipments of three orders for both: 5 pumps and 2 seals each."""
    return orders_of(trade, 3)


def orders_of(trade: Trade, count: int) -> tuple[str, str, str, list[dict[str, Any]]]:
    """The same of so many orders; there are more pumps and seals than they want."""
    pump, seal = trade.product("pump", "20.00", cost="10.00"), trade.product("seal", "3.00", cost="1.00")
    place = trade.warehouses({"w": 900})["w"]
    for sku in (pump, seal):
        trade.receive(place, sku, 40 + 5 * count, "1.00")
    bins = [{"warehouse_id": place, "sku": pump, "bin": "a-10"}, {"warehouse_id": place, "sku": seal, "bin": "A-2"}]
    assert ok(trade.system.api("warehouse").put("/v1/stock/bins", json={"bins": bins})) == {"changed_count": 2}
    lines = [{"sku": pump, "quantity": 5}, {"sku": seal, "quantity": 2}]
    orders = [trade.placed(trade.order_body(trade.customer(), lines)) for _ in range(count)]
    return place, pump, seal, [trade.shipments(one["order_id"], "released")[0] for one in orders]


def create(trade: Trade, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = ok(trade.system.api("warehouse").post("/v1/waves", json=body, headers=headers or key()))
    return made


def read(trade: Trade, number: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(trade.system.api("auditor").get(f"/v1/waves/{number}"))
    return found


@pytest.mark.on_postgres
def test_a_wave_of_three_orders_is_picked_by_bin_and_closes_by_itself(trade: Trade) -> None:
    place, pump, seal, shipments = three_orders(trade)
    once = key()

    made = create(trade, once, warehouse_id=place, next=20, picker="pat")
    again = create(trade, once, warehouse_id=place, next=20, picker="pat")
    shown = read(trade, made["number"])
    printed = trade.system.api("auditor").get(f"/v1/waves/{made['number']}/pick-list.pdf")
    first, short, given_back = shipments
    path = f"/v1/shipments/{first['shipment_id']}/pick"
    ok(trade.system.api("warehouse").post(path, headers=key()))
    between = read(trade, made["number"])
    found = [
        {"line_id": line["line_id"], "sku": line["sku"], "quantity": min(line["quantity"], 4)}
        | ({"short_reason": "missing"} if line["quantity"] > 4 else {})
        for line in short["lines"]
    ]
    path = f"/v1/shipments/{short['shipment_id']}/pick"
    ok(trade.system.api("warehouse").post(path, json={"lines": found}, headers=key()))
    cancelled = f"/v1/orders/{given_back['order_id']}/cancellation"
    trade.system.api("support").post(cancelled, json={"reason": "not wanted"}, headers=key())
    closed = eventually(lambda: _closed(trade, made["number"]))
    too_late = trade.system.api("auditor").get(f"/v1/waves/{made['number']}/pick-list.pdf")

    assert again == made
    assert {code for code, *_ in scanned(printed.content, 0)} == {made["number"], *(one["number"] for one in shipments)}
    assert (too_late.status_code, too_late.json()["code"]) == (409, "NOTHING_TO_PICK")
    assert [one["number"] for one in shown["shipments"]] == [one["number"] for one in shipments]
    assert [(one["bin"], one["sku"], one["quantity"], len(one["takes"])) for one in shown["pick_list"]] == [
        ("A-2", seal, 6, 3), ("A-10", pump, 15, 3)
    ]  # fmt: skip
    assert [one["quantity"] for one in between["pick_list"]] == [4, 10]
    assert [one["state"] for one in closed["shipments"]] == ["picked", "picked", "cancelled"]
    assert (closed["to_pick_count"], closed["pick_list"], closed["is_cancelled"]) == (0, [], False)
    trade.until_audit_is_clean()


def _closed(trade: Trade, number: str) -> dict[str, Any]:
    found = read(trade, number)
    assert not found["is_open"]
    assert found["closed_at"]
    return found


def test_a_shipment_is_in_one_wave_and_free_again_once_that_is_canceled(trade: Trade) -> None:
    place, _pump, _seal, shipments = three_orders(trade)
    warehouse = trade.system.api("warehouse")
    chosen: dict[str, Any] = {"warehouse_id": place, "shipment_ids": [shipments[0]["shipment_id"]]}

    made = create(trade, **chosen)
    refused = warehouse.post("/v1/waves", json=chosen, headers=key())
    rest = create(trade, warehouse_id=place, next=20)
    none = warehouse.post("/v1/waves", json={"warehouse_id": place, "next": 1}, headers=key())
    cancelled = ok(warehouse.post(f"/v1/waves/{made['number']}/cancel"))
    after = create(trade, warehouse_id=place, next=1)
    listed = ok(warehouse.get("/v1/waves", params={"warehouse_id": place}))["rows"]

    assert (refused.status_code, refused.json()["code"]) == (409, "IN_ANOTHER_WAVE")
    assert f"is in {made['number']}" in refused.json()["detail"]
    assert rest["shipment_count"] == 2
    assert (none.status_code, none.json()["code"]) == (409, "NOTHING_TO_PICK")
    assert (cancelled["is_open"], cancelled["is_cancelled"], cancelled["shipment_count"]) == (False, True, 0)
    assert [one["number"] for one in listed] == [after["number"], rest["number"]]
    trade.until_audit_is_clean()
