"""Invoicing by policy and by hand through the whole system: orders live until all of them is invoiced and paid, and each unit is billed once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.system.test_changes import at_version, change, ship_all
from tests.system.trade import Trade, eventually, key, ok


def _placed(trade: Trade, policy: str, units: int, in_stock: int, **terms: Any) -> dict[str, Any]:
    """An order at 33.33 with freight, of which so many units are in stock and have left."""
    customer = trade.customer(f"cus-{policy}", invoicing=policy, tax_rate="0.0825", **terms)
    sku = trade.product(f"pump-{policy}", "33.33", cost="20.00")
    warehouse = trade.warehouses({f"w-{policy}": 900})[f"w-{policy}"]
    trade.receive(warehouse, sku, in_stock, "20.00")
    body = trade.order_body(customer, [{"sku": sku, "quantity": units}], freight="10.00")
    order = trade.placed(body)
    ship_all(trade, order["order_id"])
    return trade.when_idle(order["order_id"])


def _deliver(trade: Trade, order_id: str) -> None:
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)


def _invoices(trade: Trade, order_id: str) -> list[dict[str, Any]]:
    found = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def _waiting(trade: Trade, order: dict[str, Any]) -> list[dict[str, Any]]:
    answer = ok(trade.system.api("accounting").get("/v1/billable", params={"customer_id": order["customer_id"]}))
    rows: list[dict[str, Any]] = answer["rows"]
    return rows


def _invoiced(trade: Trade, order_id: str) -> dict[str, Any]:
    """The one invoice of an order, once billing has made it and orders has heard of it."""

    def claim() -> dict[str, Any]:
        found, shown = _invoices(trade, order_id), trade.order(order_id)["invoices"]
        assert len(found) == 1
        assert [one["number"] for one in shown] == [found[0]["number"]]
        return found[0]

    return eventually(claim)


def _settled(trade: Trade, order: dict[str, Any]) -> dict[str, Any]:
    """Paid, delivered and closed; its invoices come to it."""
    invoices = _invoices(trade, order["order_id"])
    for one in invoices:
        trade.pay(order["customer_id"], one["open"]["amount"], [(one["invoice_id"], one["open"]["amount"])])
    _deliver(trade, order["order_id"])
    done = trade.until(order["order_id"], lambda one: one["status"] == "completed", "the end")
    billed = sum(round(float(one["total"]["amount"]) * 100) for one in invoices)
    assert billed == round(float(done["totals"]["total"]["amount"]) * 100)
    assert _waiting(trade, order) == []
    return done


@pytest.mark.on_postgres
def test_a_customer_that_is_invoiced_per_delivery_gets_its_invoice_when_its_goods_arrive(trade: Trade) -> None:
    order = _placed(trade, "per_delivery", 3, 3)
    (waiting,) = _waiting(trade, order)
    before = (_invoices(trade, order["order_id"]), order["invoices"])

    _deliver(trade, order["order_id"])

    invoice = _invoiced(trade, order["order_id"])
    (shipment,) = trade.shipments(order["order_id"])
    assert before == ([], [])
    assert (waiting["policy"], waiting["waiting_on"], waiting["invoice_on"]) == ("per_delivery", "delivery", None)
    assert invoice["invoiced_on"] == shipment["delivered_at"][:10]
    assert invoice["total"] == waiting["amount"]
    _settled(trade, order)
    trade.until_audit_is_clean()


@pytest.mark.on_postgres
def test_a_week_is_invoiced_once_it_is_over_also_after_a_downtime_and_by_the_order_as_it_stands_then(
    trade: Trade,
) -> None:
    order = _placed(trade, "weekly", 5, 3)
    (waiting,) = _waiting(trade, order)
    # the rest is given up while the first part waits: its freight and tax are shared by the order as it becomes
    change(trade, order, "customer", {"line_id": "1", "quantity": 3})
    changed = at_version(trade, order["order_id"], 2)
    none_yet = _invoices(trade, order["order_id"])

    trade.system.stop_service("billing")
    trade.system.billing_ahead = timedelta(days=8)
    trade.afterwards.callback(_on_time, trade)
    trade.system.start_service("billing")

    invoice = _invoiced(trade, order["order_id"])
    shipped_on = date.fromisoformat(waiting["shipped_on"])
    assert none_yet == []
    assert waiting["invoice_on"] == (shipped_on + timedelta(days=6 - shipped_on.weekday())).isoformat()
    assert (invoice["invoiced_on"], invoice["shipment_ids"]) == (waiting["invoice_on"], [waiting["shipment_id"]])
    # 99.99 + 10.00 freight + 8.25 tax, where the first part alone was estimated with 6.00 of the freight
    assert (waiting["amount"]["amount"], invoice["total"]["amount"]) == ("114.24", "118.24")
    assert changed["totals"]["total"]["amount"] == "118.24"
    _settled(trade, order)
    trade.until_audit_is_clean()


def _on_time(trade: Trade) -> None:
    trade.system.stop_service("billing")
    trade.system.billing_ahead = timedelta()
    trade.system.start_service("billing")


@pytest.mark.on_postgres
def test_accounting_invoices_by_hand_what_no_policy_does(trade: Trade) -> None:
    order = _placed(trade, "manual", 3, 2)
    accounting, body = trade.system.api("accounting"), {"order_id": order["number"]}

    seen = ok(accounting.post("/v1/invoices/preview", json=body))
    once = key()
    first = ok(accounting.post("/v1/invoices", json=body, headers=once))
    again = ok(accounting.post("/v1/invoices", json=body, headers=once))
    shipment_id = first["shipment_ids"][0]
    twice = accounting.post("/v1/invoices", json=body | {"shipments": [shipment_id]}, headers=key())

    assert first == again
    assert (seen["invoice"]["total"], seen["invoice"]["number"]) == (first["total"], "")
    assert (twice.status_code, twice.json()["code"]) == (409, "ALREADY_INVOICED")
    assert first["number"] in twice.json()["detail"]

    (line,) = order["lines"]
    trade.receive(trade.name("wh-w-manual"), line["sku"], 1, "20.00")
    trade.when_idle(order["order_id"])
    ship_all(trade, order["order_id"])
    trade.when_idle(order["order_id"])
    draft = ok(accounting.post("/v1/invoice-drafts", json=body, headers=key()))
    path = f"/v1/invoice-drafts/{draft['draft_id']}"
    ok(accounting.post(f"{path}/approval", headers=key()))
    posted = ok(accounting.post(f"{path}/posting", headers=key()))

    assert (draft["amount"], posted["state"]) == (posted["invoice"]["total"], "posted")
    assert [one["number"] for one in _invoices(trade, order["order_id"])] == [
        first["number"],
        posted["invoice"]["number"],
    ]
    _settled(trade, order)
    trade.until_audit_is_clean()
