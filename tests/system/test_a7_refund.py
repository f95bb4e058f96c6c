"""A7: a refund that the payment provider does not pay undoes no cancellation: it is owed, tried again, and paid once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from services.billing.domain.refunds import MOST_TRIES
from tests.billing.card_desk import VISA
from tests.system.test_a2_partial_shipments import changes
from tests.system.test_a7_cancel_at_every_stage import _answer, _cancel, _complete, _floor, _recalls, _settled
from tests.system.trade import Trade, eventually, key, ok


def _card_money(trade: Trade, customer: str) -> str:
    """A payment of 1,000.00 that was captured from a card."""
    sku, warehouse = trade.product("pump", "100.00", cost="60.00"), trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "60.00")
    paid_by = {"method": "card", "token": VISA}
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}], payment=paid_by))
    trade.until(placed["order_id"], lambda order: bool(order["shipments"]), "the release")
    trade.send_off(trade.shipments(placed["order_id"])[0])

    def captured() -> str:
        found = ok(trade.system.api("accounting").get("/v1/payments", params={"customer_id": customer}))["rows"]
        assert found
        return str(found[0]["payment_id"])

    return eventually(captured)


def _begun(trade: Trade) -> tuple[str, dict[str, str]]:
    """40 at 25.00, prepaid by 1,000.00 of a card: 10 shipped and billed, 10 picked, 10 released, 10 backordered."""
    customer = trade.customer(credit_limit="0.00")
    payment_id = _card_money(trade, customer)
    sku = trade.product("p", "25.00", cost="10.00")
    warehouses = trade.warehouses({"shipped": 900, "picked": 1000, "released": 1100})
    for warehouse_id in warehouses.values():
        trade.receive(warehouse_id, sku, 10, "10.00")
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 40}], payment={"method": "prepaid"}))
    order_id = str(placed["order_id"])
    part = {"order_id": order_id, "amount": {"amount": "1000.00", "currency": "USD"}}
    body = {"orders": [part], "reason": "it was meant for this order"}
    ok(trade.system.api("accounting").post(f"/v1/payments/{payment_id}/reapply", json=body, headers=key()))
    trade.until(order_id, lambda order: len(order["shipments"]) == 3, "the release")
    trade.when_idle(order_id)
    by_place = {shipment["warehouse_id"]: shipment for shipment in trade.shipments(order_id)}
    trade.send_off(by_place[warehouses["shipped"]])
    _floor(trade, by_place[warehouses["picked"]], "pick")
    trade.when_idle(order_id)
    return order_id, warehouses


@contextmanager
def _provider_down(trade: Trade) -> Iterator[None]:
    switches = trade.system.stripe.switches
    switches.turn("away", 1_000_000)
    try:
        yield
    finally:
        switches.turn("", 0)


def _owed(trade: Trade, order_id: str) -> dict[str, Any]:
    [found] = ok(trade.system.api("accounting").get("/v1/refunds", params={"order_id": order_id}))["rows"]
    return dict(found)


@pytest.mark.on_postgres
def test_a7_the_provider_is_down_the_cancellation_stands_and_the_refund_is_paid_once(trade: Trade) -> None:
    order_id, warehouses = _begun(trade)
    before = trade.ledger()
    refunds = len(trade.system.stripe.state.all("refund"))

    with _provider_down(trade):
        preview, _ = _cancel(trade, order_id)
        recalls = _recalls(trade, order_id, 2)
        for place in ("picked", "released"):
            _answer(trade, recalls[warehouses[place]], answer="acknowledge")
        order = _settled(trade, order_id)
        owed, between = _owed(trade, order_id), trade.ledger()
        under_way = trade.system.api("accounting").post(
            f"/v1/refunds/{owed['refund_id']}/payment", json={"reference": "WIRE-9"}, headers=key()
        )
        trade.until_audit_is_clean()
    retry = f"/v1/refunds/{owed['refund_id']}/retry"
    again = trade.system.api("accounting").post(retry, headers=key())

    def paid() -> dict[str, Any]:
        found = _owed(trade, order_id)
        assert found["state"] == "paid"
        return found

    eventually(paid)
    late = trade.system.api("accounting").post(retry, headers=key())
    complete = _complete(trade, order_id)
    events = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/history", params={"limit": 200}))["rows"]

    assert preview["refund"]["amount"] == "750.00"
    assert order["cancellations"][0]["state"] == "done"
    assert (owed["state"], owed["amount"]["amount"]) == ("open", "750.00")
    assert changes(before, between)["refunds_payable"] == -75_000
    assert changes(before, between)["customer_deposits"] == 75_000
    assert (under_way.status_code, under_way.json()["code"]) == (409, "REFUND_UNDER_WAY")
    assert again.is_success or again.json()["code"] == "REFUND_SETTLED"  # billing may have asked by itself before
    assert (late.status_code, late.json()["code"]) == (409, "REFUND_SETTLED")
    assert [one["amount"] for one in trade.system.stripe.state.all("refund")[: -refunds or None]] == [75_000]
    after = changes(before, trade.ledger())
    assert (after["cash"], after.get("refunds_payable", 0)) == (-75_000, 0)
    assert complete["status"] == "completed_with_cancellations"
    assert [one["why"] for one in events if one["what"] == "owed_refund"][-1] == "750.00 USD is paid"
    trade.until_audit_is_clean()


def test_a7_what_the_provider_refuses_is_paid_another_way_by_accounting(trade: Trade) -> None:
    """The card's bank takes nothing back any more: after the tries it is an exception, and a transfer pays it."""
    order_id, warehouses = _begun(trade)
    trade.system.stripe.refused_paths.add("POST /v1/refunds")
    accounting = trade.system.api("accounting")
    try:
        _cancel(trade, order_id)
        recalls = _recalls(trade, order_id, 2)
        for place in ("picked", "released"):
            _answer(trade, recalls[warehouses[place]], answer="acknowledge")
        order = _settled(trade, order_id)
        refund_id = _owed(trade, order_id)["refund_id"]
        failed = 0
        while (failed := eventually(partial(_failed_again, trade, order_id, failed))) < MOST_TRIES:
            ok(accounting.post(f"/v1/refunds/{refund_id}/retry", headers=key()))
        refused = eventually(lambda: _exceptions(trade, order_id, 1))
        paid = ok(accounting.post(f"/v1/refunds/{refund_id}/payment", json={"reference": "WIRE-9"}, headers=key()))
        eventually(lambda: _exceptions(trade, order_id, 0))
    finally:
        trade.system.stripe.refused_paths.clear()

    assert order["cancellations"][0]["state"] == "done"
    assert [one["owner_role"] for one in refused] == ["accounting"]
    assert (paid["state"], paid["reference"], paid["failed_count"]) == ("paid_otherwise", "WIRE-9", 5)
    trade.until_audit_is_clean()


def _failed_again(trade: Trade, order_id: str, before: int) -> int:
    """How often the provider has refused it, once that is more often than before; billing tries by itself, too."""
    failed = int(_owed(trade, order_id)["failed_count"])
    assert failed > before
    return failed


def _exceptions(trade: Trade, order_id: str, count: int) -> list[dict[str, Any]]:
    wanted = {"order_id": order_id, "state": "open", "kind": "refund_unpaid"}
    rows = ok(trade.system.api("support").get("/v1/exceptions", params=wanted))["rows"]
    assert len(rows) == count
    return list(rows)
