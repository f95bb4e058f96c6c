"""Orders that are invoiced before they ship, through the whole system: invoiced whole once accepted, revenue only as they ship."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.test_a2_partial_shipments import changes
from tests.system.test_changes import at_version, change, ship_all
from tests.system.trade import Trade, eventually, key, ok

BOOKS = ("deferred_revenue", "revenue", "freight_revenue", "sales_returns", "tax_payable", "accounts_receivable")


def _accepted(trade: Trade, units: int, in_stock: int) -> tuple[dict[str, Any], str]:
    """An accepted order of so many at 33.33 with freight 10.00 and tax of 8.25 %, and the warehouse that has some of them."""
    customer = trade.customer("cus-early", invoicing="at_order", tax_rate="0.0825")
    sku = trade.product("pump-early", "33.33", cost="20.00")
    warehouse = trade.warehouses({"w-early": 900})["w-early"]
    trade.receive(warehouse, sku, in_stock, "20.00")
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": units}], freight="10.00"))
    return order, warehouse


def _invoiced(trade: Trade, order_id: str, count: int) -> list[dict[str, Any]]:
    """An order's invoices, once there are so many and orders has heard of them."""

    def claim() -> list[dict[str, Any]]:
        found = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))["rows"]
        assert len(found) == count
        assert [one["number"] for one in trade.order(order_id)["invoices"]] == [one["number"] for one in found]
        rows: list[dict[str, Any]] = found
        return rows

    return eventually(claim)


def _moved(trade: Trade, before: dict[str, int]) -> dict[str, int]:
    """What has moved of the accounts that invoices move, in cents of debit."""
    return {name: minor for name, minor in changes(before, trade.ledger()).items() if name in BOOKS and minor}


@pytest.mark.on_postgres
def test_an_order_is_invoiced_paid_and_shipped_in_two_parts_and_is_revenue_only_then(trade: Trade) -> None:
    before = trade.ledger()
    order, warehouse = _accepted(trade, 3, 2)
    order_id = order["order_id"]

    (invoice,) = _invoiced(trade, order_id, 1)
    invoiced = _moved(trade, before)
    trade.pay(order["customer_id"], invoice["total"]["amount"], [(invoice["invoice_id"], invoice["total"]["amount"])])
    paid = trade.until(order_id, lambda one: one["axes"]["payment"] == "paid", "the payment")
    ship_all(trade, order_id)
    trade.when_idle(order_id)
    after_one = _moved(trade, before)
    trade.receive(warehouse, order["lines"][0]["sku"], 1, "20.00")
    trade.when_idle(order_id)
    ship_all(trade, order_id)
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)
    done = trade.until(order_id, lambda one: one["status"] == "completed", "the end")

    assert (order["invoicing"], invoice["shipment_id"], invoice["shipment_ids"]) == ("at_order", "", [])
    assert invoice["total"] == order["totals"]["total"]
    # 99.99 and freight of 10.00 deferred, tax of 8.25 % on the goods
    assert invoiced == {"accounts_receivable": 11824, "deferred_revenue": -10999, "tax_payable": -825}
    assert paid["status"] != "completed"
    assert (after_one["revenue"], after_one["freight_revenue"], after_one["deferred_revenue"]) == (-6666, -667, -3666)
    assert _moved(trade, before) == {"revenue": -9999, "freight_revenue": -1000, "tax_payable": -825}
    assert [one["number"] for one in done["invoices"]] == [invoice["number"]]
    assert len(trade.shipments(order_id)) == 2
    trade.until_audit_is_clean()


@pytest.mark.on_postgres
def test_what_an_order_grows_by_is_invoiced_and_less_is_refused(trade: Trade) -> None:
    before = trade.ledger()
    order, warehouse = _accepted(trade, 3, 3)
    order_id = order["order_id"]
    (first,) = _invoiced(trade, order_id, 1)
    api, less = trade.system.api("customer", order["customer_id"]), {"line_id": "1", "quantity": 2}
    refused = api.post(f"/v1/orders/{order_id}/changes", json={"reason": "fewer", "lines": [less]}, headers=key())

    change(trade, order, "customer", {"line_id": "1", "quantity": 5})
    at_version(trade, order_id, 2)
    both = _invoiced(trade, order_id, 2)
    trade.receive(warehouse, order["lines"][0]["sku"], 2, "20.00")
    trade.when_idle(order_id)
    ship_all(trade, order_id)
    for one in both:
        trade.pay(order["customer_id"], one["total"]["amount"], [(one["invoice_id"], one["total"]["amount"])])
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)
    done = trade.until(order_id, lambda one: one["status"] == "completed", "the end")

    assert refused.status_code == 409
    assert "3 units are invoiced" in refused.text
    assert both[0]["number"] == first["number"]
    billed = sum(round(float(one["total"]["amount"]) * 100) for one in both)
    assert billed == round(float(done["totals"]["total"]["amount"]) * 100)
    moved = _moved(trade, before)
    assert (moved["revenue"], moved.get("deferred_revenue", 0)) == (-16665, 0)
    trade.until_audit_is_clean()


@pytest.mark.on_postgres
def test_an_order_that_is_canceled_before_it_ships_has_its_invoice_credited(trade: Trade) -> None:
    before = trade.ledger()
    order, _ = _accepted(trade, 3, 3)
    order_id = order["order_id"]
    _invoiced(trade, order_id, 1)

    path = f"/v1/orders/{order_id}/cancellation"
    customer = trade.system.api("customer", order["customer_id"])
    line = {"line_id": order["lines"][0]["line_id"], "quantity": 1}
    part = customer.post(path, json={"reason": "too many", "lines": [line]}, headers=key())
    assert (part.status_code, part.json()["code"]) == (409, "BELOW_INVOICED")
    ok(customer.post(path, json={"reason": "not needed"}, headers=key()))
    trade.until(order_id, lambda one: one["status"] == "cancelled", "the cancellation")

    def credited() -> None:
        (invoice,) = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))["rows"]
        assert (invoice["status"], invoice["open"]["amount"]) == ("credited", "0.00")

    eventually(credited)
    assert _moved(trade, before) == {}
    trade.until_audit_is_clean()
