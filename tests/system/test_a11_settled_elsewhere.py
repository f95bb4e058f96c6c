"""Orders whose buyers paid elsewhere, or pay at the door, through the whole system."""

from __future__ import annotations

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, key, ok


def test_a11_an_amazon_order_is_not_billed_again_and_its_payout_closes_it(trade: Trade) -> None:
    """D 108.30, tax 8.30 that Amazon remits itself: no receivable, no invoice mail, no tax payable; 83.75 after fees 16.25 close it."""
    before = trade.ledger()
    customer, sku = trade.customer(credit_limit="0.00"), trade.product("pump", "10.00", cost="6.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "6.00")
    reference = trade.name("113")
    paid = {"method": "settled_elsewhere", "reference": reference, "tax": "8.30", "fees": "16.25"}
    lines = [{"sku": sku, "quantity": 10, "unit_price": "10.00"}]
    order = trade.placed(trade.order_body(customer, lines, channel="amazon", channel_ref=reference, payment=paid))
    for shipment in trade.shipments(order["order_id"]):
        [_] = trade.deliver(trade.send_off(shipment))
    billed = trade.until(order["order_id"], lambda one: one["phase"] == "closed", "the end")
    accounting = trade.system.api("accounting")
    [sale] = [one for one in ok(accounting.get("/v1/marketplace-sales"))["rows"] if one["reference"] == reference]

    payout = {
        "channel": "amazon",
        "reference": trade.name("payout"),
        "amount": {"amount": "83.75", "currency": "USD"},
        "sales": [{"reference": reference, "amount": "83.75", "fees": "16.25"}],
    }
    ok(accounting.post("/v1/payouts", json=payout, headers=key()))
    [closed] = [one for one in ok(accounting.get("/v1/marketplace-sales"))["rows"] if one["reference"] == reference]

    assert (order["totals"]["total"]["amount"], order["totals"]["tax"]["amount"]) == ("108.30", "8.30")
    assert order["settlement"]["tax_remitted"]
    assert (billed["axes"]["billing"], billed["axes"]["payment"]) == ("full", "paid")
    assert (sale["open"]["amount"], sale["status"], sale["announced_fees"]["amount"]) == ("100.00", "open", "16.25")
    assert (closed["open"]["amount"], closed["status"]) == ("0.00", "settled")
    assert not [subject for subject in trade.mails(order["number"]) if "nvoice" in subject]
    moved = changes(before, trade.ledger())
    assert {name: moved.get(name, 0) for name in ("cash", "marketplace_fees", "revenue", "accounts_receivable")} == {
        "cash": 8_375,
        "marketplace_fees": 1_625,
        "revenue": -10_000,
        "accounts_receivable": 0,
    }
    assert "tax_payable" not in moved
    assert "marketplace_clearing" not in moved
    trade.until_audit_is_clean()


def test_a11_only_a_marketplace_or_a_till_settles_elsewhere(trade: Trade) -> None:
    customer, sku = trade.customer(), trade.product("pump", "10.00")
    paid = {"method": "settled_elsewhere", "reference": "WEB-1"}

    refused = trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 1}], payment=paid))

    assert refused.status_code == 403
    assert refused.json()["code"] == "SETTLED_ELSEWHERE_NOT_PERMITTED"


def test_a11_cash_on_delivery_leaves_without_credit_and_is_due_at_once(trade: Trade) -> None:
    customer, sku = trade.customer(credit_limit="0.00"), trade.product("pump", "10.00", cost="6.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 1, "6.00")
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 1}], payment={"method": "cod"}))
    for shipment in trade.shipments(order["order_id"]):
        trade.send_off(shipment)
    billed = trade.when_idle(order["order_id"])

    assert order["holds"] == []
    assert [(one["status"], one["due_on"]) for one in billed["invoices"]] == [
        ("open", billed["invoices"][0]["invoiced_on"])
    ]
    trade.pay(
        customer, billed["totals"]["total"]["amount"], orders=[(order["number"], billed["totals"]["total"]["amount"])]
    )
    trade.until(order["order_id"], lambda one: one["axes"]["payment"] == "paid", "the payment")
    trade.until_audit_is_clean()
