from __future__ import annotations

from typing import Any

from tests.system.paper import check_einvoices
from tests.system.trade import Trade, ok


def test_a2_partial_shipments_on_terms_to_the_cent(trade: Trade) -> None:
    """100 A at 20.00, tax 8.25 %, freight 50.00; W1 60 at 12.00, W2 25 at 12.50; 15 wait for a receipt at 13.00."""
    before = trade.ledger()
    customer = trade.customer(tax_rate="0.0825")
    sku = trade.product("a", "20.00", cost="12.00")
    warehouses = trade.warehouses({"w1": 900, "w2": 1100})
    trade.receive(warehouses["w1"], sku, 60, "12.00")
    trade.receive(warehouses["w2"], sku, 25, "12.50")

    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 100}], freight="50.00"))
    order_id = placed["order_id"]
    for shipment in trade.shipments(order_id):
        trade.send_off(shipment)
        trade.when_idle(order_id)
    backordered = trade.order(order_id)["lines"][0]["quantities"]["backordered"]
    filled = trade.receive(warehouses["w1"], sku, 15, "13.00")
    trade.when_idle(order_id)
    (third,) = trade.shipments(order_id, "released")
    trade.send_off(third)
    first, second, last = trade.when_idle(order_id)["invoices"]
    trade.pay(customer, "1329.00", [(first["invoice_id"], "1329.00")])
    trade.pay(customer, "300.00", [(second["invoice_id"], "300.00")])
    order = trade.when_idle(order_id)

    assert placed["totals"]["total"]["amount"] == "2215.00"
    assert backordered == 15
    assert filled["filled_order_ids"] == [order_id]
    assert [invoice["total"]["amount"] for invoice in (first, second, last)] == ["1329.00", "553.75", "332.25"]
    assert taxes(trade, order) == ["99.00", "41.25", "24.75"]
    trade.until_audit_is_clean()
    assert changes(before, trade.ledger()) == {
        "cash": 162_900,
        "accounts_receivable": 58_600,
        "revenue": -200_000,
        "freight_revenue": -5_000,
        "tax_payable": -16_500,
        "cost_of_goods_sold": 122_750,
        "goods_received_not_invoiced": -122_750,  # 60 × 12.00 + 25 × 12.50 + 15 × 13.00, all of it shipped: inventory 0
    }
    assert check_einvoices(trade.system, order_id) == 3
    assert order["status"] == "shipped"
    assert (order["axes"]["billing"], order["axes"]["payment"]) == ("full", "part")
    assert trade.stock(sku) == {warehouses["w1"]: (0, 0), warehouses["w2"]: (0, 0)}
    margin = -changes(before, trade.ledger())["revenue"] + 5_000 - 122_750
    assert margin == 82_250


def taxes(trade: Trade, order: dict[str, Any]) -> list[str]:
    """Tax of each invoice, in the order they were issued."""
    invoices = order["invoices"]
    reader = trade.system.api("accounting")
    return [ok(reader.get(f"/v1/invoices/{invoice['invoice_id']}"))["tax"]["amount"] for invoice in invoices]


def changes(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What the books moved, in cents, debit positive; accounts that did not move are left out."""
    accounts = sorted(before.keys() | after.keys())
    moved = {account: after.get(account, 0) - before.get(account, 0) for account in accounts}
    return {account: cents for account, cents in moved.items() if cents}
