from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

RULE = {"code": "NEVER", "when": "false", "severity": "WARN", "message": "Never."}
MANAGER = {"level": 1, "role": "approver", "position": "manager"}
PURCHASE = {"level": 1, "role": "customer", "position": "purchase_manager"}
MATRIX: dict[str, Any] = {
    "rules": [RULE],
    "reviews": [
        {"code": "OVER_1000", "when": "order.cumulative > 1000.0", "message": "Over 1,000.", "tiers": [MANAGER]},
        {"code": "BUYER", "when": "true", "message": "Ask the buyer.", "chain": "buyer", "tiers": [PURCHASE]},
    ],
    "calendars": {"plant": {"country": "US", "subdivision": "TX", "holidays": ["2026-12-24"]}},
    "deadlines": {"calendar": "always", "on_expiry": "reject"},
}
USD_5000 = {"amount": "5000.00", "currency": "USD"}
PEOPLE: list[dict[str, Any]] = [
    {"sub": "max", "name": "Max", "roles": ["approver"], "positions": ["manager"], "limits": [USD_5000]},
    {"sub": "dan", "name": "Dan", "roles": ["approver"]},
    {
        "sub": "peg",
        "name": "Peg",
        "roles": ["customer"],
        "positions": ["purchase_manager"],
        "company": "cus_acme",
        "limits": [USD_5000],
    },
]
MAX, DAN, PEG = {"sub": "max"}, {"sub": "dan"}, {"sub": "peg"}


async def _reviewed(world: World) -> dict[str, Any]:
    """An order that the company's manager and the buyer's own are asked about, as support reads it."""
    for person in PEOPLE:
        assert (await world.send("POST", "/v1/people", "admin", json=person)).status_code == 200
    assert (await world.send("POST", "/v1/policies", "admin", json=MATRIX)).status_code == 201
    world.validates()
    placed = (await world.place()).json()
    document: dict[str, Any] = (await world.send("GET", f"/v1/orders/{placed['number']}", "support")).json()
    return document


def _step(order: dict[str, Any], position: str) -> dict[str, Any]:
    return next(step for step in order["reviews"][-1]["steps"] if step["position"] == position)


async def _decide(
    world: World, order: dict[str, Any], position: str, role: str, claims: dict[str, str], **more: Any
) -> Any:
    body = {"step_id": _step(order, position)["step_id"], "decision": "approve", "version": 1, **more}
    return await world.send("POST", f"/v1/orders/{order['order_id']}/decisions", role, claims=claims, json=body)


async def test_both_chains_approve_and_the_workflow_looks(world: World) -> None:
    order = await _reviewed(world)
    assert (order["status"], order["waiting_for"]["who"]) == ("in_review", "approver, customer")
    assert order["waiting_for"]["due"] == "2026-12-06T09:00:00.000Z"

    first = await _decide(world, order, "manager", "approver", MAX)
    second = await _decide(world, order, "purchase_manager", "customer", PEG)

    assert (first.status_code, first.json()["phase"]) == (200, "in_review")
    assert (second.status_code, second.json()["phase"]) == (200, "accepted")
    assert [(update, number) for number, update, _ in world.workflows.refreshed] == [("decide", order["number"])] * 2


async def test_a_decision_repeated_under_its_key_is_one_decision(world: World) -> None:
    order = await _reviewed(world)
    path = f"/v1/orders/{order['number']}/decisions"
    body = {"step_id": _step(order, "manager")["step_id"], "decision": "approve", "version": 1}

    answers = [await world.send("POST", path, "approver", claims=MAX, key="d", json=body) for _ in range(2)]
    other = await world.send("POST", path, "approver", claims=MAX, json=body)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (other.status_code, other.json()["code"]) == (409, "STEP_NOT_OPEN")
    assert "Max approved it" in other.json()["detail"]


async def test_a_decision_stands_while_temporal_is_away(world: World) -> None:
    order = await _reviewed(world)
    world.workflows.is_away = True

    answer = await _decide(world, order, "manager", "approver", MAX)

    assert answer.status_code == 200
    assert _step(answer.json(), "manager")["state"] == "approved"


@pytest.mark.parametrize(
    ("role", "claims", "changes", "status", "code"),
    [
        ("approver", {"sub": "mallory"}, {}, 403, "NOT_ASKED"),
        ("admin", {"sub": "root"}, {}, 403, "NOT_ASKED"),
        ("customer", PEG, {}, 403, "NOT_ASKED"),
        ("customer", {"sub": "rob", "company": "cus_rival"}, {}, 404, "ORDER_UNKNOWN"),
        ("sales_rep", {"sub": "sue"}, {}, 404, "ORDER_UNKNOWN"),
        ("auditor", {"sub": "aud"}, {}, 403, "ROLE_NOT_ALLOWED"),
        ("approver", MAX, {"version": 2}, 409, "VERSION_STALE"),
        ("approver", MAX, {"decision": "reject"}, 422, "NOTE_MISSING"),
        ("approver", MAX, {"acting_for": "fay"}, 422, "INVALID_REQUEST"),
        ("approver", MAX, {"decided_by": "fay"}, 422, "INVALID_REQUEST"),
        ("approver", MAX, {"ready_on": "2026-12-24"}, 422, "READY_DAY_NOT_ASKED"),
        ("approver", MAX, {"version": "1"}, 422, "INVALID_REQUEST"),
    ],
)
async def test_a_decision_by_the_wrong_person_or_with_a_hidden_member_is_refused(
    world: World, role: str, claims: dict[str, str], changes: dict[str, Any], status: int, code: str
) -> None:
    order = await _reviewed(world)

    answer = await _decide(world, order, "manager", role, claims, **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.workflows.refreshed == []
    now = (await world.send("GET", f"/v1/orders/{order['order_id']}", "support")).json()
    assert (now["phase"], now["reviews"]) == ("in_review", order["reviews"])


async def test_each_sees_what_waits_and_why_it_is_not_theirs(world: World) -> None:
    order = await _reviewed(world)

    async def rows(role: str, claims: dict[str, str], which: str) -> list[tuple[str, bool, str]]:
        answer = await world.send("GET", "/v1/reviews", role, claims=claims, params={"for": which})
        return [(row["asks"], row["may_decide"], row["why_not"][:13]) for row in answer.json()["rows"]]

    assert await rows("approver", MAX, "me") == [("manager approval", True, "")]
    assert await rows("approver", DAN, "me") == []
    assert ("manager approval", False, "this step ask") in await rows("approver", DAN, "all")
    assert await rows("customer", PEG, "all") == [("purchase manager approval", True, "")]
    assert await rows("customer", {"sub": "rob", "company": "cus_rival"}, "all") == []
    step_id = _step(order, "manager")["step_id"]
    detail = await world.send("GET", f"/v1/reviews/{step_id}", "approver", claims=MAX)
    assert detail.json()["waiting"]["who"] == ["Max"]
    assert (await world.send("GET", f"/v1/reviews/{step_id}", "customer", claims=PEG)).status_code == 404


async def test_a_customer_reads_its_own_chain_without_our_reasons_and_the_plant_no_amounts(world: World) -> None:
    order = await _reviewed(world)

    shown = (await world.send("GET", f"/v1/orders/{order['order_id']}", "customer")).json()
    warehouse = (await world.send("GET", "/v1/reviews", "manufacturing", params={"for": "all"})).json()

    assert [(step["chain"], step["reasons"]) for step in shown["reviews"][0]["steps"]] == [("buyer", [])]
    assert shown["reviews"][0]["counts_as"] is None
    assert "OVER_1000" not in str(shown)
    assert {row["total"] for row in warehouse["rows"]} == {None}


async def test_delegations_are_made_listed_and_taken_back(world: World) -> None:
    order = await _reviewed(world)
    days = {"valid_from": "2026-12-01T00:00:00Z", "valid_to": "2026-12-08T00:00:00Z"}
    wanted = {"to_sub": "dan", **days, "maximum": {"amount": "4000.00", "currency": "USD"}, "note": "away"}

    made = await world.send("POST", "/v1/delegations", "approver", claims=MAX, json=wanted)
    stolen = await world.send("POST", "/v1/delegations", "approver", claims=DAN, json={**wanted, "from_sub": "max"})
    listed = (await world.send("GET", "/v1/delegations", "approver", claims=DAN)).json()["rows"]
    others = (await world.send("GET", "/v1/delegations", "support", claims={"sub": "pat"})).json()["rows"]
    approved = await _decide(world, order, "manager", "approver", DAN)
    path = f"/v1/delegations/{made.json()['delegation_id']}/revoke"
    foreign = await world.send("POST", path, "approver", claims=DAN)
    revoked = await world.send("POST", path, "approver", claims=MAX)

    assert (made.status_code, made.json()["from_sub"]) == (201, "max")
    assert (stolen.status_code, stolen.json()["code"]) == (403, "NOT_YOUR_DECISIONS")
    assert [row["delegation_id"] for row in listed] == [made.json()["delegation_id"]]
    assert others == []
    decision = _step(approved.json(), "manager")["decisions"][0]
    assert (decision["decided_by"], decision["acting_for"]) == ("dan", "max")
    assert foreign.status_code == 404
    assert revoked.json()["revoked_at"] is not None


async def test_the_policy_shows_its_matrix_with_what_was_left_out(world: World) -> None:
    await _reviewed(world)

    newest = (await world.send("GET", "/v1/policies", "support")).json()["rows"][0]

    assert newest["reviews"][0]["tiers"] == [{**MANAGER, "mode": "any", "count": 1, "limit": "final"}]
    assert (newest["deadlines"]["escalate_after_hours"], newest["deadlines"]["on_expiry"]) == (24, "reject")
    assert newest["consent"] == {"when": "", "expires_after_hours": 48, "on_expiry": "review"}
    assert newest["changes"] == {"hold_release_hours": 24, "recall_answer_hours": 2}
    assert [calendar["name"] for calendar in newest["calendars"]] == ["business", "plant"]
    assert newest["window_hours"] == 24


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"reviews": [{**MATRIX["reviews"][0], "when": "order.("}]}, "OVER_1000"),
        ({"reviews": [{**MATRIX["reviews"][0], "tiers": [{"role": "customer"}]}]}, "OVER_1000"),
        ({"deadlines": {"calendar": "moon"}}, "moon"),
        ({"calendars": {"plant": {"country": "XX"}}}, "plant"),
        ({"consent": {"when": "1 +"}}, "consent"),
    ],
)
async def test_a_policy_that_is_not_sound_is_refused_with_its_place(
    world: World, members: dict[str, Any], place: str
) -> None:
    answer = await world.send("POST", "/v1/policies", "admin", json={"rules": [RULE], **members})

    assert (answer.status_code, answer.json()["code"]) == (422, "POLICY_INVALID")
    assert place in answer.json()["detail"]


async def test_who_is_no_longer_active_decides_nothing(world: World) -> None:
    order = await _reviewed(world)
    await world.send("POST", "/v1/people", "admin", json={**PEOPLE[0], "is_active": False})

    answer = await _decide(world, order, "manager", "approver", MAX)

    assert (answer.status_code, answer.json()["code"]) == (403, "PERSON_INACTIVE")
    history = (await world.send("GET", f"/v1/orders/{order['order_id']}/history", "auditor")).json()["rows"]
    assert (history[-1]["what"], history[-1]["who"]) == ("decision_refused", "max")
