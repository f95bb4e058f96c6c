"""The twelve ways around segregation of duties, tried from outside: each is refused, logged, and leaves the order waiting."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.system.boardroom import OVER_5000, OVER_25000, Boardroom
from tests.system.trade import Trade, ok
from tests.temporal import temporal_binary
from workflows import names


@pytest.fixture
def room(trade: Trade) -> Boardroom:
    """A manager, a director, a rep who is a manager too, and a customer of that rep's."""
    room = Boardroom(trade)
    room.hire("director", roles=["approver"], positions=["finance_director"], limit="100000.00")
    room.hire("manager", roles=["approver"], positions=["manager"], limit="25000.00", manager="director")
    room.hire("rep", roles=["sales_rep", "approver"], positions=["manager"], limit="25000.00")
    room.hire("support", roles=["support", "approver"], positions=["manager"], limit="25000.00")
    room.hire("friend", roles=["approver"], positions=["manager"], limit="25000.00")
    room.policy()
    return room


def parked(room: Boardroom, *, by: str = "", quantity: int = 6, **customer: Any) -> str:
    """An order of so many thousands that waits for its review."""
    trade = room.trade
    customer_id = trade.customer(**({"sales_rep": room.sub("rep")} | customer))
    sku = trade.product("f", "1000.00", cost="700.00")
    body = trade.order_body(customer_id, [{"sku": sku, "quantity": quantity}])
    order_id: str = ok(room.place(by, body) if by else trade.place(body))["order_id"]
    trade.when_idle(order_id)
    return order_id


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a decision: what the API answers, whether the order's history names it, and whether the order waits as it did."""

    code: str
    is_logged: bool = True
    is_waiting: bool = True


def attempt(room: Boardroom, who: str, order_id: str, **more: Any) -> Attempt:
    """Somebody tries to approve, and is refused."""
    before = room.trade.order(order_id)
    answer = room.decide(who, order_id, "approve", **({"version": before["version"]} | more))
    assert answer.status_code in (403, 404, 409), answer.text
    events = ok(room.system.api("auditor").get(f"/v1/orders/{order_id}/history", params={"limit": 200}))["rows"]
    after = room.trade.when_idle(order_id)
    return Attempt(
        answer.json()["code"],
        any(event["what"] == "decision_refused" and event["who"] == room.sub(who) for event in events),
        (after["status"], after["axes"]["review"]) == (before["status"], before["axes"]["review"]),
    )


def test_way_1_the_creator(room: Boardroom) -> None:
    assert attempt(room, "rep", parked(room, by="rep")) == Attempt("OWN_ORDER")


def test_way_2_the_last_editor(room: Boardroom) -> None:
    order_id = parked(room)
    lines = [{"line_id": "1", "quantity": 7}]
    buyer = room.system.api("customer", room.trade.order(order_id)["customer_id"])
    change = ok(
        room.post("support", f"/v1/orders/{order_id}/changes", {"version": 1, "reason": "one more", "lines": lines})
    )
    ok(buyer.post(f"/v1/orders/{order_id}/changes/{change['change_id']}/consent", json={"answer": "accept"}))
    room.trade.until(order_id, lambda order: order["version"] == 2, "version 2")
    room.trade.when_idle(order_id)

    assert attempt(room, "support", order_id) == Attempt("OWN_ORDER")


def test_way_3_the_owning_sales_representative(room: Boardroom) -> None:
    assert attempt(room, "rep", parked(room)) == Attempt("OWN_ORDER")


def test_way_4_the_delegate_of_the_creator_and_of_the_representative(room: Boardroom) -> None:
    entered, owned = parked(room, by="rep"), parked(room)
    room.delegate("rep", "friend")

    assert attempt(room, "friend", entered) == Attempt("OWN_ORDER")
    assert attempt(room, "friend", owned) == Attempt("OWN_ORDER")


def test_way_5_the_second_tier_by_the_same_person(room: Boardroom) -> None:
    room.hire("both", roles=["approver"], positions=["manager", "finance_director"], limit="100000.00")
    order_id = parked(room, quantity=26)
    ok(room.decide("both", order_id, "approve", version=1))

    assert attempt(room, "both", order_id) == Attempt("DECIDED_BEFORE")


def test_way_6_an_order_split_under_the_limit(room: Boardroom) -> None:
    room.hire("small", roles=["approver"], positions=["manager"], limit="8000.00")
    trade = room.trade
    room.policy(OVER_5000, OVER_25000, window_hours=24)
    customer_id = trade.customer()
    sku = trade.product("f", "1000.00", cost="700.00")
    trade.placed(trade.order_body(customer_id, [{"sku": sku, "quantity": 6}]))
    second = trade.placed(trade.order_body(customer_id, [{"sku": sku, "quantity": 6}]))

    assert second["reviews"][0]["counts_as"]["amount"] == "12000.00"
    assert attempt(room, "small", second["order_id"]) == Attempt("OVER_LIMIT")


def test_way_7_a_limit_in_another_currency(room: Boardroom) -> None:
    room.hire("euro", roles=["approver"], positions=["manager"], limit="900000.00", currency="EUR")

    assert attempt(room, "euro", parked(room)) == Attempt("OVER_LIMIT")


def test_way_8_an_edit_after_the_approval(room: Boardroom) -> None:
    order_id = parked(room, quantity=26)
    ok(room.decide("manager", order_id, "approve", version=1))
    step_id = room.open_step(order_id)["step_id"]
    buyer = room.system.api("customer", room.trade.order(order_id)["customer_id"])
    more = {"version": 1, "reason": "we need more", "lines": [{"line_id": "1", "quantity": 40}]}
    ok(buyer.post(f"/v1/orders/{order_id}/changes", json=more))
    room.trade.until(order_id, lambda order: order["version"] == 2, "version 2")
    room.trade.when_idle(order_id)

    assert attempt(room, "director", order_id, version=1, step_id=step_id) == Attempt("VERSION_STALE")
    asked = [step["position"] for step in room.steps(order_id) if step["state"] in ("open", "waiting")]
    assert sorted(asked) == ["finance_director", "manager"]


@pytest.mark.parametrize("command", ["signal", "update"])
def test_ways_9_and_10_a_signal_or_an_update_by_the_temporal_command(room: Boardroom, command: str) -> None:
    order_id = parked(room)
    before = room.trade.order(order_id)
    forged: dict[str, list[str]] = {
        "signal": ["signal", "--name", names.HOLDS_RELEASED, "--input", json.dumps({"fact_id": "forged"})],
        "update": ["update", "execute", "--name", names.DECIDE, "--input", json.dumps({"subject_id": "dec_forged"})],
    }

    subprocess.run(
        [
            temporal_binary(),
            "workflow",
            *forged[command],
            "--workflow-id",
            room.system.workflow(order_id).id,
            "--address",
            room.system.temporal_target,
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )

    after = room.trade.when_idle(order_id)
    assert (after["status"], after["reviews"]) == (before["status"], before["reviews"])
    assert after["lines"][0]["quantities"]["allocated"] == 0


def test_way_11_a_field_that_no_form_has(room: Boardroom) -> None:
    order_id = parked(room, by="rep")
    body = {"step_id": room.open_step(order_id)["step_id"], "decision": "approve", "version": 1}

    answers = [
        room.post("rep", f"/v1/orders/{order_id}/decisions", body | hidden)
        for hidden in ({"decided_by": room.sub("manager")}, {"acting_for": room.sub("manager")}, {"limit": "1e9"})
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert room.trade.when_idle(order_id)["status"] == "in_review"


def test_way_12_an_expired_delegation(room: Boardroom) -> None:
    room.hire("deputy", roles=["approver"], positions=[])
    order_id = parked(room)
    room.delegate("manager", "deputy", valid_to=(room.system.now() + timedelta(minutes=1)).isoformat())
    room.system.pass_time(timedelta(minutes=1))

    assert attempt(room, "deputy", order_id) == Attempt("DELEGATION_NOT_IN_FORCE")
