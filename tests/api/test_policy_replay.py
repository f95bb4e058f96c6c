"""Policies tried on orders of the past over HTTP: what differs, whole bodies and parts of them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from oms.inventory.v1 import inventory_pb2 as inventory
from services.kernel.clock import micros
from tests.api.conftest import NOW, World

RULE = {
    "code": "LARGE", "when": "order.total_minor > 0", "severity": "HOLD", "hold_type": "review", "owner_role": "support",
    "message": "The order is over nothing.",
}  # fmt: skip
SINCE = "2020-01-01T00:00:00Z"
PERIOD = {"since": SINCE, "until": "2040-01-01T00:00:00Z"}
POLICIES, SOURCING = "/v1/policies/replay", "/v1/sourcing-policy/replay"


async def test_an_order_that_would_be_held_is_listed_with_what_holds_it(world: World) -> None:
    world.validates()
    placed = (await world.place()).json()

    answer = await world.send("POST", POLICIES, "auditor", json={**PERIOD, "policy": {"rules": [RULE]}})

    found = answer.json()
    [row] = found["rows"]
    assert (found["replayed"], found["next_cursor"], row["number"]) == (1, None, placed["number"])
    assert (row["before"]["outcome"], row["after"]["outcome"], row["after"]["reasons"]) == (
        "cleared",
        "held",
        ["LARGE"],
    )
    stands = (await world.send("GET", "/v1/policies", "auditor")).json()["rows"]
    assert [one["version"] for one in stands] == [0]


async def test_what_the_policy_is_not_said_to_change_stays(world: World) -> None:
    world.validates()
    await world.place()

    answer = await world.send("POST", POLICIES, "auditor", json={**PERIOD, "policy": {"window_hours": 48}})

    assert (answer.json()["rows"], answer.json()["replayed"]) == ([], 1)


async def test_plans_that_differ_are_listed_and_all_are_summed(world: World) -> None:
    placed = (await world.place()).json()
    before = inventory.PlanOutcome(quantity=14, warehouse_ids=["w1", "w3"], paid_minor=1700, promised_on="2026-12-04")
    after = inventory.PlanOutcome(quantity=14, warehouse_ids=["w2"], paid_minor=1900, promised_on="2026-12-05")
    one = inventory.ReplayedPlan(
        plan_id="src_1", order_id=placed["order_id"], planned_at_micros=micros(NOW), currency="USD", wanted_quantity=14,
        before=before, after=after,
    )  # fmt: skip
    same = inventory.ReplayedPlan(plan_id="src_2", order_id="ord_x", currency="USD", before=before, after=before)
    world.inventory.policy.late_day_minor = 40
    world.inventory.replayed = inventory.ReplaySourcingResponse(
        plans=[one, same], not_kept_count=3, next_cursor="7.src_2"
    )

    answer = (
        await world.send("POST", SOURCING, "auditor", json={"since": SINCE, "policy": {"split_penalty_minor": 500}})
    ).json()
    await world.send(
        "POST", f"{SOURCING}?cursor={answer['next_cursor']}", "auditor", json={"since": SINCE, "policy": {}}
    )

    [row] = answer["rows"]
    assert (row["order_number"], row["before"]["warehouse_ids"], row["after"]["warehouse_ids"]) == (
        placed["number"], ["w1", "w3"], ["w2"],
    )  # fmt: skip
    assert answer["totals"] == [
        {
            "plans": 2, "paid_before": {"amount": "34.00", "currency": "USD"}, "paid_after": {"amount": "36.00", "currency": "USD"},
            "shipments_before": 4, "shipments_after": 3, "later": 1, "sooner": 0,
        }
    ]  # fmt: skip
    assert (answer["replayed"], answer["not_kept"]) == (2, 3)
    first, second = world.inventory.tried
    assert (first.policy.split_penalty_minor, first.policy.late_day_minor, first.cursor) == (500, 40, "")
    assert second.cursor == "7.src_2"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (POLICIES, {"policy": {}}, "INVALID_REQUEST"),
    (POLICIES, {"since": "yesterday", "policy": {}}, "INVALID_REQUEST"),
    (POLICIES, {"since": SINCE, "until": SINCE, "policy": {}}, "PERIOD_INVALID"),
    (SOURCING, {"since": SINCE, "until": SINCE, "policy": {}}, "PERIOD_INVALID"),
    (POLICIES, {"since": SINCE, "policy": {"rules": []}}, "INVALID_REQUEST"),
    (POLICIES, {"since": SINCE, "policy": {"rules": [{**RULE, "when": "order.nothing > 1"}]}}, "POLICY_INVALID"),
    (SOURCING, {"since": SINCE, "policy": {"maximum_splits": -1}}, "INVALID_REQUEST"),
]


@pytest.mark.parametrize(("path", "body", "code"), REFUSED)
async def test_what_cannot_be_tried_is_refused(world: World, path: str, body: dict[str, Any], code: str) -> None:
    answer = await world.send("POST", path, "admin", json=body)

    assert (answer.status_code, answer.json()["code"]) in ((422, code), (400, code))


@pytest.mark.parametrize("role", ["customer", "channel", "warehouse", "sales_rep", "support"])
async def test_who_decides_no_policy_tries_none(world: World, role: str) -> None:
    for path in (POLICIES, SOURCING):
        assert (await world.send("POST", path, role, json={"since": SINCE, "policy": {}})).status_code == 403


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    from gateway.http.plumbing.paging import sealed

    for cursor in ("x", sealed("policy replay", "soon"), sealed("policy replay", "9" * 30)):
        answer = await world.send("POST", f"{POLICIES}?cursor={cursor}", "admin", json={"since": SINCE, "policy": {}})
        assert (answer.status_code, answer.json()["code"]) == (422, "CURSOR_INVALID")
