from __future__ import annotations

from typing import Any

import pytest

from services.orders.domain.exceptions import CARRIER_EXCEPTION
from services.orders.order import exceptions
from tests.api.conftest import NOW, World


async def opened(world: World, *subjects: str) -> list[str]:
    """Exceptions of an order of ACME, one a subject: their ids."""
    order_id = (await world.place()).json()["order_id"]
    with world.database.transaction() as session:
        for subject in subjects or ("shp_1",):
            exceptions.open_exception(session, order_id, CARRIER_EXCEPTION, subject, "UPS reports a problem.", NOW)
    return [row["exception_id"] for row in await rows(world)]


async def rows(world: World, query: str = "", role: str = "support", **claims: str) -> list[dict[str, Any]]:
    return list((await world.send("GET", f"/v1/exceptions{query}", role, claims=claims)).json()["rows"])


async def test_an_exception_says_what_happened_to_what_since_when_and_who_must_act(world: World) -> None:
    [exception_id] = await opened(world)

    [row] = await rows(world)
    one = (await world.send("GET", f"/v1/exceptions/{exception_id}", "warehouse")).json()

    assert row == one
    assert (row["kind"], row["order_number"], row["subject"], row["subject_id"]) == (
        "carrier_exception", "SO-1001", "shipment", "shp_1",
    )  # fmt: skip
    assert (row["reason"], row["owner_role"], row["since"]) == (
        "UPS reports a problem.", "support", "2026-12-01T09:00:00.000Z",
    )  # fmt: skip
    assert (row["resolved_at"], row["note"]) == (None, "")


async def test_exceptions_come_in_pages_and_within_the_scope(world: World) -> None:
    ids = await opened(world, "shp_1", "shp_2", "shp_3")

    first = (await world.send("GET", "/v1/exceptions?limit=2&state=open", "support")).json()
    rest = await rows(world, f"?limit=2&state=open&cursor={first['next_cursor']}")

    assert [row["exception_id"] for row in (*first["rows"], *rest)] == ids
    assert len(await rows(world, "", "sales_rep")) == 3
    assert await rows(world, "", "sales_rep", sub="sue") == []
    assert (await world.send("GET", f"/v1/exceptions/{ids[0]}", "sales_rep", claims={"sub": "sue"})).status_code == 404


async def test_support_resolves_with_a_note_once_and_a_repeat_gets_the_first_answer(world: World) -> None:
    [exception_id] = await opened(world)
    path, body = f"/v1/exceptions/{exception_id}/resolve", {"note": "delivered to the neighbor"}

    silent = await world.send("POST", path, "support", json={"note": " "})
    done = [await world.send("POST", path, "support", key="k9", json=body) for _ in range(2)]
    again = await world.send("POST", path, "support", json=body)

    assert (silent.status_code, silent.json()["code"]) == (422, "NOTE_MISSING")
    assert [one.status_code for one in done] == [200, 200]
    assert done[0].json() == done[1].json()
    assert (done[0].json()["resolved_by"], done[0].json()["note"]) == ("support", "delivered to the neighbor")
    assert (again.status_code, again.json()["code"]) == (409, "EXCEPTION_RESOLVED")
    assert await rows(world, "?state=open") == []


@pytest.mark.parametrize("role", ["accounting", "warehouse", "admin"])
async def test_another_role_than_the_owners_is_told_who_may(world: World, role: str) -> None:
    [exception_id] = await opened(world)

    answer = await world.send("POST", f"/v1/exceptions/{exception_id}/resolve", role, json={"note": "done"})

    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_EXCEPTION_OWNER")
    assert answer.json()["parameters"]["owner_role"] == "support"


async def test_a_customer_reads_of_an_exception_only_that_something_was_checked(world: World) -> None:
    await opened(world)

    notified = (await world.send("GET", "/v1/orders/SO-1001/history", "customer")).json()["rows"][-1]

    assert (notified["who"], notified["what"], notified["why"], notified["after"]) == ("us", "checked", "", {})
