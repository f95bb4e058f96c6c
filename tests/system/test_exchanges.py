"""Exchanges through the whole system: what comes in place of returned goods, who pays the difference, and what never came."""

from __future__ import annotations

from typing import Any

from tests.system.test_a2_partial_shipments import changes
from tests.system.test_a8_return import VISA, _back, _overdue, _until
from tests.system.trade import Trade, key, ok


def _sold(trade: Trade, sku: str, quantity: int, **terms: Any) -> dict[str, Any]:
    """Units of a SKU, tax 10 %, sold and delivered."""
    customer = trade.customer(tax_rate="0.10")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": quantity}], **terms))
    for shipment in trade.shipments(placed["order_id"]):
        trade.deliver(trade.send_off(shipment))
    trade.until(placed["order_id"], lambda order: bool(order["invoices"]), "the invoice")
    return trade.when_idle(placed["order_id"])


def _exchange(trade: Trade, order: dict[str, Any], units: int, *, advance: bool = False, **replace: Any) -> str:
    line = {"line_id": "1", "quantity": units, "reason": "defective", "replace": replace}
    body = {"order": order["number"], "lines": [line], "advance": advance}
    return str(ok(trade.system.api("customer", order["customer_id"]).post("/v1/returns", json=body, headers=key()))["number"])


def _replacement(trade: Trade, rma: str) -> dict[str, Any]:
    [one] = _until(trade, rma, lambda found: bool(found["replacements"]))["replacements"]
    return trade.until_released(one["order_id"])


def _arrives(trade: Trade, order_id: str) -> dict[str, Any]:
    """A replacement leaves and is delivered."""
    for shipment in trade.shipments(order_id):
        trade.deliver(trade.send_off(shipment))
    return trade.when_idle(order_id)


def _stocked(trade: Trade, warehouse: str, **skus: str) -> dict[str, str]:
    found = {}
    for what, price in skus.items():
        found[what] = trade.product(what, price, cost="50.00")
        trade.receive(warehouse, found[what], 20, "50.00")
    return found


def test_the_same_sku_is_exchanged_without_documents_and_the_billing_of_the_original_stays_full(trade: Trade) -> None:
    before, warehouse = trade.ledger(), trade.warehouses({"w": 900})["w"]
    sku = _stocked(trade, warehouse, pump="80.00")["pump"]
    order = _sold(trade, sku, 5)
    sold = trade.ledger()

    rma = _exchange(trade, order, 3)
    _back(trade, rma, warehouse, 3, (3, "A", "restock", "seller"))
    replacement = _replacement(trade, rma)
    while_open = trade.order(order["order_id"])
    done = _arrives(trade, replacement["order_id"])
    returned = _until(trade, rma, lambda one: one["state"] == "closed")

    assert while_open["axes"]["billing"] == "full"
    assert returned["inspections"][0]["credit_notes"] == []
    assert (done["status"], done["invoices"], done["payment_method"]) == ("completed", [], "exchange")
    assert done["replaces"] == {"return_number": rma, "order_number": order["number"], "is_invoiced": False}
    assert done["lines"][0]["quantity"] == 3
    assert trade.stock(sku) == {warehouse: (15, 0)}
    assert changes(sold, trade.ledger()) == {}
    assert changes(before, trade.ledger())["cost_of_goods_sold"] == 25_000
    trade.until_audit_is_clean()
