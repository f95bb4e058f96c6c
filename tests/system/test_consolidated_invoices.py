"""A customer with many orders gets one invoice a month over all of them, and accounting invoices units of a shipment, through the whole system."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from tests.einvoices import faults_of
from tests.system.test_changes import ship_all
from tests.system.test_invoicing_policies import _invoices, _on_time
from tests.system.trade import Trade, eventually, key, ok


def _shipped(trade: Trade, customer_id: str, sku: str, units: int, po_number: str) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": units}]
    order = trade.placed(trade.order_body(customer_id, lines, freight="5.00", po_number=po_number))
    ship_all(trade, order["order_id"])
    return trade.when_idle(order["order_id"])


def _the_one(trade: Trade, customer_id: str) -> dict[str, Any]:
    """The one invoice of a customer, once billing has made it."""

    def claim() -> dict[str, Any]:
        rows = ok(trade.system.api("accounting").get("/v1/invoices", params={"customer_id": customer_id}))["rows"]
        assert len(rows) == 1
        return dict(rows[0])

    return eventually(claim)


@pytest.mark.on_postgres
def test_three_orders_of_a_month_with_two_purchase_orders_are_one_invoice_credited_once_and_paid_in_one_sum(
    trade: Trade,
) -> None:
    accounting = trade.system.api("accounting")
    customer_id = trade.customer("cus-monthly", invoicing="monthly", tax_rate="0.0825")
    sku = trade.product("pump-monthly", "33.33", cost="20.00")
    trade.receive(trade.warehouses({"w-monthly": 900})["w-monthly"], sku, 9, "20.00")
    wanted = ((1, "PO-A"), (2, "PO-A"), (3, "PO-B"))
    orders = [_shipped(trade, customer_id, sku, units, po_number) for units, po_number in wanted]

    trade.system.stop_service("billing")
    trade.system.billing_ahead = timedelta(days=32)
    trade.afterwards.callback(_on_time, trade)
    trade.system.start_service("billing")

    one = _the_one(trade, customer_id)
    totals = [order["totals"]["total"]["amount"] for order in orders]
    assert [(share["order_number"], share["po_number"]) for share in one["shares"]] == [
        (order["number"], po_number) for order, (_, po_number) in zip(orders, wanted, strict=True)
    ]
    assert [share["total"]["amount"] for share in one["shares"]] == totals
    own = [_invoices(trade, order["order_id"])[0] for order in orders]
    assert [(each["number"], each["order_id"], each["total"]["amount"]) for each in own] == [
        (one["number"], order["order_id"], total) for order, total in zip(orders, totals, strict=True)
    ]

    # one unit of the last order is credited: its customer is told of the one invoice
    share = one["shares"][2]
    line_id = orders[2]["lines"][0]["line_id"]
    body = {"lines": [{"line_id": line_id, "quantity": 1}], "reason": "one arrived damaged", "reason_code": "damaged"}
    refused = accounting.post(f"/v1/invoices/{one['number']}/credit-notes", json=body, headers=key())
    note = ok(accounting.post(f"/v1/invoices/{share['invoice_id']}/credit-notes", json=body, headers=key()))
    assert (refused.status_code, refused.json()["code"]) == (409, "INVOICE_OF_SEVERAL_ORDERS")
    assert note["credit_note"]["invoice_number"] == one["number"]

    # one document, one e-invoice, one mail
    text = " ".join(
        page.extract_text()
        for page in PdfReader(io.BytesIO(accounting.get(f"/v1/invoices/{one['number']}.pdf").content)).pages
    )
    assert all(part in text for part in (one["number"], "PO-A", "PO-B", *(order["number"] for order in orders)))
    assert faults_of(accounting.get(f"/v1/invoices/{one['number']}.xml").content) == []
    mailed = eventually(lambda: _mailed(trade, orders, one["number"]))
    assert mailed == [orders[0]["number"]]

    left = ok(accounting.get(f"/v1/invoices/{one['invoice_id']}"))["open"]["amount"]
    payment = trade.pay(customer_id, left, [(one["number"], left)])
    assert len(payment["applications"]) == 3
    assert _the_one(trade, customer_id)["status"] == "paid"
    for order in orders:
        for shipment in trade.shipments(order["order_id"], "shipped"):
            trade.deliver(shipment)
        trade.until(order["order_id"], lambda each: each["status"] == "completed", "the end")
    trade.until_audit_is_clean()


def _mailed(trade: Trade, orders: list[dict[str, Any]], number: str) -> list[str]:
    """The orders with whose mails the invoice went out; raises while none has."""
    found = [order["number"] for order in orders if f"{number}.pdf" in trade.attachments(order["number"])]
    assert found
    return found


@pytest.mark.on_postgres
def test_accounting_invoices_units_of_a_shipment_and_the_rest_later_and_the_order_ends(trade: Trade) -> None:
    accounting = trade.system.api("accounting")
    customer_id = trade.customer("cus-part", invoicing="manual", tax_rate="0.0825")
    sku = trade.product("pump-part", "33.33", cost="20.00")
    trade.receive(trade.warehouses({"w-part": 900})["w-part"], sku, 5, "20.00")
    order = _shipped(trade, customer_id, sku, 5, "PO-C")
    line_id = order["lines"][0]["line_id"]
    some = {"order_id": order["number"], "lines": [{"line_id": line_id, "quantity": 2}]}

    seen = ok(accounting.post("/v1/invoices/preview", json=some))
    first = ok(accounting.post("/v1/invoices", json=some, headers=key()))
    second = ok(accounting.post("/v1/invoices", json=some, headers=key()))
    too_many = accounting.post("/v1/invoices", json=some, headers=key())
    rest = ok(accounting.post("/v1/invoices", json={"order_id": order["number"]}, headers=key()))

    assert seen["invoice"]["total"] == first["total"]
    assert (too_many.status_code, too_many.json()["code"]) == (409, "UNITS_NOT_WAITING")
    billed = [first, second, rest]
    assert [one["lines"][0]["quantity"] for one in billed] == [2, 2, 1]
    assert len({one["number"] for one in billed}) == 3
    total = sum(round(float(one["total"]["amount"]) * 100) for one in billed)
    assert total == round(float(order["totals"]["total"]["amount"]) * 100)
    for one in billed:
        trade.pay(customer_id, one["open"]["amount"], [(one["number"], one["open"]["amount"])])
    for shipment in trade.shipments(order["order_id"], "shipped"):
        trade.deliver(shipment)
    trade.until(order["order_id"], lambda each: each["status"] == "completed", "the end")
    trade.until_audit_is_clean()
