from __future__ import annotations

from typing import Any

from tests.system.trade import TEXAS, Trade, key, ok, wait_for


def test_a_held_order_waits_for_every_release_and_goes_on_by_itself(trade: Trade) -> None:
    customer = trade.customer(credit_limit="100.00")
    sku = trade.product("h", "100.00", cost="50.00")
    house = trade.warehouses({"w1": 900})["w1"]
    trade.receive(house, sku, 10, "50.00")

    receipt = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 5}])))
    held = trade.order(receipt["order_id"])
    stock_while_held = trade.stock(sku)[house]
    for hold in held["holds"]:
        path = f"/v1/orders/{receipt['order_id']}/holds/{hold['hold_id']}/release"
        ok(trade.system.api(hold["owner_role"]).post(path, json={"note": "checked by phone"}, headers=key()))
    order = trade.until_released(receipt["order_id"])

    assert receipt["status"] in {"on_hold", "in_review"}
    assert held["holds"]
    assert stock_while_held == (10, 0)
    assert order["lines"][0]["quantities"]["allocated"] == 5
    assert wait_for(lambda: [mail for mail in trade.mails(order["number"]) if "accepted" in mail] or None, "mail 2")
    trade.until_audit_is_clean()


def test_a_rejected_order_says_every_reason_and_gets_no_second_mail(trade: Trade) -> None:
    customer = trade.customer(is_active=False)
    body = trade.order_body(customer, [{"sku": "NO-SUCH-SKU", "quantity": 1, "unit_price": "1.00"}])

    receipt = ok(trade.place(body))

    assert receipt["status"] == "rejected"
    assert len(receipt["reasons"]) >= 2
    trade.until_audit_is_clean()
    assert not [subject for subject in trade.mails(receipt["number"]) if "accepted" in subject.lower()]


def test_cancelling_before_shipping_leaves_no_stock_hold_or_credit_behind(trade: Trade) -> None:
    customer = trade.customer(credit_limit="1000.00")
    sku = trade.product("k", "100.00", cost="50.00")
    house = trade.warehouses({"w1": 900})["w1"]
    trade.receive(house, sku, 3, "50.00")
    receipt = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 5}])))
    path = f"/v1/orders/{receipt['order_id']}/cancellation"
    seller = trade.system.api("support")

    preview = ok(seller.post(path, params={"preview": "true"}, json={"reason": "no need"}, headers=key()))
    done = ok(seller.post(path, json={"reason": "no need"}, headers=key()))
    order = trade.until(receipt["order_id"], _is_over, "cancellation")

    assert preview["consequences"]["is_possible"]
    assert (done["state"], order["status"]) == ("done", "cancelled")
    assert trade.stock(sku)[house] == (3, 0)
    credit = ok(trade.system.api("auditor").get(f"/v1/customers/{customer}"))["credit"]
    assert credit["committed"]["amount"] == "0.00"
    trade.until_audit_is_clean()


def _is_over(order: dict[str, Any]) -> bool:
    """The order is cancelled, and its warehouses have told that they stopped."""
    return order["status"] == "cancelled" and {each["state"] for each in order["shipments"]} <= {"cancelled"}


def test_what_has_left_is_not_cancelled(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("l", "100.00", cost="50.00")
    house = trade.warehouses({"w1": 900})["w1"]
    trade.receive(house, sku, 3, "50.00")
    receipt = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 3}])))
    for shipment in trade.shipments(receipt["order_id"]):
        trade.send_off(shipment)

    path = f"/v1/orders/{receipt['order_id']}/cancellation"
    refused = trade.system.api("support").post(path, json={"reason": "too late"}, headers=key())

    assert refused.status_code == 409
    assert "return" in refused.json()["detail"]
    trade.until(receipt["order_id"], lambda order: order["status"] == "shipped", "shipping")
    trade.until_audit_is_clean()


def _rated(trade: Trade, warehouse_id: str, *zones: tuple[str, str]) -> None:
    """The rate table: this warehouse serves these (country, zone)s and no others."""
    rates = [
        {"warehouse_id": warehouse_id, "carrier": "roadrunner", "zone": zone, "base_minor": 900, "per_kg_minor": 0,
         "per_unit_minor": 0, "transit_days": 2}
        for _, zone in zones
    ]  # fmt: skip
    known = [{"country": country, "region": "*", "zone": zone} for country, zone in zones]
    ok(trade.system.api("admin").post("/v1/rates", json={"currency": "USD", "rates": rates, "zones": known}))


def test_an_order_where_no_carrier_goes_is_held_for_support_until_one_does(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("c", "100.00", cost="50.00")
    house = trade.warehouses({"w1": 900})["w1"]
    trade.receive(house, sku, 10, "50.00")
    _rated(trade, house, ("US", "south"))
    toronto = {**TEXAS, "city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "country": "CA"}

    receipt = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 5}], ship_to=toronto)))
    held = trade.order(receipt["order_id"])
    before = trade.stock(sku)[house]
    _rated(trade, house, ("US", "south"), ("CA", "north"))
    path = f"/v1/orders/{receipt['order_id']}/holds/{held['holds'][0]['hold_id']}/release"
    ok(trade.system.api("support").post(path, json={"note": "Polar Freight goes there now"}, headers=key()))
    order = trade.until_released(receipt["order_id"])

    assert (receipt["status"], receipt["reasons"]) == ("on_hold", ["CARRIER_MISSING"])
    assert (held["holds"][0]["code"], held["waiting_for"]["who"]) == ("CARRIER_MISSING", "support")
    assert held["holds"][0]["reason"].startswith("No carrier serves ON M5V 2T6 CA: enter a rate")
    assert before == (10, 0)
    assert order["lines"][0]["quantities"]["allocated"] == 5
    wait_for(lambda: any("accepted" in mail for mail in trade.mails(order["number"])) or None, "mail 2")
    told = [recipient for recipient, subject in trade.letters(order["number"]) if "hold" in subject.lower()]
    assert any("support" in recipient for recipient in told)
    trade.until_audit_is_clean()


def test_an_order_where_no_carrier_goes_ships_once_its_address_is_changed(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("e", "100.00", cost="50.00")
    house = trade.warehouses({"w1": 900})["w1"]
    trade.receive(house, sku, 10, "50.00")
    _rated(trade, house, ("US", "south"))
    toronto = {**TEXAS, "city": "Toronto", "region": "ON", "postal_code": "M5V 2T6", "country": "CA"}
    order_id = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 5}], ship_to=toronto)))["order_id"]

    asked = {"ship_to": TEXAS, "reason": "they collect it in Dallas"}
    ok(trade.system.api("customer", customer).post(f"/v1/orders/{order_id}/changes", json=asked, headers=key()))
    order = trade.until(order_id, lambda order: order["status"] == "in_fulfilment", "release")

    assert (order["version"], order["ship_to"]["country"]) == (2, "US")
    assert not [hold for hold in order["holds"] if hold["released_at"] is None]
    trade.until_audit_is_clean()
