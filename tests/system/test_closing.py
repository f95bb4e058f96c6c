"""Closing a line of an order that goes on: what shipped is billed, the rest is gone everywhere, and it is no cancellation."""

from __future__ import annotations

from typing import Any

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, key, ok


def test_line_2_of_3_closes_at_the_20_of_50_that_shipped(trade: Trade) -> None:
    """erpnext#39030: line closed at 20, others open, backorder gone, invoice 20."""
    before, customer = trade.ledger(), trade.customer()
    skus = [trade.product(name, "2.00", cost="1.00") for name in ("one", "two", "three")]
    [warehouse] = trade.warehouses({"w": 900}).values()
    trade.receive(warehouse, skus[1], 20, "1.00")
    lines = [{"sku": sku, "quantity": 50 if sku == skus[1] else 10} for sku in skus]
    order_id = trade.placed(trade.order_body(customer, lines))["order_id"]
    trade.when_idle(order_id)
    [sent] = trade.shipments(order_id)
    trade.send_off(sent)
    trade.when_idle(order_id)
    path, body = f"/v1/orders/{order_id}/close", {"reason": "discontinued", "lines": [{"line_id": "2"}]}
    seller = trade.system.api("support")

    preview = ok(seller.post(path, params={"preview": "true"}, json=body, headers=key()))
    done = ok(seller.post(path, json=body, headers=key()))
    order = trade.until(order_id, lambda one: one["cancellations"][-1]["state"] == "done", "the closing")
    trade.receive(warehouse, skus[1], 30, "1.00")
    trade.when_idle(order_id)

    assert done["consequences"] == preview["consequences"] == order["cancellations"][0]["consequences"]
    assert _units(order, 1) == {"ordered": 50, "cancelled": 0, "closed": 30, "backordered": 0, "shipped": 20}
    assert [_units(order, line)["backordered"] for line in (0, 2)] == [10, 10]
    assert trade.stock(skus[1]) == {warehouse: (30, 0)}  # nobody waits for it any more
    assert changes(before, trade.ledger())["accounts_receivable"] == 4_000

    for sku in (skus[0], skus[2]):
        trade.receive(warehouse, sku, 10, "1.00")
    trade.until(order_id, lambda one: len(one["shipments"]) > 1, "the other lines")
    trade.when_idle(order_id)
    for shipment in trade.shipments(order_id, "released"):
        trade.send_off(shipment)
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)
    bills = trade.when_idle(order_id)["invoices"]
    trade.pay(customer, "80.00", [(bill["invoice_id"], bill["total"]["amount"]) for bill in bills])
    complete = trade.until(order_id, lambda one: one["phase"] == "closed", "its end")

    assert complete["status"] == "completed"
    assert complete["totals"]["total"]["amount"] == "80.00"
    trade.until_audit_is_clean()


def _units(order: dict[str, Any], line: int) -> dict[str, int]:
    units = order["lines"][line]["quantities"]
    return {name: units[name] for name in ("ordered", "cancelled", "closed", "backordered", "shipped")}
