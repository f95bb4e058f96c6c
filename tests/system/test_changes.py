"""Change orders through the whole system: stock, floor, credit, books and mails follow the version that stands."""

from __future__ import annotations

from typing import Any

from tests.system.trade import TEXAS, Trade, key, ok


def placed(trade: Trade, quantity: int, on_hand: int, **changes: Any) -> tuple[dict[str, Any], str, str]:
    """An accepted order of one SKU at 25.00 with tax 8.25 % and freight 10.00; the order, the SKU, its warehouse."""
    customer = trade.customer(tax_rate="0.0825", **changes)
    sku = trade.product("c", "25.00", cost="10.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    if on_hand:
        trade.receive(warehouse, sku, on_hand, "10.00")
    body = trade.order_body(customer, [{"sku": sku, "quantity": quantity}], freight="10.00")
    return trade.placed(body), sku, warehouse


def change(trade: Trade, order: dict[str, Any], role: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Propose a change of some lines."""
    api = trade.system.api(role, order["customer_id"] if role == "customer" else None)
    body = {"reason": "as agreed on the phone", "lines": list(lines)} | more
    made: dict[str, Any] = ok(api.post(f"/v1/orders/{order['order_id']}/changes", json=body, headers=key()))
    return made


def at_version(trade: Trade, order_id: str, version: int) -> dict[str, Any]:
    """The order once it has come to a version, nothing is on its way to another, and all that follows from it has happened."""
    trade.until(order_id, lambda order: order["version"] == version and order["change"] is None, f"version {version}")
    return trade.when_idle(order_id)


def recalled(trade: Trade, order_id: str) -> dict[str, Any]:
    """The order once its change waits for the warehouse, and the warehouse knows."""
    trade.until(
        order_id, lambda order: order["change"] and order["change"]["state"] == "awaiting_warehouse", "the recall"
    )
    return trade.when_idle(order_id)


def recall_of(trade: Trade, order: dict[str, Any]) -> dict[str, Any]:
    """The recall that waits for the warehouse."""
    rows = ok(trade.system.api("warehouse").get("/v1/recalls"))["rows"]
    return next(row for row in rows if row["order_id"] == order["order_id"])


def ship_all(trade: Trade, order_id: str) -> None:
    """Everything that is released leaves and is invoiced."""
    for shipment in trade.shipments(order_id, "released"):
        trade.send_off(shipment)


def billed(order: dict[str, Any]) -> list[str]:
    return [invoice["total"]["amount"] for invoice in order["invoices"]]


def test_fewer_units_free_the_backorder_and_the_invoices_sum_to_the_version_that_stands(trade: Trade) -> None:
    order, sku, warehouse = placed(trade, 10, 4)
    order_id = order["order_id"]

    made = change(trade, order, "customer", {"line_id": "1", "quantity": 6})
    after = at_version(trade, order_id, 2)
    ship_all(trade, order_id)
    trade.receive(warehouse, sku, 9, "10.00")
    trade.when_idle(order_id)
    ship_all(trade, order_id)
    done = trade.when_idle(order_id)

    assert order["lines"][0]["quantities"]["released"] == 4
    assert (made["to_version"], made["needs_consent"], made["needs_recall"]) == (2, False, False)
    assert after["lines"][0]["quantities"]["backordered"] == 2
    # 6 x 25.00 = 150.00 + 8.25 % = 12.38 + 10.00
    assert after["totals"]["total"]["amount"] == "172.38"
    assert len(billed(done)) == 2
    assert sum(float(total) for total in billed(done)) == 172.38
    assert trade.stock(sku) == {warehouse: (7, 0)}
    assert sum("changed" in subject.lower() for subject in trade.mails(order["number"])) >= 1
    trade.until_audit_is_clean()


def test_what_was_released_is_given_back_by_the_warehouse_before_the_version_stands(trade: Trade) -> None:
    order, sku, warehouse = placed(trade, 10, 10)
    order_id = order["order_id"]

    made = change(trade, order, "customer", {"line_id": "1", "quantity": 6})
    waiting = recalled(trade, order_id)
    recall = recall_of(trade, order)
    answer = {"answer": "acknowledge", "reason": ""}
    ok(trade.system.api("warehouse").post(f"/v1/recalls/{recall['recall_id']}/answer", json=answer, headers=key()))
    at_version(trade, order_id, 2)
    ship_all(trade, order_id)
    done = trade.when_idle(order_id)

    assert order["lines"][0]["quantities"]["released"] == 10
    assert (made["needs_recall"], waiting["version"], waiting["waiting_for"]["who"]) == (True, 1, "warehouse")
    assert billed(done) == ["172.38"]
    assert done["lines"][0]["quantities"]["shipped"] == 6
    assert trade.stock(sku) == {warehouse: (4, 0)}
    trade.until_audit_is_clean()


def test_a_warehouse_that_picks_instead_of_answering_refuses_the_change(trade: Trade) -> None:
    order, sku, warehouse = placed(trade, 10, 10)
    order_id = order["order_id"]
    change(trade, order, "customer", {"line_id": "1", "quantity": 6})
    recalled(trade, order_id)

    ship_all(trade, order_id)
    done = at_version(trade, order_id, 1)

    rows = ok(trade.system.api("customer", order["customer_id"]).get(f"/v1/orders/{order_id}/changes"))["rows"]
    assert ([row["state"] for row in rows], done["version"]) == (["rejected"], 1)
    # 250.00 + 20.63 + 10.00
    assert billed(done) == ["280.63"]
    assert trade.stock(sku) == {warehouse: (0, 0)}
    trade.until_audit_is_clean()


def test_a_substitution_waits_for_the_customer_and_moves_stock_and_credit_when_it_says_yes(trade: Trade) -> None:
    order, sku, _ = placed(trade, 10, 0, credit_limit="1000.00")
    order_id = order["order_id"]
    other = trade.product("d", "26.00", cost="11.00")
    warehouse = trade.name("wh-w1")
    trade.receive(warehouse, other, 20, "11.00")

    made = change(trade, order, "support", {"line_id": "1", "sku": other})
    beside = trade.order(order_id)
    path = f"/v1/orders/{order_id}/changes/{made['change_id']}/consent"
    customer = trade.system.api("customer", order["customer_id"])
    said = ok(customer.post(path, json={"answer": "accept", "version": 1}, headers=key()))
    after = at_version(trade, order_id, 2)
    ship_all(trade, order_id)
    done = trade.when_idle(order_id)

    assert (made["state"], beside["lines"][0]["sku"], beside["waiting_for"]["who"]) == (
        "awaiting_customer",
        sku,
        "customer",
    )
    assert said["state"] in ("agreed", "applied")
    assert [(line["line_id"], line["sku"]) for line in after["lines"]] == [("2", other)]
    # 10 x 26.00 = 260.00 + 21.45 + 10.00
    assert billed(done) == ["291.45"]
    assert trade.stock(other) == {warehouse: (10, 0)}
    backordered = ok(trade.system.api("warehouse").get("/v1/backorders", params={"sku": sku}))["rows"]
    assert backordered == []
    trade.until_audit_is_clean()


def test_a_change_beyond_the_credit_limit_leaves_the_order_as_it_was(trade: Trade) -> None:
    order, _, _ = placed(trade, 10, 0, credit_limit="300.00")
    order_id = order["order_id"]

    change(trade, order, "customer", {"line_id": "1", "quantity": 12})
    after = at_version(trade, order_id, 1)

    rows = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/changes"))["rows"]
    assert [(row["state"], row["ended_reason"]) for row in rows] == [
        ("rejected", "the customer's credit does not cover the changed order")
    ]
    assert after["totals"] == order["totals"]
    trade.until_audit_is_clean()


def test_a_change_to_where_no_carrier_goes_leaves_the_order_as_it_was(trade: Trade) -> None:
    order, sku, _ = placed(trade, 10, 0)
    order_id = order["order_id"]
    toronto = {**TEXAS, "city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "country": "CA"}

    change(trade, order, "customer", ship_to=toronto)
    after = at_version(trade, order_id, 1)

    rows = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/changes"))["rows"]
    assert [row["state"] for row in rows] == ["rejected"]
    assert rows[0]["ended_reason"].startswith("no carrier serves the address")
    waiting = ok(trade.system.api("warehouse").get("/v1/backorders", params={"sku": sku}))["rows"]
    assert (after["ship_to"], sum(row["quantity"] for row in waiting)) == (order["ship_to"], 10)
    trade.until_audit_is_clean()
