"""A6, supply: a purchase order slips and comes; each is told once, and the ledger says what was promised and kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.system.trade import Trade, eventually, key, ok

SLIPPED = ("A later date for your order", "promised date slips")


def working_days_after(day: date, count: int) -> date:
    """The day that so many working days from Monday to Friday lead to."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def monday_in(trade: Trade, weeks: int) -> date:
    today = trade.system.now().date()
    return today + timedelta(days=7 * weeks - today.weekday())


def announce(trade: Trade, warehouse: str, sku: str, quantity: int, on: date, reference: str) -> dict[str, Any]:
    body = {
        "warehouse_id": warehouse, "sku": sku, "quantity": quantity, "expected_on": on.isoformat(), "reference": reference,
    }  # fmt: skip
    found: dict[str, Any] = ok(
        trade.system.api("warehouse").post("/v1/stock/expected-receipts", json=body, headers=key())
    )
    return found


def reschedule(trade: Trade, receipt: str, **wanted: Any) -> dict[str, Any]:
    path = f"/v1/stock/expected-receipts/{receipt}/change"
    found: dict[str, Any] = ok(trade.system.api("warehouse").post(path, json=wanted, headers=key()))
    return found


def promised(trade: Trade, order_id: str) -> list[tuple[int, str | None]]:
    [line] = trade.order(order_id)["lines"]
    return [(one["quantity"], one["promised_on"]) for one in line["promises"]]


def ledger(trade: Trade, order_id: str) -> list[tuple[Any, ...]]:
    """(Units, day, given by, outcome, moved to), the oldest first."""
    found = ok(trade.system.api("auditor").get("/v1/promises", params={"order_id": order_id}))["rows"]
    names = ("quantity", "promised_on", "given_by", "outcome", "moved_to")
    return [tuple(one[name] for name in names) for one in reversed(found)]


def slip_mails(trade: Trade, number: str) -> list[str]:
    sent = [(to, subject) for to, subject in trade.addressed_mails(number) if any(word in subject for word in SLIPPED)]
    return sorted(to for to, _ in sent)


@pytest.mark.on_postgres
def test_a6_supply_slips_and_comes_and_the_ledger_keeps_what_was_promised(trade: Trade) -> None:
    """Lead time 3: a day of handling, two on the way."""
    customer, sku = trade.customer(), trade.product("j", "10.00", cost="4.00")
    [warehouse] = trade.warehouses({"w": 900}).values()
    first, later, earlier = monday_in(trade, 3), monday_in(trade, 4), monday_in(trade, 2)
    reference = trade.name("PO")
    receipt = announce(trade, warehouse, sku, 10, first, reference)
    again = announce(trade, warehouse, sku, 10, first, reference)
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}]))
    order_id, number = order["order_id"], order["number"]
    trade.when_idle(order_id)
    day, slipped, sooner = (working_days_after(one, 3).isoformat() for one in (first, later, earlier))
    assert (receipt["is_known"], again) == (False, {**receipt, "is_known": True})
    assert promised(trade, order_id) == [(10, day)]

    moved = reschedule(
        trade, receipt["expected_receipt_id"], expected_on=later.isoformat(), reason="the vessel is late"
    )

    eventually(lambda: _is(promised(trade, order_id), [(10, slipped)]))
    assert moved["moved_order_count"] == 1
    sent = eventually(lambda: _count(slip_mails(trade, number), 3))
    assert len(set(sent)) == 3
    reschedule(trade, receipt["expected_receipt_id"], expected_on=earlier.isoformat())
    eventually(lambda: _is(promised(trade, order_id), [(10, sooner)]))

    body = {
        "warehouse_id": warehouse, "sku": sku, "quantity": 10, "unit_cost": "4.00", "currency": "USD",
        "expected_receipt_id": receipt["expected_receipt_id"],
    }  # fmt: skip
    ok(trade.system.api("warehouse").post("/v1/stock/receipts", json=body, headers=key()))
    trade.until_released(order_id)
    trade.when_idle(order_id)
    [shipment] = trade.shipments(order_id)
    trade.deliver(trade.send_off(shipment))
    trade.when_idle(order_id)

    shipped_for = shipment["promised_on"]
    expected = [
        (10, day, "acceptance", "moved", slipped),
        (10, slipped, "supply_change", "moved", sooner),
        (10, sooner, "supply_change", "moved", shipped_for),
        (10, shipped_for, "fill", "kept", None),
    ]
    eventually(lambda: _is(ledger(trade, order_id), expected))
    assert slip_mails(trade, number) == sent
    [left] = ok(
        trade.system.api("auditor").get("/v1/stock/expected-receipts", params={"reference": reference, "all": "true"})
    )["rows"]
    assert (left["quantity"], left["received_quantity"], left["remaining_quantity"]) == (10, 10, 0)
    assert [each["verb"] for each in left["changes"]] == ["received", "changed", "changed", "announced"]
    trade.until_audit_is_clean()


def _is(found: object, wanted: object) -> None:
    assert found == wanted


def _count(found: list[str], wanted: int) -> list[str]:
    assert len(found) == wanted
    return found
