"""A7: what has shipped is not canceled; stopped on its way it comes back as a return does, else it stays shipped."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.system.test_a2_partial_shipments import changes
from tests.system.test_a8_return import _back, _until
from tests.system.trade import Trade, eventually, key, ok


def _on_its_way(trade: Trade, carrier: str, invoicing: str = "") -> tuple[dict[str, Any], str, str, dict[str, Any]]:
    """10 at 25.00, cost 10.00, on terms: 4 have shipped and are invoiced, 6 wait; the order, its SKU and warehouse, and the shipment.

    With `invoicing`, its customer's policy, nothing is invoiced yet.
    """
    customer = trade.customer(f"cus-{invoicing}", invoicing=invoicing) if invoicing else trade.customer()
    sku = trade.product("p", "25.00", cost="10.00")
    warehouse = trade.warehouses({"w": 900})["w"]
    rate = {"warehouse_id": warehouse, "carrier": carrier, "zone": "south", "transit_days": 2}
    trade.rates([{**rate, "base": {"amount": "9.00", "currency": "USD"}}])
    trade.receive(warehouse, sku, 4, "10.00")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}]))
    trade.until(placed["order_id"], lambda order: bool(order["shipments"]), "the release")
    [shipment] = trade.shipments(placed["order_id"])
    sent = trade.send_off(shipment)
    if not invoicing:
        trade.until(placed["order_id"], lambda order: bool(order["invoices"]), "the invoice")
    return trade.when_idle(placed["order_id"]), sku, warehouse, sent


def _options(trade: Trade, order_id: str) -> list[tuple[str, int, list[str]]]:
    """What a preview of a cancellation says of what has shipped."""
    path, asked = f"/v1/orders/{order_id}/cancellation", {"reason": "the project is stopped"}
    found = ok(trade.system.api("support").post(path, params={"preview": "true"}, json=asked, headers=key()))
    return [(one["number"], one["units"], one["options"]) for one in found["shipped"]]


def _stop(trade: Trade, shipment: dict[str, Any], role: str = "support") -> httpx.Response:
    path = f"/v1/shipments/{shipment['shipment_id']}/intercept"
    return trade.system.api(role).post(path, json={"reason": "the project is stopped"}, headers=key())


def _has_exception(trade: Trade, order_id: str) -> None:
    found = ok(trade.system.api("support").get("/v1/exceptions", params={"order_id": order_id}))["rows"]
    assert [one["kind"] for one in found] == ["carrier_exception"]


@pytest.mark.on_postgres
def test_a7_a_parcel_that_is_stopped_comes_back_by_a_return_to_the_cent(trade: Trade) -> None:
    before = trade.ledger()
    order, sku, warehouse, sent = _on_its_way(trade, "roadrunner")
    order_id = order["order_id"]
    shown = _options(trade, order_id)
    ok(
        trade.system.api("support").post(
            f"/v1/orders/{order_id}/cancellation", json={"reason": "stopped"}, headers=key()
        )
    )
    trade.until(order_id, lambda one: one["cancellations"][-1]["state"] == "done", "the cancellation of the rest")

    first, again = ok(_stop(trade, sent)), ok(_stop(trade, sent))
    stopped = trade.until(order_id, lambda one: bool(one["returns"]), "the return")
    [rma] = stopped["returns"]
    expected = _until(trade, rma, lambda one: one["state"] == "authorized")
    trade.deliver(sent)  # its carrier tells of another parcel, or is wrong: support is told, and nothing changes
    eventually(lambda: _has_exception(trade, order_id))
    floor = trade.system.api("warehouse")
    receipt = {"warehouse_id": warehouse, "lines": [{"line_id": "1", "quantity": 4}]}
    counted = key()
    eventually(lambda: ok(floor.post(f"/v1/returns/{rma}/receive", json=receipt, headers=counted)))
    unit = {"line_id": "1", "quantity": 4, "grade": "A", "disposition": "restock", "responsible": "customer"}
    ok(floor.post(f"/v1/returns/{rma}/inspect", json={"warehouse_id": warehouse, "units": [unit]}, headers=key()))
    closed = _until(trade, rma, lambda one: bool(one["ended_at"]))
    done = trade.until(order_id, lambda one: one["phase"] == "closed", "the end of its workflow")

    assert shown == [(sent["number"], 4, ["intercept", "return"])]
    assert (first["interception"]["state"], again["interception"]) == ("intercepted", first["interception"])
    assert (expected["waits_for"], [line["reason"] for line in expected["lines"]]) == ("carrier", ["intercepted"])
    assert closed["inspections"][0]["credited"]["amount"] == "100.00"
    assert trade.stock(sku) == {warehouse: (4, 0)}
    quantities = done["lines"][0]["quantities"]
    assert (quantities["shipped"], quantities["delivered"], quantities["returned"]) == (4, 0, 4)
    assert (done["status"], bool(done["shipments"][0]["intercepted_at"])) == ("completed_with_cancellations", True)
    assert changes(before, trade.ledger()) == {
        "revenue": -10_000,
        "sales_returns": 10_000,
        "inventory": 4_000,
        "goods_received_not_invoiced": -4_000,
    }
    subject = f"A shipment of your order {order['number']} was stopped and comes back to us"
    assert trade.mails(order["number"]).count(subject) == 1
    trade.until_audit_is_clean()


def test_a7_a_parcel_whose_goods_wait_for_their_invoice_is_stopped_and_never_owed(trade: Trade) -> None:
    """Invoiced per delivery: what is stopped is never delivered, and what came back is credited as it is invoiced."""
    order, _, warehouse, sent = _on_its_way(trade, "roadrunner", "per_delivery")
    order_id, support = order["order_id"], trade.system.api("support")
    ok(support.post(f"/v1/orders/{order_id}/cancellation", json={"reason": "stopped"}, headers=key()))
    trade.until(order_id, lambda one: one["cancellations"][-1]["state"] == "done", "the cancellation of the rest")

    ok(_stop(trade, sent))
    stopped = trade.until(order_id, lambda one: bool(one["returns"]), "the return")
    _back(trade, stopped["returns"][0], warehouse, 4, (4, "A", "restock", "customer"), waits_for="carrier")
    done = trade.until(order_id, lambda one: one["phase"] == "closed", "the end of its workflow")

    [invoice] = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))["rows"]
    waiting = ok(trade.system.api("accounting").get("/v1/billable", params={"customer_id": order["customer_id"]}))
    assert stopped["invoices"] == []
    assert (invoice["total"]["amount"], invoice["open"]["amount"], invoice["status"]) == ("100.00", "0.00", "credited")
    assert waiting["rows"] == []
    assert done["lines"][0]["quantities"]["invoiced"] == 4
    trade.until_audit_is_clean()


def test_a7_a_carrier_that_refuses_leaves_it_shipped_and_a_return_is_possible(trade: Trade) -> None:
    order, _, warehouse, sent = _on_its_way(trade, "roadrunner-refuses")

    refused = ok(_stop(trade, sent))
    trade.deliver(sent)
    trade.until(order["order_id"], lambda one: one["shipments"][0]["state"] == "delivered", "the delivery")
    after = _stop(trade, sent)
    line = {"line_id": "1", "quantity": 4, "reason": "changed_mind"}
    body = {"order": order["number"], "lines": [line], "reason": "it came too late"}
    asked = ok(trade.system.api("customer", order["customer_id"]).post("/v1/returns", json=body, headers=key()))
    _back(trade, asked["number"], warehouse, 4, (4, "A", "restock", "customer"))

    assert refused["interception"]["state"] == "refused"
    assert ok(after)["interception"]["state"] == "refused"
    assert _options(trade, order["order_id"]) == [(sent["number"], 4, ["return"])]
    trade.until_audit_is_clean()


def test_a7_a_parcel_that_has_arrived_or_is_not_theirs_is_not_stopped(trade: Trade) -> None:
    order, _, _, sent = _on_its_way(trade, "roadrunner-late")
    warehouse_asks = _stop(trade, sent, "warehouse")
    late = ok(_stop(trade, sent))
    trade.deliver(sent)
    trade.until(order["order_id"], lambda one: one["shipments"][0]["state"] == "delivered", "the delivery")

    assert (warehouse_asks.status_code, late["interception"]["state"]) == (403, "too_late")
    assert trade.order(order["order_id"])["returns"] == []
    trade.until_audit_is_clean()
