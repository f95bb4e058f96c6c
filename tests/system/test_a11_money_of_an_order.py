"""An order's own money through the whole system: prepaid, deposit, and a check that bounces."""

from __future__ import annotations

from typing import Any

from tests.system.paper import check_einvoices
from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, eventually, key, ok

PREPAID = {"method": "prepaid"}


def _stocked(trade: Trade, quantity: int) -> str:
    sku = trade.product("pump", "100.00", cost="60.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, quantity, "60.00")
    return sku


def _money(trade: Trade, order_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(trade.system.api("accounting").get(f"/v1/orders/{order_id}/money"))
    return found


def _is_released(order: dict[str, Any]) -> bool:
    return order["phase"] == "accepted" and bool(order["shipments"])


def test_a11_a_payment_for_a_prepaid_order_releases_it_and_pays_no_other(trade: Trade) -> None:
    """Limit 1,000; A 10 at 100 on terms, shipped; B 5 at 100 prepaid goes by itself when its 500 come, and A stays open."""
    before = trade.ledger()
    customer, sku = trade.customer(credit_limit="1000.00"), _stocked(trade, 15)
    a = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}]))
    for shipment in trade.shipments(a["order_id"]):
        trade.send_off(shipment)
    trade.when_idle(a["order_id"])
    b = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}], payment=PREPAID))
    held = b["status"], [hold["hold_type"] for hold in b["holds"]], _money(trade, b["order_id"])["missing"]["amount"]

    trade.pay(customer, "500.00", orders=[(b["number"], "500.00")])
    trade.until(b["order_id"], _is_released, "the release")
    paid_ahead = trade.when_idle(b["order_id"])
    for shipment in trade.shipments(b["order_id"]):
        trade.send_off(shipment)
    billed = trade.when_idle(b["order_id"])

    assert held == ("on_hold", ["payment"], "500.00")
    assert paid_ahead["axes"]["payment"] == "deposit"
    assert [(one["status"], one["paid"]["amount"]) for one in billed["invoices"]] == [("paid", "500.00")]
    assert [one["status"] for one in trade.order(a["order_id"])["invoices"]] == ["open"]
    moved = changes(before, trade.ledger())
    assert (moved["cash"], moved["accounts_receivable"]) == (50_000, 100_000)
    assert "customer_deposits" not in moved
    trade.until_audit_is_clean()


def _deposit_invoices(trade: Trade, order_id: str) -> list[dict[str, Any]]:
    asked = {"order_id": order_id}
    return list(ok(trade.system.api("accounting").get("/v1/deposit-invoices", params=asked))["rows"])


def _until_invoiced(trade: Trade, order_id: str, count: int = 1) -> list[dict[str, Any]]:
    """The deposit invoices of an order and credit notes of them, once there are so many."""

    def claim() -> list[dict[str, Any]]:
        rows = _deposit_invoices(trade, order_id)
        assert len(rows) == count, rows
        return rows

    return eventually(claim)


def test_a11_a_deposit_order_is_released_on_its_deposit_and_its_invoice_has_the_rest_due(trade: Trade) -> None:
    """C 1,000 at 30 %: released on 300.00, deposit invoice 300.00, invoice 1,000.00 less 300.00, due 700.00."""
    customer, sku = trade.customer(credit_limit="700.00"), _stocked(trade, 10)
    terms = {"method": "deposit", "percent": "30"}
    c = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}], payment=terms))
    missing = _money(trade, c["order_id"])["missing"]["amount"]

    trade.pay(customer, "300.00", orders=[(c["number"], "300.00")])
    trade.until(c["order_id"], _is_released, "the release")
    [deposit] = _until_invoiced(trade, c["order_id"])
    for shipment in trade.shipments(c["order_id"]):
        trade.send_off(shipment)
    billed = trade.when_idle(c["order_id"])

    assert (c["status"], missing) == ("on_hold", "300.00")
    assert (deposit["total"]["amount"], deposit["open"]["amount"]) == ("300.00", "300.00")
    [invoice] = billed["invoices"]
    assert (invoice["total"]["amount"], invoice["paid"]["amount"], invoice["status"]) == (
        "1000.00",
        "300.00",
        "part_paid",
    )
    assert _money(trade, c["order_id"])["held"]["amount"] == "0.00"
    [deducted] = _deposit_invoices(trade, c["order_id"])
    assert (deducted["deducted"]["amount"], deducted["open"]["amount"]) == ("300.00", "0.00")
    assert [one["invoice_number"] for one in deducted["deductions"]] == [invoice["number"]]
    assert check_einvoices(trade.system, c["order_id"]) == 2
    name = f"{deposit['number']}.pdf"
    assert trade.attachments(c["number"])[name].startswith(b"%PDF-")
    trade.until_audit_is_clean()


def test_a11_the_tax_of_a_deposit_is_owed_when_it_comes_and_not_once_more(trade: Trade) -> None:
    """1,000 and 10 % tax: the deposit invoice of 330.00 owes 30.00 of tax, the invoice of 1,100.00 the other 70.00."""
    customer, sku = trade.customer(credit_limit="770.00", tax_rate="0.1"), _stocked(trade, 10)
    terms = {"method": "deposit", "percent": "30"}
    c = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}], payment=terms))
    before = trade.ledger()

    trade.pay(customer, "330.00", orders=[(c["number"], "330.00")])
    trade.until(c["order_id"], _is_released, "the release")
    [deposit] = _until_invoiced(trade, c["order_id"])
    held = changes(before, trade.ledger())
    for shipment in trade.shipments(c["order_id"]):
        trade.send_off(shipment)
    trade.when_idle(c["order_id"])

    assert (deposit["net"]["amount"], deposit["tax"]["amount"]) == ("300.00", "30.00")
    assert [(row["rate"], row["tax"]["amount"]) for row in deposit["taxes"]] == [("0.1", "30.00")]
    accounts = ("cash", "customer_deposits", "tax_on_deposits", "tax_payable", "accounts_receivable")
    assert [held.get(name, 0) for name in accounts] == [33_000, -33_000, 3000, -3000, 0]
    moved = changes(before, trade.ledger())
    assert [moved.get(name, 0) for name in accounts] == [33_000, 0, 0, -10_000, 77_000]
    trade.until_audit_is_clean()


def test_a11_a_deposit_that_bounces_is_credited(trade: Trade) -> None:
    """The deposit invoice of 300.00 is taken back by a credit note, and the order waits for its deposit again."""
    customer, sku = trade.customer(credit_limit="700.00", tax_rate="0.1"), _stocked(trade, 3)
    terms = {"method": "deposit", "amount": "300.00"}
    c = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 9}], payment=terms))
    before = trade.ledger()
    check = trade.pay(customer, "300.00", orders=[(c["number"], "300.00")])
    _until_invoiced(trade, c["order_id"])

    trade.reverse(check["payment_id"])
    deposit, note = _until_invoiced(trade, c["order_id"], 2)
    trade.until_idle(c["order_id"])

    assert (deposit["credited"]["amount"], deposit["open"]["amount"]) == ("300.00", "0.00")
    assert (note["corrects"], note["total"]["amount"], note["tax"]["amount"]) == (deposit["number"], "300.00", "27.27")
    assert note["reason"] == "The payment was returned: check returned unpaid"
    assert set(trade.attachments(c["number"])) >= {f"{deposit['number']}.pdf", f"{note['number']}.pdf"}
    assert check_einvoices(trade.system, c["order_id"]) == 2
    moved = changes(before, trade.ledger())
    assert not {"cash", "customer_deposits", "tax_on_deposits", "tax_payable"} & moved.keys()


def test_a11_a_check_that_bounces_before_the_rest_has_left_holds_it_until_another_comes(trade: Trade) -> None:
    """B 5 at 100 prepaid, 3 in stock: 3 are released, 2 wait; the check bounces, 2 arrive and stay, another payment frees them."""
    customer, sku = trade.customer(credit_limit="0.00"), _stocked(trade, 3)
    b = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}], payment=PREPAID))
    check = trade.pay(customer, "500.00", orders=[(b["number"], "500.00")])
    trade.until(b["order_id"], _is_released, "the release")
    trade.when_idle(b["order_id"])

    trade.reverse(check["payment_id"])
    trade.until(b["order_id"], lambda order: order["status"] == "on_hold", "the hold")
    warehouse = trade.shipments(b["order_id"])[0]["warehouse_id"]
    trade.receive(warehouse, sku, 2, "60.00")
    kept = trade.when_idle(b["order_id"])
    trade.pay(customer, "500.00", orders=[(b["number"], "500.00")])
    trade.until(b["order_id"], lambda order: order["lines"][0]["quantities"]["released"] == 5, "the second release")
    after = trade.when_idle(b["order_id"])

    assert [hold["code"] for hold in kept["holds"] if not hold["released_at"]] == ["PAYMENT_REVERSED"]
    assert len(kept["shipments"]) == 1
    assert not [hold for hold in after["holds"] if not hold["released_at"]]
    assert len([one for one in trade.mails(b["number"]) if "returned" in one]) == 1
    trade.until_audit_is_clean()


def test_a11_a_pro_forma_asks_for_what_is_to_be_paid_ahead(trade: Trade) -> None:
    """All of a prepaid order, the deposit of one with a deposit; nobody is asked for an order on terms."""
    customer, sku = trade.customer(credit_limit="0.00"), _stocked(trade, 5)
    lines = [{"sku": sku, "quantity": 1}]
    prepaid = trade.placed(trade.order_body(customer, lines, payment=PREPAID))
    deposit = trade.placed(trade.order_body(customer, lines, payment={"method": "deposit", "amount": "40.00"}))
    on_terms = trade.placed(trade.order_body(customer, lines))

    def asked(order: dict[str, Any]) -> list[str]:
        return [one for one in trade.mails(order["number"]) if "Pro forma" in one]

    assert [len(asked(order)) for order in (prepaid, deposit, on_terms)] == [1, 1, 0]
    for order in (prepaid, deposit):
        files = trade.attachments(order["number"])
        assert list(files) == [f"{order['number']}-pro-forma.pdf"]
        assert files[f"{order['number']}-pro-forma.pdf"].startswith(b"%PDF-")
    trade.until_audit_is_clean()


def test_a11_a_check_that_bounces_recalls_what_is_not_picked(trade: Trade) -> None:
    """B 5 at 100 prepaid is with its warehouse, nothing picked; the check bounces: the goods come back and leave for another payment."""
    before = trade.ledger()
    customer, sku = trade.customer(credit_limit="0.00"), _stocked(trade, 5)
    b = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}], payment=PREPAID))
    check = trade.pay(customer, "500.00", orders=[(b["number"], "500.00")])
    trade.until(b["order_id"], _is_released, "the release")

    trade.reverse(check["payment_id"])
    warehouse = trade.system.api("warehouse")

    def asked() -> dict[str, Any]:
        rows = ok(warehouse.get("/v1/recalls", params={"order_id": b["order_id"]}))["rows"]
        assert rows
        return dict(rows[0])

    recall = eventually(asked)
    ok(warehouse.post(f"/v1/recalls/{recall['recall_id']}/answer", json={"answer": "acknowledge"}, headers=key()))
    trade.until(b["order_id"], lambda order: not _open(order["shipments"]), "the goods back")
    held = trade.when_idle(b["order_id"])
    trade.pay(customer, "500.00", orders=[(b["number"], "500.00")])
    trade.until(b["order_id"], lambda order: bool(_open(order["shipments"])), "the second release")
    for shipment in _open(trade.shipments(b["order_id"])):
        trade.send_off(shipment)
    billed = trade.when_idle(b["order_id"])

    assert [hold["code"] for hold in held["holds"] if not hold["released_at"]] == ["PAYMENT_REVERSED"]
    assert [(line["quantities"]["released"], line["quantities"]["allocated"]) for line in held["lines"]] == [(0, 5)]
    assert [one["status"] for one in billed["invoices"]] == ["paid"]
    moved = changes(before, trade.ledger())
    assert (moved["cash"], moved.get("accounts_receivable", 0)) == (50_000, 0)
    trade.until_audit_is_clean()


def _open(shipments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in shipments if one["state"] != "cancelled"]
