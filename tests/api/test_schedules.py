"""Schedules of warehouses over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from oms.inventory.v1 import inventory_pb2 as inventory
from tests.api.conftest import World

PATH = "/v1/warehouses/wh_1/schedule"


def warehouse(world: World) -> None:
    """There is one."""
    world.inventory.warehouses["wh_1"] = inventory.Warehouse(warehouse_id="wh_1", name="One")


async def test_a_schedule_is_put_read_and_replaced_by_who_saw_it(world: World) -> None:
    warehouse(world)
    none = await world.send("GET", PATH, "warehouse")
    put = await world.send("POST", PATH, "admin", json={"cut_off": "14:00", "daily_units": 2000})
    found = await world.send("GET", PATH, "warehouse")
    listed = await world.send("GET", "/v1/schedules", "auditor")
    stale = await world.send("POST", PATH, "admin", json={"cut_off": "15:00", "version": 7})

    assert (none.status_code, none.json()["code"]) == (404, "SCHEDULE_NOT_FOUND")
    assert put.json() == found.json() == listed.json()["rows"][0]
    assert (found.json()["cut_off"], found.json()["daily_units"], found.json()["version"]) == ("14:00", 2000, 1)
    assert found.headers["etag"] == '"1"'
    assert (stale.status_code, stale.json()["code"]) == (409, "VERSION_STALE")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/warehouses/wh_nowhere/schedule", {}, 404, "WAREHOUSE_UNKNOWN"),
        (PATH, {"cut_off": "2 pm"}, 422, "INVALID_REQUEST"),
        (PATH, {"cut_off": ""}, 422, "INVALID_REQUEST"),
        (PATH, {"daily_units": 0}, 422, "INVALID_REQUEST"),
        (PATH, {"working_days": []}, 422, "INVALID_REQUEST"),
        (PATH, {"holidays_of": "Texas"}, 422, "INVALID_REQUEST"),
    ],
)
async def test_what_is_no_schedule_is_refused(world: World, path: str, body: Any, status: int, code: str) -> None:
    warehouse(world)
    refused = await world.send("POST", path, "admin", json=body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert world.app.state.deps.fulfillment.schedules == {}


async def test_who_runs_no_company_puts_none(world: World) -> None:
    assert (await world.send("POST", PATH, "sales_rep", json={})).status_code == 403
