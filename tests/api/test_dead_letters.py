from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from services.orders.domain.facts import Fact
from services.orders.store import facts
from services.orders.store.facts import LateFact
from tests.api.conftest import NOW, World

STRANGE = Fact(
    "fact_strange", "shipment_shipped", "fulfillment", "ord_none", "shp_1", 1, NOW.isoformat(), detail=None, document={}
)


async def dead(world: World) -> dict[str, str]:
    """One of each source but `fact`: source → its id in the address."""
    order_id = (await world.place()).json()["order_id"]
    with world.database.transaction() as session:
        found = session.execute(text("SELECT fact_id FROM outbox WHERE kind = 'notify'")).scalar_one()
        session.execute(
            text("UPDATE outbox SET state = 'dead', last_error = 'no such mailbox' WHERE fact_id = :id"), {"id": found}
        )
        facts.keep_late(session, LateFact("fact_1/stock_allocated", "stock_allocated", order_id, "", NOW))
    return {"message": found, "late_fact": "fact_1:stock_allocated", "mail": "del_1"}


async def rows(world: World, query: str = "") -> list[dict[str, Any]]:
    return list((await world.send("GET", f"/v1/dead-letters{query}", "admin")).json()["rows"])


async def test_dead_letters_are_listed_source_after_source_in_pages(world: World) -> None:
    ids = await dead(world)

    listed = await rows(world)
    first = (await world.send("GET", "/v1/dead-letters?limit=2", "admin")).json()
    second = (await world.send("GET", f"/v1/dead-letters?limit=2&cursor={first['next_cursor']}", "admin")).json()

    assert [(row["source"], row["subject_id"]) for row in listed] == list(ids.items())
    assert (listed[0]["why"], listed[0]["order_number"]) == ("no such mailbox", "SO-1001")
    assert [*first["rows"], *second["rows"]] == listed
    assert second["next_cursor"] is None
    assert [row["source"] for row in await rows(world, "?source=late_fact")] == ["late_fact"]


async def test_metrics_count_messages_and_facts_that_nobody_took_until_they_are_dismissed(world: World) -> None:
    ids = await dead(world)
    with world.database.transaction() as session:
        facts.keep(session, [(STRANGE, "orphaned")], NOW)

    async def stated() -> float:
        text = (await world.send("GET", "/metrics")).text
        return float(next(line for line in text.splitlines() if line.startswith("oms_outbox_dead ")).split()[1])

    before = await stated()
    for source, subject in (("message", ids["message"]), ("fact", STRANGE.fact_id)):
        path = f"/v1/dead-letters/{source}/{subject}/dismiss"
        assert (await world.send("POST", path, "admin", json={"reason": "nobody needs it"})).status_code == 200

    assert (before, await stated()) == (2, 0)


async def test_without_the_mail_service_the_other_lists_are_read_by_name(world: World) -> None:
    await dead(world)
    world.notifications.is_away = True

    assert (await world.send("GET", "/v1/dead-letters", "admin")).status_code == 503
    assert len(await rows(world, "?source=message")) == 1


@pytest.mark.parametrize("source", ["message", "late_fact", "mail"])
async def test_a_retry_is_recorded_and_takes_effect_once(world: World, source: str) -> None:
    path = f"/v1/dead-letters/{source}/{(await dead(world))[source]}/retry"

    done = [await world.send("POST", path, "admin", key="k9") for _ in range(2)]

    assert [one.status_code for one in done] == [200, 200]
    assert done[0].json() == done[1].json()
    assert (done[0].json()["action"], done[0].json()["done_by"]) == ("retry", "admin")


@pytest.mark.parametrize("source", ["message", "late_fact", "mail"])
async def test_a_dismissal_needs_a_reason_and_something_to_dismiss(world: World, source: str) -> None:
    path = f"/v1/dead-letters/{source}/{(await dead(world))[source]}/dismiss"

    blank = await world.send("POST", path, "admin", json={"reason": " "})
    done = await world.send("POST", path, "admin", json={"reason": "told by phone"})
    again = await world.send("POST", path, "admin", json={"reason": "told by phone"})

    assert (blank.status_code, blank.json()["code"]) == (422, "REASON_MISSING")
    assert (done.status_code, done.json()["reason"]) == (200, "told by phone")
    assert (again.status_code, again.json()["code"]) == (404, "DEAD_LETTER_UNKNOWN")
    assert source not in [row["source"] for row in await rows(world)]
