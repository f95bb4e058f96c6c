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


RATE = {"warehouse_id": "wh_1", "carrier": "ups", "zone": "near", "base_minor": 900, "transit_days": 2}
TABLE = {"currency": "USD", "rates": [RATE], "zones": [{"country": "US", "region": "*", "zone": "near"}]}


async def test_carriers_that_go_to_more_places_have_orders_sourced_again_and_dearer_ones_do_not(world: World) -> None:
    wider = {**TABLE, "zones": [*TABLE["zones"], {"country": "CA", "region": "*", "zone": "near"}]}

    await world.send("POST", "/v1/rates", "admin", json=TABLE)
    await world.send("POST", "/v1/rates", "admin", json={**TABLE, "rates": [{**RATE, "base_minor": 950}]})
    await world.send("POST", "/v1/rates", "admin", json=wider)

    assert world.inventory.gained == [["wh_1"], ["wh_1"]]


async def test_orders_are_sourced_again_when_rates_are_sent_again_after_a_try_that_stopped_halfway(
    world: World,
) -> None:
    world.inventory.is_away = True
    halfway = await world.send("POST", "/v1/rates", "admin", json=TABLE, key="k1")
    world.inventory.is_away = False

    again = await world.send("POST", "/v1/rates", "admin", json=TABLE, key="k1")

    assert (halfway.status_code, again.status_code) == (503, 200)
    assert world.fulfillment.rates.version == 1
    assert world.inventory.gained == [["wh_1"]]
