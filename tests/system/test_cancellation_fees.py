"""Cancelling what is built to order costs what the policy says: invoiced on terms, kept from cash, booked once, waived by staff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, key, ok


@pytest.fixture
def rig(trade: Trade) -> Iterator[str]:
    """A product that is built to order, under a policy that asks 25 % before production and 100 % after it."""
    admin = trade.system.api("admin")
    ladder = {"not_started": 25, "started": 60, "finished": 100}
    ok(admin.patch("/v1/policies", json={"cancellation_fees": ladder}, headers=key()))
    yield trade.product("rig", "100.00", kind="build_to_order", cost="40.00")
    ok(admin.patch("/v1/policies", json={"cancellation_fees": dict.fromkeys(ladder, 0)}, headers=key()))


def _cancel(trade: Trade, order_id: str, role: str = "support", **body: Any) -> dict[str, Any]:
    """Preview, then cancel; what it comes to."""
    path, asked = f"/v1/orders/{order_id}/cancellation", {"reason": "the project is postponed", **body}
    seller = trade.system.api(role)
    preview = ok(seller.post(path, params={"preview": "true"}, json=asked, headers=key()))
    ok(seller.post(path, json=asked, headers=key()))
    order = trade.until(order_id, lambda one: one["cancellations"][-1]["state"] == "done", "the cancellation")
    assert order["cancellations"][-1]["consequences"] == preview["consequences"]
    trade.when_idle(order_id)
    return dict(preview["consequences"])


def _fees(trade: Trade, order_id: str) -> list[tuple[str, str]]:
    rows = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))["rows"]
    return [(row["total"]["amount"], row["status"]) for row in rows if row["fee_id"]]


def test_a_part_on_terms_is_invoiced_with_its_fee_and_the_rest_goes_on(trade: Trade, rig: str) -> None:
    customer = trade.customer()
    order_id = trade.placed(trade.order_body(customer, [{"sku": rig, "quantity": 10}]))["order_id"]
    trade.when_idle(order_id)
    before = trade.ledger()

    does = _cancel(trade, order_id, lines=[{"line_id": "1", "quantity": 4}])

    [line] = does["fee"]["lines"]
    assert (line["stage"], line["units"], line["percent"], line["amount"]["amount"]) == ("not_started", 4, 25, "100.00")
    assert (does["fee"]["due"]["amount"], does["total"]["amount"]) == ("100.00", "400.00")
    assert changes(before, trade.ledger()) == {"accounts_receivable": 10_000, "fee_income": -10_000}
    assert _fees(trade, order_id) == [("100.00", "open")]
    order = trade.order(order_id)
    assert (order["totals"]["total"]["amount"], order["lines"][0]["quantities"]["invoiced"]) == ("600.00", 0)
    trade.until_audit_is_clean()


def test_prepaid_cash_pays_the_fee_and_the_rest_is_refunded(trade: Trade, rig: str) -> None:
    customer = trade.customer(credit_limit="0.00")
    body = trade.order_body(customer, [{"sku": rig, "quantity": 10}], payment={"method": "prepaid"})
    placed = trade.placed(body)
    order_id = placed["order_id"]
    before = trade.ledger()
    paid = trade.pay(customer, "1000.00", orders=[(placed["number"], "1000.00")])
    trade.when_idle(order_id)

    does = _cancel(trade, order_id, lines=[{"line_id": "1", "quantity": 4}])
    back = {"amount": {"amount": "300.00", "currency": "USD"}, "reason": "units were canceled"}
    ok(trade.system.api("accounting").post(f"/v1/payments/{paid['payment_id']}/refund", json=back, headers=key()))

    assert does["refund"]["amount"] == "300.00"
    assert _fees(trade, order_id) == [("100.00", "paid")]
    assert changes(before, trade.ledger()) == {"cash": 70_000, "customer_deposits": -60_000, "fee_income": -10_000}
    trade.until_audit_is_clean()


def test_a_whole_order_is_charged_once_and_a_waived_fee_never(trade: Trade, rig: str) -> None:
    customer = trade.customer()
    charged, waived = (
        trade.placed(trade.order_body(customer, [{"sku": rig, "quantity": 2}]))["order_id"] for _ in range(2)
    )
    trade.until_idle(charged, waived)
    before = trade.ledger()

    whole = _cancel(trade, charged)
    without = _cancel(trade, waived, waive_fee="our delay")

    assert (whole["is_whole"], whole["fee"]["due"]["amount"]) == (True, "50.00")
    assert (without["fee"]["total"]["amount"], without["fee"]["due"]["amount"]) == ("50.00", "0.00")
    assert without["fee"]["waived_reason"] == "our delay"
    assert changes(before, trade.ledger()) == {"accounts_receivable": 5_000, "fee_income": -5_000}
    assert (_fees(trade, charged), _fees(trade, waived)) == ([("50.00", "open")], [])
    assert trade.order(charged)["status"] == "cancelled"
    trade.until_audit_is_clean()


def test_a_customer_reads_the_fee_and_does_not_waive_it(trade: Trade, rig: str) -> None:
    customer = trade.customer()
    order_id = trade.placed(trade.order_body(customer, [{"sku": rig, "quantity": 2}]))["order_id"]
    trade.when_idle(order_id)
    buyer = trade.system.api("customer", company=customer)
    path = f"/v1/orders/{order_id}/cancellation"

    shown = ok(buyer.post(path, params={"preview": "true"}, json={"reason": "no need"}, headers=key()))
    refused = buyer.post(path, json={"reason": "no need", "waive_fee": "please"}, headers=key())

    assert shown["consequences"]["fee"]["due"]["amount"] == "50.00"
    assert (refused.status_code, refused.json()["code"]) == (403, "FEE_NOT_WAIVED")
