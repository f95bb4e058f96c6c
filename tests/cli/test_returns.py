from __future__ import annotations

from typing import Any

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms, claims

ZERO = {"amount": "0.00", "currency": "USD"}
RETURN: dict[str, Any] = {
    "return_id": "rma_1", "number": "RMA-1001", "order_number": "SO-1001", "stage": "authorized", "waits_for": "customer",
    "lines": [{"line_id": "1", "sku": "PUMP", "quantity": 4, "received": 0, "inspected": 0, "reason": "changed_mind", "replace": None}],
    "replacements": [], "inspections": [], "credited": ZERO, "fees": ZERO, "halted": None, "requested_at": "2026-03-02T09:00:00.000Z",
}  # fmt: skip
INSPECTED = {
    **RETURN, "stage": "closed", "waits_for": None, "credited": {"amount": "264.00", "currency": "USD"},
    "fees": {"amount": "24.00", "currency": "USD"},
    "inspections": [{"credit_notes": ["CN-1001"], "credited_at": "2026-03-03T09:00:00.000Z", "units": [{"quantity": 2, "grade": "A", "disposition": "restock"}]}],
}  # fmt: skip


def test_a_return_is_requested_as_its_customer_and_said_whom_it_waits_for(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1", "number": "SO-1001", "customer_id": "cus_1"})
    api.on("POST /v1/returns", RETURN, 201)

    answer = command("returns", "request", "SO-1001", "--line", "1=4", "--role", "customer", "--note", "too many")

    asked = api.asked[-1]
    line = {"line_id": "1", "quantity": 4, "reason": "changed_mind"}
    assert asked.body == {"order": "SO-1001", "lines": [line], "reason": "too many"}
    assert claims(asked.headers["Authorization"])["company"] == "cus_1"
    assert answer.out == (
        "RMA-1001 of SO-1001: authorized\n- line 1, PUMP: 0 of 4 received, 0 inspected (changed mind)\nWaiting on customer\n"
    )


def test_goods_are_counted_and_inspected_in_the_role_of_the_warehouse(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/returns/RMA-1001/receive", RETURN)
    api.on("POST /v1/returns/RMA-1001/inspect", INSPECTED)

    command("returns", "receive", "RMA-1001", "--warehouse", "wh_1", "--line", "1=3")
    answer = command("returns", "inspect", "RMA-1001", "--warehouse", "wh_1", "--units", "1=2:A:restock")
    wrong = command("returns", "inspect", "RMA-1001", "--warehouse", "wh_1", "--units", "1=2:A:burn")

    received, inspected = (one.body for one in api.asked if one.method == "POST")
    assert received == {"warehouse_id": "wh_1", "lines": [{"line_id": "1", "quantity": 3}]}
    [units] = inspected["units"]
    assert (units["grade"], units["disposition"], units["responsible"]) == ("A", "restock", "customer")
    assert "inspected: 2 A to restock (CN-1001)" in answer.out
    assert "Credited 264.00 USD, of it kept as fees: 24.00 USD" in answer.out
    assert wrong.code == 1
    assert "one of restock, refurbish, quarantine, scrap, return_to_vendor" in wrong.err


def test_support_decides_and_accounting_refunds_once(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/returns/RMA-1001/authorize", RETURN)
    api.on("POST /v1/returns/RMA-1001/deny", {**RETURN, "stage": "denied", "waits_for": None})
    given = {"number": "RMA-1001", "refunded": {"amount": "240.00", "currency": "USD"}}
    api.on("POST /v1/returns/RMA-1001/refund", given)
    api.on("POST /v1/returns/RMA-1001/refund", {**given, "refunded": ZERO})

    command("returns", "authorize", "RMA-1001", "--fee", "10")
    denied = command("returns", "deny", "RMA-1001", "--note", "worn")
    refunds = [command("returns", "refund", "RMA-1001").out for _ in range(2)]

    assert [one.body for one in api.asked[:2]] == [{"note": "", "fee_percent": "10"}, {"note": "worn"}]
    assert denied.out.startswith("RMA-1001 of SO-1001: denied")
    assert refunds == ["RMA-1001: 240.00 USD goes back\n", "RMA-1001: nothing is left to refund\n"]


def test_returns_are_listed_with_whom_they_wait_for(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/returns", RETURN)
    api.on("GET /v1/returns/RMA-1001", {**RETURN, "halted": "A step was refused."})

    listed, shown = command("returns"), command("returns", "show", "RMA-1001")

    assert all(word in listed.out for word in ("RMA-1001", "SO-1001", "authorized", "customer"))
    assert "Repair it with `oms returns repair RMA-1001`" in " ".join(shown.out.split())


def test_what_nobody_inspects_is_said_as_what_it_is(command: Oms, api: FakeApi) -> None:
    units = [{"quantity": 1, "grade": "A", "disposition": word} for word in ("in_advance", "keep", "return_to_vendor")]
    found = {"credit_notes": ["CN-1001"], "credited_at": "2026-03-03T09:00:00.000Z", "units": units}
    api.on("GET /v1/returns/RMA-1001", {**RETURN, "inspections": [found]})

    said = command("returns", "show", "RMA-1001").out

    assert "inspected: 1 A credited in advance; 1 A kept by the customer; 1 A to return to vendor (CN-1001)" in said


def test_the_help_says_how_units_are_written(command: Oms) -> None:
    assert "1=2:C:scrap" in command("returns", "inspect", "--help").out
