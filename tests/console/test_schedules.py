"""Schedules on their page: read by whoever plans, set by who runs the company."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.money_world import hidden_in
from tests.console.world import ConsoleWorld

TYPED = {
    "warehouse": "W1", "day-mon": "yes", "day-sat": "yes", "time_zone": "America/Chicago", "cut_off": "14:00", "daily_units": "2000",
    "holidays_of": "us-tx", "closed_on": "2026-12-24, 2026-12-31",
}  # fmt: skip


async def test_a_schedule_is_set_and_listed_beside_those_that_have_none(world: ConsoleWorld) -> None:
    world.warehouse("W1", "Dallas")
    world.warehouse("W2", "Reno")
    admin, floor = world.browser("admin", sub="max"), world.browser("warehouse", sub="pat")
    before = (await admin.get("/schedules")).text

    done = await admin.send("/schedules", "/schedules", **hidden_in(before, "/schedules"), **TYPED)
    listed, read = (await admin.get("/schedules")).text, (await floor.get("/schedules")).text

    stored = world.app.state.deps.fulfillment.schedules["W1"]
    assert done.status_code == 303
    assert (list(stored.working_days), stored.cut_off, stored.daily_units) == (["mon", "sat"], "14:00", 2000)
    assert (stored.holidays_of, list(stored.closed_on)) == ("US-TX", ["2026-12-24", "2026-12-31"])
    assert "Mon, Sat" in listed
    assert "Public holidays of US-TX" in listed
    assert "Mon, Tue, Wed, Thu, Fri" in listed
    assert ("Set a schedule" in listed, "Set a schedule" in read) == (True, False)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"closed_on": "Christmas"}, 422),
        ({"day-mon": "", "day-sat": ""}, 422),
        ({"time_zone": "nowhere at all"}, 422),
        ({"daily_units": "many"}, 422),
        ({"daily_units": "0"}, 422),
        ({"warehouse": "W9"}, 404),
    ],
)
async def test_what_is_no_schedule_is_said(world: ConsoleWorld, changes: dict[str, Any], status: int) -> None:
    world.warehouse("W1", "Dallas")
    admin = world.browser("admin", sub="max")

    answer = await admin.send("/schedules", "/schedules", **TYPED | changes)

    assert answer.status_code == status
    assert world.app.state.deps.fulfillment.schedules == {}
