"""Cancelling the rest of an order of which some units have shipped, some are picked, some released and some wait for stock."""

from __future__ import annotations

from typing import Any

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, eventually, key, ok

NOTHING = {"backordered": 0, "allocated": 0, "released": 0, "picked": 0, "packed": 0}


def _begun(trade: Trade) -> tuple[str, str, dict[str, str], str]:
    """40 at 25.00, cost 10.00, prepaid 1,000.00; 10 shipped and billed, 10 picked, 10 released, 10 backordered.

    Gives the order, its SKU, the warehouses by what became of them, and the payment.
    """
    customer, sku = trade.customer(credit_limit="0.00"), trade.product("p", "25.00", cost="10.00")
    warehouses = trade.warehouses({"shipped": 900, "picked": 1000, "released": 1100})
    for warehouse_id in warehouses.values():
        trade.receive(warehouse_id, sku, 10, "10.00")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 40}], payment={"method": "prepaid"}))
    order_id = placed["order_id"]
    paid = trade.pay(customer, "1000.00", orders=[(placed["number"], "1000.00")])
    trade.until(order_id, lambda order: len(order["shipments"]) == 3, "the release")
    trade.when_idle(order_id)
    by_place = {shipment["warehouse_id"]: shipment for shipment in trade.shipments(order_id)}
    trade.send_off(by_place[warehouses["shipped"]])
    _floor(trade, by_place[warehouses["picked"]], "pick")
    trade.when_idle(order_id)
    return order_id, sku, warehouses, paid["payment_id"]


def _floor(trade: Trade, shipment: dict[str, Any], *verbs: str) -> None:
    for verb in verbs:
        ok(trade.system.api("warehouse").post(f"/v1/shipments/{shipment['shipment_id']}/{verb}", headers=key()))


def _cancel(trade: Trade, order_id: str, **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Preview, then cancel the rest; gives both documents."""
    path, asked = f"/v1/orders/{order_id}/cancellation", {"reason": "the project is postponed", **body}
    seller = trade.system.api("support")
    preview = ok(seller.post(path, params={"preview": "true"}, json=asked, headers=key()))
    done = ok(seller.post(path, json=asked, headers=key()))
    return preview["consequences"], done


def _recalls(trade: Trade, order_id: str, count: int) -> dict[str, dict[str, Any]]:
    """Warehouse → what it is asked back."""

    def claim() -> dict[str, dict[str, Any]]:
        rows = ok(trade.system.api("warehouse").get("/v1/recalls", params={"order_id": order_id}))["rows"]
        assert len(rows) == count
        return {row["lines"][0]["warehouse_id"]: row for row in rows}

    return eventually(claim)


def _answer(trade: Trade, recall: dict[str, Any], **said: str) -> None:
    ok(trade.system.api("warehouse").post(f"/v1/recalls/{recall['recall_id']}/answer", json=said, headers=key()))


def _refund(trade: Trade, payment_id: str, amount: str) -> None:
    body = {"amount": {"amount": amount, "currency": "USD"}, "reason": "units were cancelled"}
    ok(trade.system.api("accounting").post(f"/v1/payments/{payment_id}/refund", json=body, headers=key()))


def _settled(trade: Trade, order_id: str) -> dict[str, Any]:
    def is_so(order: dict[str, Any]) -> bool:
        return bool(order["cancellations"]) and order["cancellations"][-1]["state"] == "done"

    trade.until(order_id, is_so, "the cancellation")
    return trade.when_idle(order_id)


def _complete(trade: Trade, order_id: str) -> dict[str, Any]:
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)
    trade.until(order_id, lambda order: order["phase"] == "closed", "its end")
    return trade.when_idle(order_id)


def test_a7_the_rest_is_cancelled_where_the_warehouses_give_it_back(trade: Trade) -> None:
    before = trade.ledger()
    order_id, sku, warehouses, payment_id = _begun(trade)

    preview, done = _cancel(trade, order_id)
    recalls = _recalls(trade, order_id, 2)
    for place in ("picked", "released"):
        _answer(trade, recalls[warehouses[place]], answer="acknowledge")
    order = _settled(trade, order_id)
    _refund(trade, payment_id, "750.00")
    complete = _complete(trade, order_id)

    [line] = preview["lines"]
    assert {name: line[name] for name in NOTHING} == {**NOTHING, "backordered": 10, "released": 10, "picked": 10}
    assert (line["cancelled"], line["left"], line["freed_stock"]) == (30, 10, 20)
    assert (preview["total"]["amount"], preview["refund"]["amount"]) == ("750.00", "750.00")
    assert (done["state"], done["consequences"]) == ("requested", preview)
    [cancellation] = order["cancellations"]
    assert cancellation["consequences"] == preview
    quantities = order["lines"][0]["quantities"]
    assert (quantities["ordered"], quantities["cancelled"], quantities["shipped"]) == (40, 30, 10)
    assert order["totals"]["total"]["amount"] == "250.00"
    assert trade.stock(sku) == {
        warehouses["shipped"]: (0, 0),
        warehouses["picked"]: (10, 0),
        warehouses["released"]: (10, 0),
    }
    assert complete["status"] == "completed_with_cancellations"
    assert changes(before, trade.ledger()) == {
        "cash": 25_000,
        "revenue": -25_000,
        "cost_of_goods_sold": 10_000,
        "inventory": 20_000,
        "goods_received_not_invoiced": -30_000,
    }
    trade.until_audit_is_clean()


def test_a7_what_a_warehouse_keeps_is_not_cancelled(trade: Trade) -> None:
    """The truck with the picked ones leaves while they are asked back: 20 are cancelled, 20 shipped, 500.00 go back."""
    before = trade.ledger()
    order_id, sku, warehouses, payment_id = _begun(trade)

    preview, _ = _cancel(trade, order_id)
    recalls = _recalls(trade, order_id, 2)
    picked = next(one for one in trade.shipments(order_id) if one["warehouse_id"] == warehouses["picked"])
    _floor(trade, picked, "pack", "ship")
    _answer(trade, recalls[warehouses["released"]], answer="acknowledge")
    order = _settled(trade, order_id)
    _refund(trade, payment_id, "500.00")
    complete = _complete(trade, order_id)

    assert preview["refund"]["amount"] == "750.00"
    [cancellation] = order["cancellations"]
    came = cancellation["consequences"]
    assert (came["lines"][0]["cancelled"], came["lines"][0]["kept"], came["lines"][0]["left"]) == (20, 10, 20)
    assert (came["total"]["amount"], came["refund"]["amount"]) == ("500.00", "500.00")
    assert "10 of line 1" in cancellation["settled_reason"]
    quantities = complete["lines"][0]["quantities"]
    assert (quantities["ordered"], quantities["cancelled"], quantities["delivered"]) == (40, 20, 20)
    assert trade.stock(sku)[warehouses["released"]] == (10, 0)
    assert complete["status"] == "completed_with_cancellations"
    assert changes(before, trade.ledger()) == {
        "cash": 50_000,
        "revenue": -50_000,
        "cost_of_goods_sold": 20_000,
        "inventory": 10_000,
        "goods_received_not_invoiced": -30_000,
    }
    trade.until_audit_is_clean()


def test_a7_units_of_lines_go_at_once_while_no_warehouse_has_them(trade: Trade) -> None:
    """8 of 10 and all of another line wait for stock: 5 of the first and all of the second go, the rest is shipped and billed."""
    customer = trade.customer()
    pump, seal = trade.product("pump", "10.00", cost="5.00"), trade.product("seal", "1.00", cost="0.50")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 2, "5.00")
    lines = [{"sku": pump, "quantity": 10}, {"sku": seal, "quantity": 4}]
    order_id = trade.placed(trade.order_body(customer, lines, freight="7.00"))["order_id"]
    trade.when_idle(order_id)

    preview, done = _cancel(trade, order_id, lines=[{"line_id": "1", "quantity": 5}, {"line_id": "2"}])
    trade.when_idle(order_id)
    trade.receive(warehouse, pump, 3, "5.00")
    trade.when_idle(order_id)
    for shipment in trade.shipments(order_id, "released"):
        trade.send_off(shipment)
        trade.when_idle(order_id)
    order = _settled(trade, order_id)

    assert (done["state"], done["consequences"]) == ("done", preview)
    assert order["totals"]["total"]["amount"] == "57.00"
    assert order["status"] == "shipped"
    assert sum(int(one["total"]["amount"].replace(".", "")) for one in order["invoices"]) == 5_700
    assert [one["quantities"]["cancelled"] for one in order["lines"]] == [5, 4]
    trade.until_audit_is_clean()


def test_the_rest_of_an_order_on_terms_gives_its_credit_back(trade: Trade) -> None:
    """2,500.00 on terms, 1,000.00 shipped and billed: the rest is cancelled, and another order of 1,400.00 fits."""
    customer = trade.customer(credit_limit="2500.00")
    sku = trade.product("t", "100.00", cost="60.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "60.00")
    order_id = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 25}]))["order_id"]
    trade.when_idle(order_id)
    for shipment in trade.shipments(order_id):
        trade.send_off(shipment)
    trade.when_idle(order_id)

    preview, done = _cancel(trade, order_id)
    order = _settled(trade, order_id)
    credit = ok(trade.system.api("auditor").get(f"/v1/customers/{customer}"))["credit"]
    another = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 14}]))

    assert preview["released_credit"]["amount"] == "1500.00"
    assert done["state"] == "done"
    assert (order["status"], order["totals"]["total"]["amount"]) == ("shipped", "1000.00")
    assert (credit["committed"]["amount"], credit["receivable"]["amount"]) == ("0.00", "1000.00")
    assert another["status"] != "on_hold"
    trade.until_audit_is_clean()
