from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.console.test_login import PASSWORD, person, sql
from tests.console.world import ConsoleWorld


async def _set(world: ConsoleWorld, role: str, sub: str, body: dict[str, Any]) -> httpx.Response:
    client = world.browser().client
    headers = {"Authorization": f"Bearer {world.token(role)}"}
    return await client.post(f"/v1/people/{sub}/password", json=body, headers=headers)


async def test_an_administrator_sets_a_password_and_the_person_logs_in_with_it(world: ConsoleWorld) -> None:
    person(world, has_password=False)

    answer = await _set(world, "admin", "mia", {"password": PASSWORD})
    entered = await world.browser().send("/login", "/login", name="mia", password=PASSWORD)

    assert (answer.status_code, answer.json()["sub"], entered.status_code) == (200, "mia", 303)
    assert PASSWORD not in str(sql(world, "SELECT * FROM person_secret"))


@pytest.mark.parametrize(
    ("role", "sub", "password", "status", "code"),
    [
        ("support", "mia", PASSWORD, 403, "ROLE_NOT_ALLOWED"),
        ("admin", "nobody", PASSWORD, 404, "PERSON_UNKNOWN"),
        ("admin", "mia", "short", 422, "INVALID_REQUEST"),
        ("admin", "mia", "x" * 201, 422, "INVALID_REQUEST"),
    ],
)
async def test_a_password_is_not_set_by_others_for_strangers_or_too_short(
    world: ConsoleWorld, role: str, sub: str, password: str, status: int, code: str
) -> None:
    person(world, has_password=False)

    answer = await _set(world, role, sub, {"password": password})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sql(world, "SELECT count(*) FROM person_secret")[0][0] == 0
