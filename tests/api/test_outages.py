"""Outages of warehouses, over HTTP."""

from __future__ import annotations

from tests.api.conftest import World

UNTIL = "2031-01-04T06:00:00Z"


async def test_a_warehouse_is_closed_by_its_manager_and_opened_again(world: World) -> None:
    address = {"name": "D", "street": "1", "city": "Dallas", "region": "TX", "postal_code": "75001", "country": "US"}
    body = {"warehouse_id": "wh_7", "name": "Dallas", "kind": "own", "address": address}
    await world.send("POST", "/v1/warehouses", "admin", json=body)
    say = {"until": UNTIL, "reason": "flooded dock"}

    declared = await world.send("POST", "/v1/warehouses/wh_7/outage", "warehouse", json=say, key="k1")
    repeat = await world.send("POST", "/v1/warehouses/wh_7/outage", "warehouse", json=say, key="k1")
    unknown = await world.send("POST", "/v1/warehouses/wh_9/outage", "warehouse", json=say, key="k2")
    wordless = await world.send("POST", "/v1/warehouses/wh_7/outage", "warehouse", json={"until": UNTIL}, key="k3")
    lasting = await world.send("GET", "/v1/outages?lasting=true", "support")
    ended = await world.send("POST", "/v1/warehouses/wh_7/outage/end", "warehouse", key="k4")
    left = await world.send("GET", "/v1/outages?lasting=true", "support")

    assert declared.json()["until"] == "2031-01-04T06:00:00.000Z"
    assert (declared.json()["ended_at"], declared.json()["order_count"]) == (None, 2)
    assert repeat.json() == declared.json()
    assert (unknown.status_code, wordless.status_code) == (404, 422)
    assert [one["warehouse_id"] for one in lasting.json()["rows"]] == ["wh_7"]
    assert (ended.json()["ended_at"] is not None, left.json()["rows"]) == (True, [])
