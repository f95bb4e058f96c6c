"""A return through the whole system: requested, counted in part, inspected, credited and refunded; what never comes expires."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import TimeSkipper

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, eventually, key, ok

VISA = "pm_card_visa"
RULE = {"window_days": 30, "valid_days": 30, "automatic_up_to": "500.00", "fee_percent": "15"}
USUAL = {**RULE, "fee_percent": "0"}


@pytest.fixture(autouse=True)
def _fee(trade: Trade) -> None:
    """The policy keeps 15 % of what customers answer for, until the test is over."""
    admin = trade.system.api("admin")
    ok(admin.patch("/v1/policies", json={"returns": RULE}))
    trade.afterwards.callback(lambda: ok(admin.patch("/v1/policies", json={"returns": USUAL})))


def _sold(trade: Trade, **terms: Any) -> tuple[dict[str, Any], str, str]:
    """10 of 20 at cost 50.00 are sold at 80.00, tax 10 %, and delivered; also their SKU and warehouse."""
    customer, sku = trade.customer(tax_rate="0.10"), trade.product("p", "80.00", cost="50.00")
    warehouse = trade.warehouses({"w": 900})["w"]
    trade.receive(warehouse, sku, 20, "50.00")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}], **terms))
    [shipment] = trade.shipments(placed["order_id"])
    trade.deliver(trade.send_off(shipment))
    trade.until(placed["order_id"], lambda order: bool(order["invoices"]), "the invoice")
    return trade.when_idle(placed["order_id"]), sku, warehouse


def _ask(trade: Trade, order: dict[str, Any], quantity: int, **more: Any) -> Any:
    line = {"line_id": "1", "quantity": quantity, "reason": "changed_mind", **more}
    body = {"order": order["number"], "lines": [line], "reason": "too many"}
    return trade.system.api("customer", order["customer_id"]).post("/v1/returns", json=body, headers=key())


def _until(trade: Trade, number: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    def claim() -> dict[str, Any]:
        found: dict[str, Any] = ok(trade.system.api("auditor").get(f"/v1/returns/{number}"))
        assert is_so(found), found
        return found

    return eventually(claim)


def _back(
    trade: Trade, rma: str, warehouse: str, count: int, *units: tuple[int, str, str, str], waits_for: str = "customer"
) -> None:
    """The warehouse counts units and inspects them: (units, grade, disposition, who answers for it)."""
    floor = trade.system.api("warehouse")
    expected = _until(trade, rma, lambda one: one["state"] == "authorized")
    assert expected["waits_for"] == waits_for
    receipt = {"warehouse_id": warehouse, "lines": [{"line_id": "1", "quantity": count}]}
    again = key()
    eventually(lambda: _counted(trade, rma, receipt, again))
    found = [
        {"line_id": "1", "quantity": n, "grade": grade, "disposition": what, "responsible": who}
        for n, grade, what, who in units
    ]
    body = {"warehouse_id": warehouse, "units": found}
    ok(floor.post(f"/v1/returns/{rma}/inspect", json=body, headers=key()))


def _counted(trade: Trade, rma: str, receipt: dict[str, Any], again: dict[str, str]) -> None:
    """The warehouse hears of a return a moment after it was authorized."""
    said = trade.system.api("warehouse").post(f"/v1/returns/{rma}/receive", json=receipt, headers=again)
    assert said.status_code == 200, said.text


def _overdue(trade: Trade, rma: str) -> None:
    """Thirty days pass for the workflow of a return."""
    handle = trade.system.temporal.get_workflow_handle(f"return/{rma}")
    trade.system.on_loop(TimeSkipper(trade.system.temporal).fast_forward(handle, timedelta(days=30, minutes=1)))


def _a8(trade: Trade, order: dict[str, Any], warehouse: str) -> dict[str, Any]:
    """RMA 4, 3 come: 2 as new by remorse, 1 damaged on the way; one never comes."""
    asked = _ask(trade, order, 4)
    assert asked.status_code == 201, asked.text
    rma = str(asked.json()["number"])
    _back(trade, rma, warehouse, 3, (2, "A", "restock", "customer"), (1, "D", "scrap", "carrier"))
    credited = _until(trade, rma, lambda one: one["stage"] == "part_credited")
    early = _ask(trade, order, 7)
    _overdue(trade, rma)
    closed = _until(trade, rma, lambda one: bool(one["ended_at"]))
    assert (early.status_code, early.json()["code"]) == (409, "MORE_THAN_RETURNABLE")
    assert "at most 6 may come back, not 7" in early.json()["detail"]
    assert (closed["state"], closed["lines"][0]["received"]) == ("closed", 3)
    return credited


def test_a8_a_return_of_a_paid_order_is_credited_by_what_was_counted_and_refunded_once(trade: Trade) -> None:
    before = trade.ledger()
    order, sku, warehouse = _sold(trade)
    trade.pay(order["customer_id"], "880.00")

    credited = _a8(trade, order, warehouse)
    accounting = trade.system.api("accounting")
    first, second = (ok(accounting.post(f"/v1/returns/{credited['number']}/refund", headers=key())) for _ in range(2))
    later = _ask(trade, order, 7)

    [inspection] = credited["inspections"]
    assert (inspection["credited"]["amount"], inspection["fee"]["amount"]) == ("264.00", "24.00")
    assert (first["refunded"]["amount"], second["refunded"]["amount"]) == ("240.00", "0.00")
    assert later.status_code == 201
    assert trade.stock(sku) == {warehouse: (12, 0)}
    moved = changes(before, trade.ledger())
    assert moved == {
        "cash": 64_000,
        "revenue": -80_000,
        "sales_returns": 24_000,
        "fee_income": -2_400,
        "tax_payable": -5_600,
        "cost_of_goods_sold": 35_000,
        "inventory_write_offs": 5_000,
        "inventory": 60_000,
        "goods_received_not_invoiced": -100_000,
    }
    profit = -(moved["revenue"] + moved["sales_returns"] + moved["fee_income"])
    assert profit - moved["cost_of_goods_sold"] - moved["inventory_write_offs"] == 18_400
    shown = trade.order(order["order_id"])
    assert (shown["lines"][0]["quantities"]["returned"], shown["axes"]["returns"]) == (3, "open")
    assert shown["returns"] == [credited["number"], later.json()["number"]]
    trade.until_audit_is_clean()


def test_a8_the_cash_of_a_card_goes_back_to_the_card(trade: Trade) -> None:
    before = trade.ledger()
    order, _, warehouse = _sold(trade, payment={"method": "card", "token": VISA})

    credited = _a8(trade, order, warehouse)
    ok(trade.system.api("accounting").post(f"/v1/returns/{credited['number']}/refund", headers=key()))

    moved = changes(before, trade.ledger())
    assert moved["cash"] + moved["card_fees"] == 64_000
    refunds = [one for one in trade.system.stripe.state.all("refund") if one["amount"] == 24_000]
    assert [one["status"] for one in refunds] == ["succeeded"]
    trade.until_audit_is_clean()


def test_a8_a_return_of_an_unpaid_order_lowers_what_is_owed_and_moves_no_cash(trade: Trade) -> None:
    before = trade.ledger()
    order, sku, warehouse = _sold(trade)

    credited = _a8(trade, order, warehouse)
    accounting = trade.system.api("accounting")
    refund = ok(accounting.post(f"/v1/returns/{credited['number']}/refund", headers=key()))

    [invoice] = trade.order(order["order_id"])["invoices"]
    bill = ok(accounting.get(f"/v1/invoices/{invoice['invoice_id']}"))
    assert (bill["credited"]["amount"], bill["open"]["amount"]) == ("240.00", "640.00")
    assert refund["refunded"]["amount"] == "0.00"
    moved = changes(before, trade.ledger())
    assert "cash" not in moved
    assert moved["accounts_receivable"] == 64_000
    assert (moved["fee_income"], moved["tax_payable"], moved["sales_returns"]) == (-2_400, -5_600, 24_000)
    assert trade.stock(sku) == {warehouse: (12, 0)}
    trade.until_audit_is_clean()


def test_a9_a_return_of_the_second_unit_is_credited_at_what_its_shipment_was_billed(trade: Trade) -> None:
    customer, sku = trade.customer(tax_rate="0.0725"), trade.product("third", "33.33")
    warehouses = trade.warehouses({"w1": 900, "w2": 900, "w3": 900})
    for warehouse in warehouses.values():
        trade.receive(warehouse, sku, 1, "5.00")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 3}], discount="10.00"))
    for shipment in trade.shipments(placed["order_id"]):
        trade.send_off(shipment)
        trade.when_idle(placed["order_id"])
    order = trade.when_idle(placed["order_id"])
    second = order["invoices"][1]

    asked = ok(_ask(trade, order, 1, shipment_id=second["shipment_id"], reason="defective"))
    _back(trade, asked["number"], warehouses["w3"], 1, (1, "B", "restock", "customer"))
    closed = _until(trade, asked["number"], lambda one: one["state"] == "closed")

    assert second["total"]["amount"] == "32.17"
    assert (closed["credited"]["amount"], closed["fees"]["amount"]) == ("32.17", "0.00")
    trade.until_audit_is_clean()


def test_a_larger_return_waits_for_support_which_authorizes_it_with_a_fee_of_its_own_or_denies_it(trade: Trade) -> None:
    order, _, warehouse = _sold(trade)
    support = trade.system.api("support")

    asked, other = ok(_ask(trade, order, 7)), ok(_ask(trade, order, 1))
    denied = ok(support.post(f"/v1/returns/{other['number']}/cancel", json={"note": "kept"}, headers=key()))
    done = support.post(
        f"/v1/returns/{asked['number']}/authorize", json={"note": "as agreed", "fee_percent": "10"}, headers=key()
    )
    again = support.post(f"/v1/returns/{asked['number']}/deny", json={"note": "no"}, headers=key())
    _back(trade, asked["number"], warehouse, 7, (7, "B", "quarantine", "customer"))
    closed = _until(trade, asked["number"], lambda one: one["state"] == "closed")
    called_off = _until(trade, other["number"], lambda one: bool(one["ended_at"]))

    assert (asked["state"], asked["waits_for"], other["is_automatic"]) == ("requested", "support", True)
    assert (ok(done)["state"], again.status_code, again.json()["code"]) == ("authorized", 409, "RETURN_STATE")
    assert (closed["credited"]["amount"], closed["fees"]["amount"]) == ("616.00", "56.00")
    assert (denied["state"], called_off["state"]) == ("authorized", "cancelled")
    trade.until_audit_is_clean()


def test_returns_of_what_has_not_shipped_or_is_on_its_way_back_are_refused_with_what_is_left(trade: Trade) -> None:
    order, _, _ = _sold(trade)
    customer = order["customer_id"]
    waiting = trade.placed(trade.order_body(customer, [{"sku": trade.product("none", "5.00"), "quantity": 1}]))

    nothing = _ask(trade, waiting, 1)
    answers = [_ask(trade, order, 6).status_code for _ in range(2)]
    foreign = trade.system.api("customer", trade.customer("rival")).post(
        "/v1/returns",
        json={"order": order["number"], "lines": [{"line_id": "1", "quantity": 1, "reason": "other"}]},
        headers=key(),
    )

    assert (nothing.status_code, nothing.json()["code"]) == (409, "NOTHING_TO_RETURN")
    assert answers == [201, 409]
    assert foreign.status_code == 404
    trade.until_audit_is_clean()


def test_a_shipment_whose_units_a_return_is_to_bring_has_left(trade: Trade) -> None:
    customer, sku = trade.customer(), trade.product("left", "10.00")
    trade.receive(trade.warehouses({"w": 900})["w"], sku, 3, "5.00")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 3}]))
    [shipment] = trade.shipments(placed["order_id"])
    trade.send_off(shipment)
    order = trade.until(placed["order_id"], lambda one: bool(one["invoices"]), "the invoice")
    path, why = f"/v1/shipments/{shipment['shipment_id']}/reversal", {"reason": "scanned the wrong pallet"}
    floor, support = trade.system.api("warehouse"), trade.system.api("support")

    rma = ok(_ask(trade, order, 2))["number"]
    refused = [floor.get(path), floor.post(path, json=why, headers=key())]
    ok(support.post(f"/v1/returns/{rma}/cancel", json={"note": "it never came"}, headers=key()))
    _until(trade, rma, lambda one: bool(one["ended_at"]))
    again = key()
    done = [ok(floor.post(path, json=why, headers=again)) for _ in range(2)]

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(409, "RETURN_OPEN")] * 2
    assert rma in refused[0].json()["detail"]
    assert [one["state"] for one in done] == ["cancelled"] * 2
    trade.until_audit_is_clean()
