from __future__ import annotations

from tests.system.trade import TEXAS, Trade, key, ok


def test_a_held_order_waits_for_every_release_and_goes_on_by_itself(trade: Trade) -> None:
    customer = trade.customer(credit_limit="100.00")
    sku = trade.product("h", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "50.00")

    held = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}]))
    stock_while_held = trade.stock(sku)[warehouse]
    for hold in held["holds"]:
        path = f"/v1/orders/{held['order_id']}/holds/{hold['hold_id']}/release"
        ok(trade.system.api(hold["owner_role"]).post(path, json={"note": "checked by phone"}, headers=key()))
    order = trade.when_idle(held["order_id"])

    assert (held["status"], len(held["holds"])) == ("on_hold", 1)
    assert stock_while_held == (10, 0)
    assert (order["status"], order["lines"][0]["quantities"]["allocated"]) == ("in_fulfilment", 5)
    assert [mail for mail in trade.mails(order["number"]) if "accepted" in mail]
    trade.until_audit_is_clean()


def test_a_rejected_order_says_every_reason_and_gets_no_second_mail(trade: Trade) -> None:
    customer = trade.customer(is_active=False)
    body = trade.order_body(customer, [{"sku": "NO-SUCH-SKU", "quantity": 1, "unit_price": "1.00"}])

    order = trade.placed(body)

    assert order["status"] == "rejected"
    assert {one["code"] for one in order["violations"]} >= {"CUSTOMER_INACTIVE", "SKU_UNKNOWN"}
    assert not [subject for subject in trade.mails(order["number"]) if "accepted" in subject.lower()]
    trade.until_audit_is_clean()


def test_cancelling_before_shipping_leaves_no_stock_hold_or_credit_behind(trade: Trade) -> None:
    customer = trade.customer(credit_limit="1000.00")
    sku = trade.product("k", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 3, "50.00")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}]))
    path = f"/v1/orders/{placed['order_id']}/cancellation"
    seller = trade.system.api("support")

    preview = ok(seller.post(path, params={"preview": "true"}, json={"reason": "no need"}, headers=key()))
    ok(seller.post(path, json={"reason": "no need"}, headers=key()))
    order = trade.when_idle(placed["order_id"])

    assert preview["consequences"]["is_possible"]
    assert (order["status"], [one["state"] for one in order["cancellations"]]) == ("cancelled", ["done"])
    assert {shipment["state"] for shipment in order["shipments"]} == {"cancelled"}
    assert trade.stock(sku)[warehouse] == (3, 0)
    credit = ok(trade.system.api("auditor").get(f"/v1/customers/{customer}"))["credit"]
    assert credit["committed"]["amount"] == "0.00"
    trade.until_audit_is_clean()


def test_what_has_left_is_not_cancelled(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("l", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 3, "50.00")
    order_id = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 3}]))["order_id"]
    for shipment in trade.shipments(order_id):
        trade.send_off(shipment)
    trade.when_idle(order_id)

    path = f"/v1/orders/{order_id}/cancellation"
    refused = trade.system.api("support").post(path, json={"reason": "too late"}, headers=key())

    assert refused.status_code == 409
    assert "return" in refused.json()["detail"]
    assert trade.when_idle(order_id)["status"] == "shipped"
    trade.until_audit_is_clean()


def _rated(trade: Trade, warehouse_id: str, *zones: tuple[str, str]) -> None:
    """Let a warehouse serve these (country, zone)s and no others."""
    rates = [
        {"warehouse_id": warehouse_id, "carrier": "roadrunner", "zone": zone, "base_minor": 900, "per_kg_minor": 0,
         "per_unit_minor": 0, "transit_days": 2}
        for _, zone in zones
    ]  # fmt: skip
    known = [{"country": country, "region": "*", "zone": zone} for country, zone in zones]
    trade.put_rates(rates, known)


def test_an_order_where_no_carrier_goes_is_held_for_support_until_one_does(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("c", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "50.00")
    _rated(trade, warehouse, ("US", "south"))
    toronto = {**TEXAS, "city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "country": "CA"}

    held = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}], ship_to=toronto))
    before = trade.stock(sku)[warehouse]
    trade.until_audit_is_clean()
    _rated(trade, warehouse, ("US", "south"), ("CA", "north"))
    order = trade.when_idle(held["order_id"])  # nobody need release the hold

    assert (held["status"], [hold["code"] for hold in held["holds"]]) == ("on_hold", ["CARRIER_MISSING"])
    assert held["waiting_for"]["who"] == "support"
    assert held["holds"][0]["reason"].startswith("No carrier serves ON M5V 2T6 CA: enter a rate")
    assert before == (10, 0)
    assert (order["status"], order["lines"][0]["quantities"]["allocated"]) == ("in_fulfilment", 5)
    assert any("accepted" in mail for mail in trade.mails(order["number"]))
    notified = [recipient for recipient, subject in trade.addressed_mails(order["number"]) if "hold" in subject.lower()]
    assert any("support" in recipient for recipient in notified)
    trade.until_audit_is_clean()


def test_an_order_where_no_carrier_goes_ships_once_its_address_is_changed(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("e", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "50.00")
    _rated(trade, warehouse, ("US", "south"))
    toronto = {**TEXAS, "city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "country": "CA"}
    order_id = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}], ship_to=toronto))["order_id"]

    asked = {"ship_to": TEXAS, "reason": "they collect it in Dallas"}
    ok(trade.system.api("customer", customer).post(f"/v1/orders/{order_id}/changes", json=asked, headers=key()))
    trade.until(order_id, lambda order: order["version"] == 2 and order["change"] is None, "version 2")
    order = trade.when_idle(order_id)

    assert (order["status"], order["version"], order["ship_to"]["country"]) == ("in_fulfilment", 2, "US")
    assert not [hold for hold in order["holds"] if hold["released_at"] is None]
    trade.until_audit_is_clean()
