"""A7: a warehouse that answers a recall with neither yes nor no is escalated, and its late answer decides; who canceled may withdraw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.system.harness import System
from tests.system.test_a7_cancel_at_every_stage import _answer, _begun, _cancel, _complete, _recalls, _refund, _settled
from tests.system.trade import Trade, eventually, key, ok


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


def _silent(trade: Trade, order_id: str, hours: int) -> dict[str, Any]:
    """The order after some more hours in which nobody has answered."""
    trade.system.skip(order_id, timedelta(hours=hours, seconds=30))
    return trade.when_idle(order_id)


def _open_exceptions(trade: Trade, order_id: str) -> list[tuple[str, str]]:
    found = ok(trade.system.api("support").get("/v1/exceptions", params={"order_id": order_id, "state": "open"}))
    return [(one["kind"], one["owner_role"]) for one in found["rows"]]


def test_a7_a_warehouse_that_does_not_answer_in_2_hours_is_escalated_and_its_late_yes_decides(trade: Trade) -> None:
    order_id, sku, warehouses, payment_id = _begun(trade)
    preview, _ = _cancel(trade, order_id)
    recalls = _recalls(trade, order_id, 2)
    _answer(trade, recalls[warehouses["picked"]], answer="acknowledge")
    asked = trade.when_idle(order_id)

    early = _silent(trade, order_id, 1)
    late = _silent(trade, order_id, 1)
    first = _open_exceptions(trade, order_id)
    _silent(trade, order_id, 2)
    last = _silent(trade, order_id, 2)
    both = _open_exceptions(trade, order_id)
    mails = eventually(lambda: _three(trade, order_id))
    _answer(trade, recalls[warehouses["released"]], answer="acknowledge")
    order = _settled(trade, order_id)
    left = _open_exceptions(trade, order_id)
    _refund(trade, payment_id, "750.00")
    complete = _complete(trade, order_id)

    waits = [one["waiting_for"] for one in (asked, early, late, last)]
    answer = "answer to the recall for a cancellation"
    assert [(one["who"], one["what"]) for one in waits] == [
        ("warehouse", answer),
        ("warehouse", answer),
        ("warehouse", f"overdue {answer}"),
        ("warehouse, support", f"overdue {answer}"),
    ]
    assert first == [("recall_unanswered", "warehouse")]
    assert both == [("recall_unanswered", "warehouse"), ("recall_escalated", "support")]
    assert mails == [*["Warehouse <warehouse@oms.example>"] * 3, "Support <support@oms.example>"]
    assert left == []
    assert order["cancellations"][0]["consequences"] == preview
    assert complete["status"] == "completed_with_cancellations"
    assert trade.stock(sku)[warehouses["released"]] == (10, 0)
    trade.until_audit_is_clean()


def _three(trade: Trade, order_id: str) -> list[str]:
    """Who read that the recall is not answered; support does once it is escalated to it."""
    number = trade.order(order_id)["number"]
    readers = [
        to for to, subject in trade.addressed_mails(number) if subject == f"Order {number}: please answer the recall"
    ]
    assert len(readers) == 4
    return readers


def test_a7_who_canceled_withdraws_and_cancels_again_and_nothing_is_doubled(trade: Trade) -> None:
    order_id, sku, warehouses, payment_id = _begun(trade)
    _cancel(trade, order_id)
    recalls = _recalls(trade, order_id, 2)
    _silent(trade, order_id, 2)
    path, api = f"/v1/orders/{order_id}/cancellation", trade.system.api("support")
    pressed = api.post(path, json={"reason": "once more"}, headers=key())
    _answer(trade, recalls[warehouses["released"]], answer="acknowledge")  # its units are put back
    [waiting] = trade.order(order_id)["cancellations"]

    withdrawal = f"/v1/orders/{order_id}/cancellations/{waiting['cancellation_id']}/withdrawal"
    same = key()
    done = ok(api.post(withdrawal, json={"note": "they need them after all"}, headers=same))
    again = ok(api.post(withdrawal, json={"note": "they need them after all"}, headers=same))
    none_left = _recalls_of(trade, order_id, 0)
    released = eventually(lambda: _released(trade, order_id, 3))
    _cancel(trade, order_id)
    for recall in _recalls(trade, order_id, 2).values():
        _answer(trade, recall, answer="acknowledge")
    order = _settled(trade, order_id)
    _refund(trade, payment_id, "750.00")
    complete = _complete(trade, order_id)

    assert (pressed.status_code, pressed.json()["code"]) == (409, "CANCELLATION_PENDING")
    assert (done["state"], again) == ("declined", done)
    assert (none_left, len(released)) == ([], 3)
    assert [one["state"] for one in order["cancellations"]] == ["declined", "done"]
    quantities = complete["lines"][0]["quantities"]
    assert (quantities["ordered"], quantities["cancelled"], quantities["delivered"]) == (40, 30, 10)
    assert {place: trade.stock(sku)[warehouses[place]] for place in ("picked", "released")} == {
        "picked": (10, 0),
        "released": (10, 0),
    }
    assert _open_exceptions(trade, order_id) == []
    trade.until_audit_is_clean()


def _recalls_of(trade: Trade, order_id: str, count: int) -> list[dict[str, Any]]:
    def claim() -> list[dict[str, Any]]:
        rows = ok(trade.system.api("warehouse").get("/v1/recalls", params={"order_id": order_id}))["rows"]
        assert len(rows) == count
        return list(rows)

    return eventually(claim)


def _released(trade: Trade, order_id: str, count: int) -> list[dict[str, Any]]:
    """Shipments that carry something, once what was given back is with its warehouse again."""
    found = [one for one in trade.shipments(order_id) if one["lines"] and one["state"] != "cancelled"]
    assert len(found) == count
    return found
