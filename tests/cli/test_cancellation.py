"""An order, its lines and units are canceled from a terminal, and what follows is read before it is done."""

from __future__ import annotations

from typing import Any

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

ORDER: dict[str, Any] = {"order_id": "ord_1", "number": "SO-1001", "version": 3, "customer_id": "cus_acme"}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def line(**units: int) -> dict[str, Any]:
    stages = dict.fromkeys(("backordered", "allocated", "released", "picked", "packed"), 0)
    return {"line_id": "1", "sku": "PUMP", "cancelled": 30, "closed": 0, "left": 10, "kept": 0, **stages, **units}


CONSEQUENCES: dict[str, Any] = {
    "is_possible": True,
    "is_closing": False,
    "obstacles": [],
    "lines": [line(backordered=10, released=10, picked=10), {**line(), "line_id": "2", "cancelled": 0}],
    "stopped_shipments": ["SH-1003", "SH-1002"],
    "total": usd("750.00"),
    "total_after": usd("250.00"),
    "fee": None,
    "refund": usd("750.00"),
}


def test_lines_and_units_are_named_and_what_follows_is_shown(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("POST /v1/orders/ord_1/cancellation", {"state": "preview", "consequences": CONSEQUENCES})

    answer = command("orders", "cancel", "SO-1001", "--line", "1=6", "--line", "2", "--preview")

    assert answer.code == 0, answer.err
    sent = api.asked[-1]
    assert sent.body == {
        "version": 3,
        "reason": "preview",
        "lines": [{"line_id": "1", "quantity": 6}, {"line_id": "2"}],
    }
    assert sent.query == {"preview": "true"}
    assert "SO-1001: preview of the cancellation" in answer.out
    assert "Total 750.00 USD less: 250.00 USD" in answer.out
    assert "- the warehouse is asked for SH-1003, SH-1002, and may refuse" in answer.out
    assert "- 750.00 USD paid is free for the customer" in answer.out


def test_without_lines_all_that_has_not_shipped_goes_and_what_a_warehouse_keeps_is_told(
    command: Oms, api: FakeApi
) -> None:
    kept = {**CONSEQUENCES, "lines": [line(backordered=10, released=10, cancelled=20, kept=10, left=20)]}
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("POST /v1/orders/ord_1/cancellation", {"state": "done", "consequences": kept})

    answer = command("orders", "cancel", "SO-1001", "--reason", "project postponed")

    assert api.asked[-1].body == {"version": 3, "reason": "project postponed", "lines": []}
    assert "SO-1001: canceled" in answer.out
    assert "- line 1: the warehouse keeps 10, which are not canceled" in answer.out


def test_what_cannot_be_canceled_is_refused_with_every_reason(command: Oms, api: FakeApi) -> None:
    why = [{"code": "MORE_THAN_LEFT", "detail": "line 1: 2 units are left to cancel, not 3", "line_id": "1"}]
    refused = {**CONSEQUENCES, "is_possible": False, "obstacles": why}
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("POST /v1/orders/ord_1/cancellation", {"state": "preview", "consequences": refused})

    answer = command("orders", "cancel", "SO-1001", "--line", "1=3", "--preview")
    silent = command("orders", "cancel", "SO-1001")

    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "SO-1001 cannot be canceled: line 1: 2 units are left to cancel, not 3\n"
    assert (silent.code, silent.err) == (1, "say why with --reason\n")


def test_lines_are_closed_by_their_ids_and_what_follows_says_closed(command: Oms, api: FakeApi) -> None:
    closed = {**line(backordered=30), "cancelled": 0, "closed": 30, "kept": 2}
    api.on("GET /v1/orders/SO-1001", ORDER)
    does = {**CONSEQUENCES, "is_closing": True, "lines": [closed]}
    api.on("POST /v1/orders/ord_1/close", {"state": "done", "consequences": does})

    answer = command("orders", "close", "SO-1001", "--line", "2", "--reason", "discontinued")

    assert answer.code == 0, answer.err
    assert api.asked[-1].body == {"version": 3, "reason": "discontinued", "lines": [{"line_id": "2"}]}
    assert "SO-1001: closed" in answer.out
    assert "the warehouse keeps 2, which are not closed" in answer.out


def test_closing_needs_a_reason_and_exits_with_1_when_it_is_refused(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", ORDER)
    obstacle = {"code": "NOTHING_SHIPPED", "detail": "nothing of the order has shipped", "line_id": None}
    does = {**CONSEQUENCES, "is_closing": True, "is_possible": False, "obstacles": [obstacle]}
    api.on("POST /v1/orders/ord_1/close", {"state": "preview", "consequences": does})

    unsaid = command("orders", "close", "SO-1001")
    refused = command("orders", "close", "SO-1001", "--preview")

    assert (unsaid.code, "say why with --reason" in unsaid.err) == (1, True)
    assert (refused.code, "SO-1001 cannot be closed: nothing of the order has shipped" in refused.err) == (1, True)


def test_one_that_no_warehouse_has_answered_is_withdrawn(command: Oms, api: FakeApi) -> None:
    asked = [{"cancellation_id": "can_1", "state": "declined"}, {"cancellation_id": "can_2", "state": "requested"}]
    api.on("GET /v1/orders/SO-1001", {**ORDER, "cancellations": asked})
    api.on("POST /v1/orders/ord_1/cancellations/can_2/withdrawal", {"state": "declined"})

    answer = command("orders", "cancel", "SO-1001", "--withdraw", "--reason", "they keep it")

    assert answer.code == 0, answer.err
    assert api.asked[-1].body == {"note": "they keep it"}
    assert "SO-1001: the cancellation is withdrawn" in answer.out


def test_without_one_in_progress_there_is_nothing_to_withdraw(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {**ORDER, "cancellations": [{"cancellation_id": "can_1", "state": "done"}]})

    answer = command("orders", "cancel", "SO-1001", "--withdraw")

    assert (answer.code, "no cancellation of SO-1001 is in progress" in answer.err) == (1, True)


def test_a_fee_is_shown_and_waived_with_a_reason(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", ORDER)
    charged = {**CONSEQUENCES, "fee": {"total": usd("40.00"), "waived_reason": ""}}
    api.on("POST /v1/orders/ord_1/cancellation", {"state": "preview", "consequences": charged})
    waived = {**CONSEQUENCES, "fee": {"total": usd("40.00"), "waived_reason": "our delay"}}
    api.on("POST /v1/orders/ord_1/cancellation", {"state": "preview", "consequences": waived})

    shown = command("orders", "cancel", "SO-1001", "--preview")
    free = command("orders", "cancel", "SO-1001", "--preview", "--waive-fee", "our delay")

    assert "- a fee of 40.00 USD is charged for canceling" in shown.out
    assert "- a fee of 40.00 USD is waived: our delay" in free.out
    assert api.asked[-1].body["waive_fee"] == "our delay"
