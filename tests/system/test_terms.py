"""Payment terms through the whole system: a discount for paying early, installments, and due on delivery."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, eventually, ok


def _invoices(trade: Trade, order_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))[
        "rows"
    ]
    return found


def _shipped(trade: Trade, customer: str, quantity: int) -> dict[str, Any]:
    """An order of so many units at 100.00, shipped and invoiced."""
    sku = trade.product("pump", "100.00", cost="60.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, quantity, "60.00")
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": quantity}]))
    for shipment in trade.shipments(order["order_id"]):
        trade.send_off(shipment)
    return trade.when_idle(order["order_id"])


def _deliver(trade: Trade, order_id: str) -> None:
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)


def test_terms_of_2_10_net_30_are_settled_by_980_of_1000(trade: Trade) -> None:
    before = trade.ledger()
    customer = trade.customer(terms="2/10 net 30", net_days=30)
    order = _shipped(trade, customer, 10)
    (offered,) = _invoices(trade, order["order_id"])
    invoiced_on = date.fromisoformat(offered["invoiced_on"])

    trade.pay(customer, "980.00")
    _deliver(trade, order["order_id"])
    done = trade.until(order["order_id"], lambda one: one["status"] == "completed", "the end")
    (paid,) = _invoices(trade, order["order_id"])

    assert (order["terms"], offered["terms"]) == ("2/10 net 30", "2/10 net 30")
    assert offered["due_on"] == (invoiced_on + timedelta(days=30)).isoformat()
    early = offered["early_discount"]
    assert (early["amount"]["amount"], early["pays"]["amount"]) == ("20.00", "980.00")
    assert early["until"] == (invoiced_on + timedelta(days=10)).isoformat()
    assert done["axes"]["payment"] == "paid"
    assert (paid["status"], paid["paid"]["amount"], paid["discount_taken"]["amount"]) == ("paid", "980.00", "20.00")
    assert (paid["open"]["amount"], paid["early_discount"]) == ("0.00", None)
    moved = changes(before, trade.ledger())
    assert (moved["cash"], moved["sales_discounts"]) == (98_000, 2_000)
    assert "accounts_receivable" not in moved
    trade.until_audit_is_clean()


def test_terms_due_on_delivery_give_the_invoice_its_due_date_when_its_goods_arrive(trade: Trade) -> None:
    customer = trade.customer(terms="delivery 14", net_days=14)
    order = _shipped(trade, customer, 1)
    (waits,) = _invoices(trade, order["order_id"])

    _deliver(trade, order["order_id"])

    def is_due() -> tuple[dict[str, Any], dict[str, Any]]:
        (invoice,), (shown,) = _invoices(trade, order["order_id"]), trade.order(order["order_id"])["invoices"]
        assert invoice["due_on"]
        assert shown["due_on"]
        return invoice, shown

    assert (waits["due_on"], order["invoices"][0]["due_on"]) == (None, None)
    invoice, shown = eventually(is_due)
    (shipment,) = trade.shipments(order["order_id"])
    delivered_on = date.fromisoformat(shipment["delivered_at"][:10])
    assert invoice["due_on"] == shown["due_on"] == (delivered_on + timedelta(days=14)).isoformat()
    trade.until_audit_is_clean()
