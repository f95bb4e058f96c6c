"""What a role's own definition forbids, and every way around it: through the API, a case a row."""

from __future__ import annotations

from typing import Any

import pytest

from services.orders.store import masterdata
from services.runtime import roles
from tests.api.conftest import NOW, World

RULE = {"code": "NEVER", "when": "false", "severity": "WARN", "message": "Never."}
MANAGER = {"level": 1, "role": "approver", "position": "manager"}
DAYS = {"valid_from": "2026-12-01T00:00:00Z", "valid_to": "2026-12-08T00:00:00Z"}
LIMIT = [{"amount": "5000.00", "currency": "USD"}]
HELD: dict[str, Any] = {"positions": ["manager"], "limits": LIMIT}
MAX = {"sub": "max"}
OTHERS = (*sorted(roles.KNOWLEDGE_ROLES), "accounting", "admin", "auditor")


async def person(world: World, sub: str, *held: str, by: str = "root", **more: Any) -> Any:
    body = {"sub": sub, "name": sub.title(), "roles": list(held), **more}
    return await world.send("POST", "/v1/people", "admin", claims={"sub": by}, json=body)


async def policy(world: World, *tiers: dict[str, Any], rule: dict[str, Any] = RULE) -> Any:
    row = {"code": "OVER_1000", "when": "order.total > 1000.0", "message": "Over 1,000.", "tiers": list(tiers)}
    body = {"rules": [rule], "reviews": [row] if tiers else [], "deadlines": {"calendar": "always"}}
    return await world.send("POST", "/v1/policies", "admin", json=body)


async def reviewed(world: World) -> dict[str, Any]:
    """An order that the manager, Max, is asked about, as support reads it."""
    assert (await person(world, "max", "approver", **HELD)).status_code == 200
    assert (await policy(world, MANAGER)).status_code == 201
    world.validates()
    placed = (await world.place()).json()
    document: dict[str, Any] = (await world.send("GET", f"/v1/orders/{placed['number']}", "support")).json()
    return document


async def decide(world: World, order: dict[str, Any], role: str, sub: str) -> Any:
    step = order["reviews"][-1]["steps"][0]
    body = {"step_id": step["step_id"], "decision": "approve", "version": 1}
    path = f"/v1/orders/{order['order_id']}/decisions"
    return await world.send("POST", path, role, claims={"sub": sub}, json=body)


async def hand_over(world: World, to: str, *, by: str = "max", role: str = "approver", giver: str = "max") -> Any:
    body = {"from_sub": giver, "to_sub": to, **DAYS}
    return await world.send("POST", "/v1/delegations", role, claims={"sub": by}, json=body)


@pytest.mark.parametrize("by", ["max", "root"])
@pytest.mark.parametrize("role", OTHERS)
async def test_an_approvers_position_is_handed_to_no_other_role(world: World, role: str, by: str) -> None:
    order = await reviewed(world)
    await person(world, "eve", role)

    made = await hand_over(world, "eve", by=by, role="admin" if by == "root" else "approver")

    assert (made.status_code, made.json()["code"]) == (403, "DELEGATE_CANNOT_HOLD")
    assert (await decide(world, order, "approver", "eve")).status_code == 403


@pytest.mark.parametrize("role", OTHERS)
async def test_a_delegate_who_lost_the_role_decides_nothing_whatever_the_token_says(world: World, role: str) -> None:
    order = await reviewed(world)
    await person(world, "eve", "approver")
    assert (await hand_over(world, "eve")).status_code == 201
    await person(world, "eve", role)

    answers = [await decide(world, order, held, "eve") for held in ("approver", role)]

    assert [answer.status_code for answer in answers] == [403, 404 if role == "sales_rep" else 403]


@pytest.mark.parametrize("role", OTHERS)
async def test_a_delegate_does_not_decide_by_a_token_of_another_role(world: World, role: str) -> None:
    order = await reviewed(world)
    await person(world, "eve", "approver")
    await hand_over(world, "eve")

    assert (await decide(world, order, role, "eve")).status_code in (403, 404)
    assert (await decide(world, order, "approver", "eve")).status_code == 200


async def test_both_names_stay_in_the_decision_and_in_the_timeline(world: World) -> None:
    order = await reviewed(world)
    await person(world, "eve", "approver")
    await hand_over(world, "eve")

    decided = (await decide(world, order, "approver", "eve")).json()
    log = (await world.send("GET", f"/v1/orders/{order['order_id']}/history", "support")).json()["rows"]
    read = (await world.send("GET", f"/v1/orders/{order['order_id']}/history", "customer")).json()["rows"]

    decision = decided["reviews"][-1]["steps"][0]["decisions"][0]
    assert (decision["decided_by"], decision["acting_for"]) == ("eve", "max")
    assert [(row["who"], row["acting_for"]) for row in log if row["what"] == "step_approved"] == [("eve", "max")]
    assert {row["acting_for"] for row in read} == {""}


async def test_nobody_takes_anothers_decisions_for_themselves(world: World) -> None:
    await reviewed(world)
    await person(world, "root", "admin", "approver", by="other")

    made = await hand_over(world, "root", by="root", role="admin")

    assert (made.status_code, made.json()["code"]) == (403, "DELEGATION_TAKEN")


@pytest.mark.parametrize(
    "gained",
    [
        {"roles": ["admin", "approver"]},
        {"roles": ["admin", "accounting"]},
        {"roles": ["approver"], "positions": ["manager"]},
        {"roles": ["approver"], "limits": LIMIT},
    ],
)
async def test_an_administrator_gives_themselves_nothing_that_decides(world: World, gained: dict[str, Any]) -> None:
    assert (
        await person(world, "root", "approver" if gained["roles"] == ["approver"] else "admin", by="other")
    ).is_success

    refused = await world.send(
        "POST", "/v1/people", "admin", claims={"sub": "root"}, json={"sub": "root", "name": "Root", **gained}
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "OWN_AUTHORITY")


@pytest.mark.parametrize(
    "tier",
    [
        {"role": "admin"},
        {"role": "accounting"},
        {"role": "auditor"},
        *({"role": role, "limit": limit} for role in sorted(roles.KNOWLEDGE_ROLES) for limit in ("final", "always")),
    ],
)
async def test_a_policy_asks_nobody_but_approvers_about_amounts(world: World, tier: dict[str, Any]) -> None:
    refused = await policy(world, tier)

    assert (refused.status_code, refused.json()["code"]) in ((422, "POLICY_INVALID"), (422, "INVALID_REQUEST"))


@pytest.mark.parametrize("role", sorted(roles.KNOWLEDGE_ROLES))
async def test_sales_support_warehouse_and_plant_keep_the_steps_of_what_they_know(world: World, role: str) -> None:
    assert (await policy(world, {"role": role})).status_code == 201
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    order = (await world.send("GET", f"/v1/orders/{order_id}", "support")).json()

    decided = await decide(world, order, role, "sam" if role == "sales_rep" else "lee")

    assert (decided.status_code, decided.json()["phase"]) == (200, "accepted")


async def test_a_stored_policy_that_asked_accounting_or_an_administrator_asks_an_approver_now(world: World) -> None:
    rule = {**RULE, "when": "true", "severity": "HOLD", "hold_type": "price", "owner_role": "admin"}
    row = {
        "code": "OVER_1000",
        "when": "true",
        "message": "Over.",
        "tiers": [{"role": "admin"}, {"role": "accounting"}],
    }
    with world.database.transaction() as session:
        masterdata.add_policy(session, {"rules": [rule], "reviews": [row]}, "root", NOW)
    world.validates()
    order_id = (await world.place()).json()["order_id"]

    order = (await world.send("GET", f"/v1/orders/{order_id}", "support")).json()

    assert {hold["owner_role"] for hold in order["holds"]} == {"approver"}
    assert {step["role"] for step in order["reviews"][-1]["steps"]} == {"approver"}


async def test_no_rule_is_released_by_an_administrator(world: World) -> None:
    rule = {**RULE, "severity": "HOLD", "hold_type": "price", "owner_role": "admin"}

    assert (await policy(world, rule=rule)).status_code == 422


@pytest.mark.parametrize(
    ("sub", "directory", "code"),
    [
        ("sam", ("approver", "sales_rep"), "OWN_ORDER"),
        ("eve", ("support",), "NOT_HOLD_OWNER"),
        ("eve", ("admin",), "NOT_HOLD_OWNER"),
        ("eve", ("approver",), ""),
    ],
)
async def test_a_hold_of_approvers_is_released_by_an_approver_who_is_no_party(
    world: World, sub: str, directory: tuple[str, ...], code: str
) -> None:
    rule = {**RULE, "when": "true", "severity": "HOLD", "hold_type": "price", "owner_role": "approver"}
    await policy(world, rule=rule)
    await person(world, sub, *directory)
    world.validates()
    order_id = (await world.place("sales_rep", claims={"sub": "sam"})).json()["order_id"]
    hold = (await world.send("GET", f"/v1/orders/{order_id}", "support")).json()["holds"][0]

    path = f"/v1/orders/{order_id}/holds/{hold['hold_id']}/release"
    answer = await world.send("POST", path, "approver", claims={"sub": sub}, json={"note": "fine"})

    assert answer.json().get("code", "") == code
    assert answer.status_code == (403 if code else 200)
