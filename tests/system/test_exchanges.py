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
    return str(
        ok(trade.system.api("customer", order["customer_id"]).post("/v1/returns", json=body, headers=key()))["number"]
    )


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


def _credit(trade: Trade, order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ok(trade.system.api("accounting").get(f"/v1/customers/{order['customer_id']}"))["credit"]
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
    assert (done["status"], done["phase"], done["invoices"]) == ("completed", "closed", [])
    assert (done["payment_method"], done["axes"]["payment"]) == ("exchange", "paid")
    assert done["replaces"] == {"return_number": rma, "order_number": order["number"], "is_invoiced": False}
    assert done["lines"][0]["quantity"] == 3
    assert trade.stock(sku) == {warehouse: (15, 0)}
    assert changes(sold, trade.ledger()) == {}
    assert changes(before, trade.ledger())["cost_of_goods_sold"] == 25_000
    trade.until_audit_is_clean()


def test_another_size_comes_in_when_received_and_leaves_when_shipped_and_nothing_is_below_zero(trade: Trade) -> None:
    warehouse = trade.warehouses({"w": 900})["w"]
    skus = _stocked(trade, warehouse, medium="80.00", large="80.00")
    order = _sold(trade, skus["medium"], 1)

    rma = _exchange(trade, order, 1, sku=skus["large"])
    asked = trade.stock(skus["medium"])
    _back(trade, rma, warehouse, 1, (1, "A", "restock", "seller"))
    replacement = _replacement(trade, rma)
    counted = trade.stock(skus["medium"]), trade.stock(skus["large"])
    done = _arrives(trade, replacement["order_id"])

    assert asked == {warehouse: (19, 0)}
    assert counted == ({warehouse: (20, 0)}, {warehouse: (20, 1)})
    assert trade.stock(skus["large"]) == {warehouse: (19, 0)}
    # nothing was paid: the credit note lowers what is owed, and the invoice of the same amount is owed instead
    [invoice] = done["invoices"]
    assert (invoice["total"]["amount"], done["axes"]["payment"]) == ("88.00", "unpaid")
    [first] = trade.order(order["order_id"])["invoices"]
    assert ok(trade.system.api("accounting").get(f"/v1/invoices/{first['invoice_id']}"))["open"]["amount"] == "0.00"
    trade.until_audit_is_clean()


def test_a_dearer_product_for_one_paid_by_card_leaves_once_the_difference_is_paid(trade: Trade) -> None:
    before, warehouse = trade.ledger(), trade.warehouses({"w": 900})["w"]
    skus = _stocked(trade, warehouse, plain="80.00", fancy="100.00")
    order = _sold(trade, skus["plain"], 2, payment={"method": "card", "token": VISA})

    rma = _exchange(trade, order, 2, sku=skus["fancy"])
    _back(trade, rma, warehouse, 2, (2, "A", "restock", "seller"))
    closed = _until(trade, rma, lambda one: one["state"] == "closed")
    [one] = closed["replacements"]
    waiting = trade.when_idle(one["order_id"])
    trade.pay(order["customer_id"], "44.00", orders=[(one["order_id"], "44.00")])
    trade.until_released(one["order_id"])
    done = _arrives(trade, one["order_id"])
    refund = ok(trade.system.api("accounting").post(f"/v1/returns/{rma}/refund", headers=key()))

    assert closed["credited"]["amount"] == "176.00"
    assert waiting["phase"] == "in_review"
    assert (done["invoices"][0]["total"]["amount"], done["status"]) == ("220.00", "completed")
    assert refund["refunded"]["amount"] == "0.00"
    moved = changes(before, trade.ledger())
    assert moved["cash"] + moved["card_fees"] == 22_000
    assert (moved["revenue"], moved["sales_returns"], moved["tax_payable"]) == (-36_000, 16_000, -2_000)
    assert moved["cost_of_goods_sold"] == 10_000
    assert [moved.get(name, 0) for name in ("accounts_receivable", "customer_deposits", "unapplied_cash")] == [0, 0, 0]
    trade.until_audit_is_clean()


def test_a_cheaper_product_for_one_paid_by_card_is_paid_by_it_and_the_rest_goes_back_to_the_card(trade: Trade) -> None:
    before, warehouse = trade.ledger(), trade.warehouses({"w": 900})["w"]
    skus = _stocked(trade, warehouse, plain="80.00", basic="60.00")
    order = _sold(trade, skus["plain"], 2, payment={"method": "card", "token": VISA})

    rma = _exchange(trade, order, 2, sku=skus["basic"])
    _back(trade, rma, warehouse, 2, (2, "A", "restock", "seller"))
    done = _arrives(trade, _replacement(trade, rma)["order_id"])
    accounting = trade.system.api("accounting")
    first, second = (ok(accounting.post(f"/v1/returns/{rma}/refund", headers=key())) for _ in range(2))

    assert (done["invoices"][0]["total"]["amount"], done["status"]) == ("132.00", "completed")
    assert (first["refunded"]["amount"], second["refunded"]["amount"]) == ("44.00", "0.00")
    moved = changes(before, trade.ledger())
    assert moved["cash"] + moved["card_fees"] == 13_200
    assert [moved.get(name, 0) for name in ("accounts_receivable", "customer_deposits", "unapplied_cash")] == [0, 0, 0]
    assert [one["status"] for one in trade.system.stripe.state.all("refund") if one["amount"] == 4_400] == ["succeeded"]
    trade.until_audit_is_clean()


def test_fewer_counted_units_are_replaced_by_fewer(trade: Trade) -> None:
    warehouse = trade.warehouses({"w": 900})["w"]
    sku = _stocked(trade, warehouse, pump="80.00")["pump"]
    order = _sold(trade, sku, 5)

    rma = _exchange(trade, order, 4)
    _back(trade, rma, warehouse, 3, (3, "A", "restock", "seller"))
    replacement = _replacement(trade, rma)
    _overdue(trade, rma)
    closed = _until(trade, rma, lambda one: bool(one["ended_at"]))

    assert replacement["lines"][0]["quantity"] == 3
    assert (closed["state"], len(closed["replacements"]), closed["credited"]["amount"]) == ("closed", 1, "0.00")
    _arrives(trade, replacement["order_id"])
    assert trade.stock(sku) == {warehouse: (15, 0)}
    trade.until_audit_is_clean()


def test_what_was_sent_in_advance_for_goods_that_did_not_come_is_charged(trade: Trade) -> None:
    before, warehouse = trade.ledger(), trade.warehouses({"w": 900})["w"]
    sku = _stocked(trade, warehouse, pump="80.00")["pump"]
    order = _sold(trade, sku, 5)
    sold = trade.ledger()

    rma = _exchange(trade, order, 3, advance=True)
    replacement = _replacement(trade, rma)
    secured = _credit(trade, order)
    shipped = _arrives(trade, replacement["order_id"])
    _back(trade, rma, warehouse, 2, (2, "A", "restock", "seller"))
    _overdue(trade, rma)
    _until(trade, rma, lambda one: bool(one["ended_at"]))
    charged = trade.until(replacement["order_id"], lambda one: bool(one["invoices"]), "the invoice")

    assert secured["committed"]["amount"] == "264.00"
    assert (shipped["invoices"], shipped["status"]) == ([], "delivered")
    assert shipped["waiting_for"]["what"] == "the goods that it replaces"
    assert charged["invoices"][0]["total"]["amount"] == "88.00"
    moved = changes(sold, trade.ledger())
    assert (moved["revenue"], moved["cost_of_goods_sold"], moved["accounts_receivable"]) == (-8_000, 5_000, 8_800)
    assert _credit(trade, order)["committed"]["amount"] == "0.00"
    trade.pay(order["customer_id"], "528.00")
    assert trade.when_idle(replacement["order_id"])["phase"] == "closed"
    assert changes(before, trade.ledger())["cash"] == 52_800
    trade.until_audit_is_clean()


def test_what_was_sent_in_advance_on_a_card_is_held_and_let_go_when_all_has_come(trade: Trade) -> None:
    warehouse = trade.warehouses({"w": 900})["w"]
    sku = _stocked(trade, warehouse, pump="80.00")["pump"]
    order = _sold(trade, sku, 2, payment={"method": "card", "token": VISA})
    sold = trade.ledger()

    rma = _exchange(trade, order, 2, advance=True)
    done = _arrives(trade, _replacement(trade, rma)["order_id"])
    _back(trade, rma, warehouse, 2, (2, "A", "restock", "seller"))
    _until(trade, rma, lambda one: one["state"] == "closed")
    over = trade.until(done["order_id"], lambda one: one["phase"] == "closed", "its end")

    assert (done["payment_method"], over["invoices"]) == ("card", [])
    assert changes(sold, trade.ledger()) == {}
    trade.until_audit_is_clean()


def test_canceling_a_return_cancels_what_was_to_replace_its_goods_and_has_not_left(trade: Trade) -> None:
    warehouse = trade.warehouses({"w": 900})["w"]
    skus = _stocked(trade, warehouse, pump="80.00")
    order = _sold(trade, skus["pump"], 2)

    rma = _exchange(trade, order, 2, advance=True)
    replacement = _replacement(trade, rma)
    ok(trade.system.api("support").post(f"/v1/returns/{rma}/cancel", json={"note": "kept"}, headers=key()))
    _until(trade, rma, lambda one: one["state"] == "cancelled")
    gone = trade.until(replacement["order_id"], lambda one: one["phase"] == "cancelled", "the cancellation")

    assert gone["invoices"] == []
    assert trade.stock(skus["pump"]) == {warehouse: (18, 0)}
    trade.until_audit_is_clean()
