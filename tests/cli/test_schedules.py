"""`oms schedules`."""

from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

SCHEDULE = {
    "warehouse_id": "wh_1", "time_zone": "America/Chicago", "working_days": ["mon", "tue"], "holidays_of": "US-TX",
    "closed_on": ["2026-12-24"], "cut_off": "14:00", "daily_units": 2000, "version": 1,
}  # fmt: skip
WAREHOUSE = {"warehouse_id": "wh_1", "name": "One", "kind": "own", "address": {}, "is_active": True, "version": 1}


def test_a_schedule_is_set_and_listed(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/warehouses", WAREHOUSE)
    api.on("POST /v1/warehouses/wh_1/schedule", SCHEDULE)
    api.page("GET /v1/schedules", SCHEDULE)

    done = command(
        "schedules", "set", "wh_1", "--time-zone", "America/Chicago", "--days", "mon,tue", "--cut-off", "14:00",
        "--daily-units", "2000", "--holidays-of", "US-TX", "--closed-on", "2026-12-24",
    )  # fmt: skip
    listed = command("schedules", "list")

    assert api.asked[1].body == {name: SCHEDULE[name] for name in SCHEDULE if name not in ("warehouse_id", "version")}
    assert done.out == "wh_1 works mon tue (America/Chicago), cut-off 14:00, 2,000 units a day\n"
    assert all(word in listed.out for word in ("wh_1", "mon tue", "14:00", "US-TX"))


def test_a_warehouse_that_there_is_not_is_said_with_those_that_there_are(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/warehouses", WAREHOUSE)

    wrong = command("schedules", "set", "wh_2", "--cut-off", "14:00")

    assert (wrong.code, "there is no warehouse wh_2: there are wh_1" in wrong.err) == (1, True)
