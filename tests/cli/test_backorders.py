"""`oms backorders`."""

from __future__ import annotations

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

ROW = {
    "backorder_id": "bo_1", "position": 1, "sku": "PUMP", "order_number": "SO-1001", "customer_name": "ACME", "quantity": 3,
    "value": {"amount": "60.00", "currency": "USD"}, "reason": "class win, tier gold", "waiting_since": "2026-03-02T09:00:00.000Z",
    "expected_on": "2026-03-20",
}  # fmt: skip
FOUND = {
    "rows": [{"order_number": "SO-1001", "customer_name": "ACME", "line_id": "1", "waiting": 3, "quantity": 2, "expected_on": None,
              "then_expected_on": None}],
    "losses": [{"order_number": "SO-1002", "line_id": "1", "quantity": 1, "to_order_number": "SO-1001"}],
    "filled_quantity": 2, "left_quantity": 0, "still_waiting_quantity": 1, "is_open": True,
}  # fmt: skip
POLICY = {
    "tiers": [{"tier": "gold", "allocation_class": "win", "delivery": "line_complete", "is_manual": False}],
    "usual_class": "gain", "is_fair_share": False, "freeze_days": 14, "version": 3,
}  # fmt: skip


def test_who_waits_is_listed_in_turn_with_the_reason(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/backorders", ROW)

    answer = command("backorders", "list", "--sku", "PUMP", "--warehouse", "wh_1")

    assert all(word in answer.out for word in ("SO-1001", "60.00", "class win", "bo_1"))
    assert api.asked[-1].query["warehouse_id"] == "wh_1"


def test_what_if_says_who_would_get_goods_and_who_would_give_some_up(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/backorders/what-if", FOUND)
    api.on("POST /v1/backorders/what-if", {**FOUND, "rows": [], "losses": [], "is_open": False})

    answer, closed = [command("backorders", "what-if", "PUMP", "2", "--warehouse", "wh_1") for _ in range(2)]

    assert api.asked[0].body == {"sku": "PUMP", "quantity": 2, "warehouse_id": "wh_1"}
    assert all(word in answer.out for word in ("SO-1001", "SO-1002"))
    assert answer.out.endswith("2 units fill backorders, 0 are left over, 1 still wait\n")
    assert closed.out.startswith("wh_1 is closed: goods that arrive there fill nobody until it opens\n")


def test_a_backorder_is_released_and_an_order_expedited(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/backorders/bo_1/release", {"filled_quantity": 2, "waiting_quantity": 1})
    api.on("POST /v1/orders/SO-1001/expedite", {"is_expedited": True, "waiting_quantity": 3})

    released, hurried = command("backorders", "release", "bo_1"), command("backorders", "expedite", "SO-1001")
    undone = command("backorders", "expedite", "SO-1001", "--undo")

    assert released.out == "2 units filled, 1 wait in their turn\n"
    assert hurried.out == "SO-1001 is urgent: 3 units of it wait\n"
    assert undone.out == "SO-1001 is no longer urgent: 3 units of it wait\n"
    assert [one.body for one in api.asked[1:]] == [{"is_expedited": True}, {"is_expedited": False}]


def test_the_policy_is_shown_and_replaced_from_a_file(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/allocation-policy", POLICY)
    api.on("POST /v1/allocation-policy", POLICY)
    file = command.var.parent / "policy.json"
    file.write_text('{"freeze_days": 14}')

    shown, stored = command("backorders", "policy"), command("backorders", "policy", "--set", str(file))
    unread = command("backorders", "policy", "--set", str(file.with_name("none.json")))

    assert all(word in shown.out for word in ("gold", "win", "line_complete", "14 days", "version 3"))
    assert (stored.code, api.asked[-1].body) == (0, {"freeze_days": 14})
    assert unread.code != 0
    assert "cannot be read as JSON" in unread.err.replace("\n", " ")


@pytest.mark.parametrize("document", ["[" * 100_000 + "]" * 100_000, '{"freeze_days": NaN}'])
def test_a_policy_that_cannot_be_sent_is_no_document(command: Oms, api: FakeApi, document: str) -> None:
    file = command.var.parent / "policy.json"
    file.write_text(document)

    answers = [
        command("backorders", "policy", "--set", str(file)),
        command("policies", "replay", "--since", "2026-11-01", "--policy", str(file)),
    ]

    assert [(one.code, "is no JSON document" in " ".join(one.err.split())) for one in answers] == [(1, True), (1, True)]
    assert api.asked == []


def test_backorders_of_an_order_are_listed_by_its_number(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1"})
    api.page("GET /v1/backorders", ROW)

    answer = command("backorders", "list", "--order", "so-1001")

    assert (answer.code, api.asked[-1].query["order_id"]) == (0, "ord_1")
