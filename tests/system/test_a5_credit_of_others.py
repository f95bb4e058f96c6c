"""Credit that others give: an account that is billed for its shops, and a parent's limit; and credit that stops when too much is overdue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.system.trade import Trade, eventually, key, ok


def _stocked(trade: Trade, quantity: int) -> str:
    sku = trade.product("pump", "100.00", cost="60.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], sku, quantity, "60.00")
    return sku


def _bill_to(trade: Trade, customer: str, payer: str) -> None:
    body = {"customer_id": customer, "bill_to_id": payer}
    ok(trade.system.api("admin").patch("/v1/customers", json=body, headers=key()))


def _held_for(order: dict[str, Any]) -> list[str]:
    return [hold["hold_type"] for hold in order["holds"] if not hold["released_at"]]


def _until_shipments(trade: Trade, order_id: str, count: int) -> list[dict[str, Any]]:
    def claim() -> list[dict[str, Any]]:
        found = trade.shipments(order_id)
        assert len(found) == count, trade.order(order_id)
        return found

    return eventually(claim)


def test_a5_what_a_shop_orders_is_on_the_credit_of_whom_it_is_billed_to(trade: Trade) -> None:
    """Shop with a limit of 100, billed to a group with 1,000: an order of 300 passes on the group's; the other way round it is held."""
    shop, group = trade.customer("shop", credit_limit="100.00"), trade.customer("group", credit_limit="1000.00")
    sku = _stocked(trade, 10)
    _bill_to(trade, shop, group)
    passed = trade.placed(trade.order_body(shop, [{"sku": sku, "quantity": 3}]))
    _bill_to(trade, shop, "")
    _bill_to(trade, group, shop)
    held = trade.placed(trade.order_body(group, [{"sku": sku, "quantity": 3}]))

    for shipment in trade.shipments(passed["order_id"]):
        trade.send_off(shipment)
    billed = trade.when_idle(passed["order_id"])
    [invoice] = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": passed["order_id"]}))["rows"]

    assert (_held_for(passed), _held_for(held)) == ([], ["credit"])
    assert invoice["customer_id"] == passed["bill_to_id"] == group
    trade.pay(
        group, billed["totals"]["total"]["amount"], orders=[(passed["number"], billed["totals"]["total"]["amount"])]
    )
    trade.until(passed["order_id"], lambda order: order["axes"]["payment"] == "paid", "the payment")
    trade.until_audit_is_clean()


def test_a5_a_parents_limit_counts_all_below_it(trade: Trade) -> None:
    """Two shops with limits of 1,000 under a parent with 1,000: the second order of 600 waits until the first is cancelled."""
    parent = trade.customer("parent", credit_limit="1000.00")
    shops = [trade.customer(name, credit_limit="1000.00") for name in ("north", "south")]
    sku = _stocked(trade, 12)
    for shop in shops:
        body = {"parent_id": parent}
        ok(trade.system.api("admin").post(f"/v1/customers/{shop}/credit-terms", json=body, headers=key()))
    first, second = [trade.placed(trade.order_body(shop, [{"sku": sku, "quantity": 6}])) for shop in shops]

    body = {"reason": "not needed"}
    ok(trade.system.api("support").post(f"/v1/orders/{first['order_id']}/cancellation", json=body, headers=key()))
    freed = trade.until(second["order_id"], lambda order: not _held_for(order), "the credit")

    assert (_held_for(first), _held_for(second)) == ([], ["credit"])
    assert freed["phase"] == "accepted"
    trade.until_audit_is_clean()


def test_a5_what_fits_ships_and_the_rest_when_there_is_room(trade: Trade) -> None:
    """Ten units, room for five and a half: five are shipped and billed; paid in full, the rest follows by itself."""
    customer = trade.customer("inpart", credit_limit="0.00")
    sku = _stocked(trade, 10)
    admin = trade.system.api("admin")
    terms = ok(admin.post(f"/v1/customers/{customer}/credit-terms", json={"ships_what_fits": True}, headers=key()))
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}]))
    order_id, total = order["order_id"], Decimal(order["totals"]["total"]["amount"])

    body = {"customer_id": customer, "credit_limit": f"{total * 11 / 20:.2f}"}
    ok(admin.patch("/v1/customers", json=body, headers=key()))
    [first] = _until_shipments(trade, order_id, 1)
    both = trade.until(order_id, lambda one: one["waiting_for"]["who"] == "warehouse, accounting", "part and rest")
    trade.send_off(first)
    trade.when_idle(order_id)
    [invoice] = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))["rows"]
    money = ok(trade.system.api("accounting").get(f"/v1/orders/{order_id}/money"))
    trade.pay(customer, invoice["total"]["amount"])
    second = _until_shipments(trade, order_id, 2)[-1]
    trade.send_off(second)
    trade.when_idle(order_id)  # or its invoice comes while a later test reads the ledger
    after = ok(trade.system.api("accounting").get(f"/v1/orders/{order_id}/money"))

    assert (terms["ships_what_fits"], terms["changed_by"]) == (True, "admin@staff")
    assert _held_for(order) == ["credit"]
    assert "room under the credit limit for 5 units" in both["waiting_for"]["what"]
    assert [line["quantity"] for line in first["lines"]] == [5]
    assert (money["waiting_on"], after["waiting_on"]) == ("rest", None)
    assert [line["quantity"] for line in second["lines"]] == [5]
    trade.until_audit_is_clean()


def test_a5_credit_terms_answer_what_is_wrong(trade: Trade) -> None:
    shop = trade.customer(credit_limit="100.00")
    admin, path = trade.system.api("admin"), f"/v1/customers/{shop}/credit-terms"

    unknown = admin.post(path, json={"parent_id": "cus_nobody"}, headers=key())
    nothing = admin.post(path, json={"overdue_hold": {"days": 5, "amount": "0"}}, headers=key())
    kept = ok(admin.post(path, json={"overdue_hold": {"days": 5, "amount": "50.00"}}, headers=key()))
    by_sales = trade.system.api("support").post(path, json={}, headers=key())

    assert (unknown.status_code, unknown.json()["code"]) == (409, "PARENT_WITHOUT_CREDIT")
    assert nothing.status_code == 422
    assert ok(admin.get(path)) == kept
    assert kept["overdue_hold"] == {"days": 5, "amount": "50.00"}
    assert by_sales.status_code == 403
