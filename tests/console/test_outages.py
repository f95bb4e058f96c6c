"""Outages on their page: declared, listed, ended."""

from __future__ import annotations

from tests.console.money_world import hidden_in
from tests.console.world import ConsoleWorld


async def test_a_warehouse_is_closed_once_and_opened_before_its_time(world: ConsoleWorld) -> None:
    world.warehouse("W1", "Dallas")
    floor, support = world.browser("warehouse", sub="pat"), world.browser("support", sub="sue")
    page = (await floor.get("/outages")).text
    key = hidden_in(page, "/outages")["key"]
    typed = {"warehouse": "W1", "until": "2031-01-04T06:00", "reason": "flooded dock"}

    done = [await floor.send("/outages", "/outages", key=key, **typed) for _ in range(2)]
    wrong = [
        await floor.send("/outages", "/outages", **typed | changes)
        for changes in ({"until": "tomorrow"}, {"reason": ""}, {"warehouse": "W9"})
    ]
    listed, read = (await floor.get("/outages")).text, (await support.get("/outages")).text
    ended = await floor.send("/outages", "/outages/W1/end", key="k2")

    assert "No warehouse has been closed for a while" in page
    assert [one.status_code for one in (*done, *wrong, ended)] == [303, 303, 422, 422, 404, 303]
    [outage] = world.inventory.outages
    assert (outage.reason, outage.declared_by, bool(outage.ended_at_micros)) == ("flooded dock", "pat", True)
    assert "Dallas" in listed
    assert ("Open now" in listed, "Open now" in read, "Declare an outage" in read) == (True, False, False)
    assert "Over since" in (await floor.get("/outages")).text
