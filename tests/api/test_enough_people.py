"""Through the API: a policy that nobody could finish is warned of, and people who come or go are seen at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World
from tests.api.test_reviews import MATRIX, PEOPLE, RULE

DIRECTORS = {"level": 1, "role": "approver", "position": "director", "mode": "n_of", "count": 2}
USD_90000 = {"amount": "90000.00", "currency": "USD"}
FAY = {"sub": "fay", "name": "Fay", "roles": ["approver"], "positions": ["director"], "limits": [USD_90000]}
GIL = {**FAY, "sub": "gil", "name": "Gil"}
TWO = {**MATRIX, "reviews": [{"code": "TWO", "when": "true", "message": "Two of them.", "tiers": [DIRECTORS]}]}


async def _enter(world: World, *persons: dict[str, Any]) -> None:
    for person in persons:
        assert (await world.send("POST", "/v1/people", "admin", json=person)).status_code == 200


async def _missing(world: World) -> list[str]:
    rows = (await world.send("GET", "/v1/exceptions?kind=review_short_of_people&state=open", "admin")).json()["rows"]
    return [row["reason"] for row in rows]


@pytest.mark.parametrize(
    ("people", "warnings"),
    [([FAY], ["TWO: 2 of director needed, 1 can act: Fay"]), ([FAY, GIL], [])],
)
async def test_storing_a_policy_that_nobody_could_finish_warns_of_its_row(
    world: World, people: list[dict[str, Any]], warnings: list[str]
) -> None:
    await _enter(world, *people)

    stored = await world.send("POST", "/v1/policies", "admin", json=TWO)

    assert (stored.status_code, stored.json()["warnings"]) == (201, warnings)


async def test_who_comes_and_who_goes_is_seen_by_the_reviews_that_are_open(world: World) -> None:
    await _enter(world, FAY)
    await world.send("POST", "/v1/policies", "admin", json=TWO)
    world.validates()
    await world.place()
    at_first = await _missing(world)

    await _enter(world, GIL)
    with_two = await _missing(world)
    await _enter(world, {**GIL, "is_active": False})

    sentence = "This review cannot be finished: 2 of director needed, 1 can act: Fay."
    assert (at_first, with_two, await _missing(world)) == ([sentence], [], [sentence])


async def test_a_delegation_by_a_party_that_bars_the_only_other_approver_is_seen_and_its_end_too(world: World) -> None:
    sam = {"sub": "sam", "name": "Sam", "roles": ["sales_rep", "approver"]}
    await _enter(world, FAY, GIL, sam)
    await world.send("POST", "/v1/policies", "admin", json=TWO)
    world.validates()
    await world.place()
    handed = {
        "to_sub": "gil",
        "from_sub": "sam",
        "valid_from": "2026-11-01T00:00:00Z",
        "valid_to": "2027-01-01T00:00:00Z",
    }

    made = await world.send("POST", "/v1/delegations", "admin", json=handed)
    barred = await _missing(world)
    await world.send("POST", f"/v1/delegations/{made.json()['delegation_id']}/revoke", "admin")

    # sam sells to the customer, so who stands in for sam may not decide either
    assert made.status_code == 201, made.text
    assert len(barred) == 1
    assert "1 can act: Fay" in barred[0]
    assert await _missing(world) == []


async def test_a_step_that_sales_was_asked_is_in_supports_inbox_once_nobody_sells_to_the_customer(world: World) -> None:
    tier = {"level": 1, "role": "sales_rep"}
    await _enter(world, *PEOPLE, {"sub": "sam", "name": "Sam", "roles": ["sales_rep"]})
    await _enter(world, {"sub": "sue", "name": "Sue", "roles": ["support"]})
    row = {"code": "ASK", "when": "true", "message": "Ask sales.", "tiers": [tier]}
    await world.send("POST", "/v1/policies", "admin", json={"rules": [RULE], "reviews": [row]})
    world.validates()
    await world.place()
    known = (await world.send("GET", "/v1/customers/cus_acme", "admin")).json()
    entry = {name: value for name, value in known.items() if name != "credit"}

    before = await _mine(world)
    kept = await world.send("POST", "/v1/customers", "admin", json={**entry, "sales_rep": "", "credit_limit": "1.00"})

    assert kept.status_code == 200, kept.text
    assert (before, await _mine(world)) == ([], ["sales rep validation"])


async def _mine(world: World) -> list[str]:
    rows = (await world.send("GET", "/v1/reviews?for=me", "support", claims={"sub": "sue"})).json()["rows"]
    return [row["asks"] for row in rows]
