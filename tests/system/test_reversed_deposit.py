"""A ship confirm that was a mistake, of an order with a deposit: its tax is owed once, and its deposit pays once."""

from __future__ import annotations

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, key, ok


def test_the_deposit_of_an_order_whose_ship_confirm_is_reversed_is_deducted_and_taxed_once(trade: Trade) -> None:
    """1,000 and 10 % tax, 330.00 paid ahead: whatever was taken back between, 770.00 is due and 100.00 of tax owed at the end."""
    customer, sku = trade.customer(credit_limit="770.00", tax_rate="0.1"), trade.product("pump", "100.00", cost="60.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], sku, 10, "60.00")
    lines, terms = [{"sku": sku, "quantity": 10}], {"method": "deposit", "percent": "30"}
    before = trade.ledger()
    order = trade.placed(trade.order_body(customer, lines, payment=terms))
    order_id, warehouse = order["order_id"], trade.system.api("warehouse")

    trade.pay(customer, "330.00", orders=[(order["number"], "330.00")])
    trade.until(order_id, lambda one: bool(one["shipments"]), "the release")
    (released,) = trade.shipments(order_id)
    sent = trade.send_off(released)
    trade.when_idle(order_id)
    ok(warehouse.post(f"/v1/shipments/{sent['shipment_id']}/reversal", json={"reason": "wrong pallet"}, headers=key()))
    trade.when_idle(order_id)
    trade.until_audit_is_clean()
    (packed,) = trade.shipments(order_id, "packed")
    ok(warehouse.post(f"/v1/shipments/{packed['shipment_id']}/ship", headers=key()))
    trade.when_idle(order_id)

    moved = changes(before, trade.ledger())
    accounts = ("cash", "customer_deposits", "tax_on_deposits", "tax_payable", "accounts_receivable")
    assert [moved.get(name, 0) for name in accounts] == [33_000, 0, 0, -10_000, 77_000]
    trade.until_audit_is_clean()
