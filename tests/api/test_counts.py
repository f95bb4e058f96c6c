"""Counts over HTTP: whose goods they take, what leaves shipments for it, and what is asked again."""

from __future__ import annotations

from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import counts_pb2 as pb
from tests.api.conftest import World

COUNTED = {"warehouse_id": "wh_1", "sku": "PUMP-100", "counted": 7}


async def losing(world: World, *, is_whole_order: bool = False) -> dict[str, Any]:
    """An order that holds 4 in wh_1, all released, and loses 3 of them; it has one more line in wh_2."""
    placed: dict[str, Any] = (await world.place()).json()
    order = (await world.send("GET", f"/v1/orders/{placed['order_id']}", "support")).json()
    order_id, line_id = order["order_id"], order["lines"][0]["line_id"]
    world.inventory.holders = [pb.Holder(order_id=order_id, line_id=line_id, held_quantity=4)]
    world.inventory.count_answer = pb.CountStockResponse(
        movement_id="mov_1", on_hand_before=10, on_hand=7, delta=-3,
        losses=[pb.CountLoss(order_id=order_id, line_id=line_id, quantity=3, released_quantity=3, is_whole_order=is_whole_order)],
    )  # fmt: skip
    part = pb.CoveredUnits(line_id=line_id, warehouse_id="wh_1", quantity=1)
    losing = pb.LosingOrder(order_id=order_id, is_whole_order=is_whole_order, covered=[part])
    world.inventory.open_counts = [pb.OpenCount(count_id="cnt_1", sku="PUMP-100", why="not there", orders=[losing])]
    for shipment_id, place, line, units in (("shp_1", "wh_1", line_id, 4), ("shp_2", "wh_2", "L9", 2)):
        world.fulfillment.shipments[shipment_id] = fulfillment.Shipment(
            shipment_id=shipment_id, order_id=order_id, warehouse_id=place, state=fulfillment.SHIPMENT_STATE_RELEASED,
            lines=[fulfillment.ShipmentLine(line_id=line, sku="PUMP-100", quantity=units)],
        )  # fmt: skip
    return {**order, "line_id": line_id}


def covered(world: World) -> list[tuple[str, str, int]]:
    [asked] = world.fulfillment.uncovered
    return [(one.line_id, one.warehouse_id, one.quantity) for one in asked.covered]


async def test_a_preview_names_who_would_lose_and_touches_nothing(world: World) -> None:
    order = await losing(world)

    answer = await world.send("POST", "/v1/stock/counts?preview=true", "warehouse", key="c1", json=COUNTED)

    assert answer.status_code == 200
    assert answer.json()["losses"] == [
        {
            "order_id": order["order_id"], "order_number": order["number"], "customer_name": order["customer_name"],
            "line_id": order["line_id"], "quantity": 3, "released_quantity": 3,
        }
    ]  # fmt: skip
    assert (answer.json()["count_id"], answer.json()["delta"]) == (None, -3)
    [asked] = world.inventory.stock_counts
    assert (asked.is_preview, asked.request_id, asked.counted) == (True, "", 7)
    assert world.fulfillment.uncovered == []


async def test_a_count_tells_inventory_what_shipments_carry_and_takes_out_of_them_what_is_not_there(
    world: World,
) -> None:
    order = await losing(world)
    picked = world.fulfillment.shipments["shp_3"] = fulfillment.Shipment()
    picked.CopyFrom(world.fulfillment.shipments["shp_1"])
    picked.shipment_id, picked.state = "shp_3", fulfillment.SHIPMENT_STATE_PACKED

    answer = await world.send("POST", "/v1/stock/counts", "warehouse", key="c1", json=COUNTED)
    again = await world.send("POST", "/v1/stock/counts", "warehouse", key="c1", json=COUNTED)

    assert (answer.status_code, answer.json()["count_id"]) == (201, "cnt_1")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (answer.json(), "true")
    [sent] = world.inventory.stock_counts
    [carried] = sent.carried
    assert (carried.released_quantity, carried.picked_quantity, carried.left_quantity, carried.is_begun) == (
        4, 4, 0, True
    )  # fmt: skip
    assert (sent.reason, sent.counted_by) == ("cycle count", "warehouse")
    assert covered(world) == [(order["line_id"], "wh_1", 1)]
    assert world.inventory.closed_counts == ["cnt_1"]


async def test_of_an_order_that_ships_complete_all_comes_back(world: World) -> None:
    await losing(world, is_whole_order=True)

    await world.send("POST", "/v1/stock/counts", "warehouse", key="c1", json=COUNTED)

    [asked] = world.fulfillment.uncovered
    assert (asked.is_whole_order, asked.reason) == (True, "not there")


async def test_a_count_that_could_not_reach_the_warehouse_stays_open_until_a_repeat_does(world: World) -> None:
    await losing(world)
    world.fulfillment.is_away = True
    first = await world.send("POST", "/v1/stock/counts", "warehouse", key="c1", json=COUNTED)
    was_closed = list(world.inventory.closed_counts)
    world.fulfillment.is_away = False

    again = await world.send("POST", "/v1/stock/counts", "warehouse", key="c1", json=COUNTED)

    assert (first.status_code, was_closed) == (503, [])
    assert (again.status_code, world.inventory.closed_counts) == (201, ["cnt_1"])
    assert len(world.fulfillment.uncovered) == 1


async def test_a_count_is_tried_again_when_another_order_takes_some_meanwhile_and_not_for_ever(world: World) -> None:
    await losing(world)

    world.inventory.moving = 2
    done = await world.send("POST", "/v1/stock/counts", "warehouse", key="c1", json=COUNTED)
    world.inventory.moving = 99
    given_up = await world.send("POST", "/v1/stock/counts", "warehouse", key="c2", json=COUNTED)

    assert done.status_code == 201
    assert (given_up.status_code, given_up.json()["code"]) == (409, "HOLDERS_CHANGED")


@pytest.mark.parametrize("wrong", [{"counted": -1}, {"counted": "7"}, {"warehouse_id": "no such place"}, {"by": "me"}])
async def test_what_cannot_be_a_count_is_refused(world: World, wrong: dict[str, Any]) -> None:
    answer = await world.send("POST", "/v1/stock/counts", "warehouse", key="c1", json=COUNTED | wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_only_the_warehouse_counts(world: World) -> None:
    answer = await world.send("POST", "/v1/stock/counts", "sales_rep", key="c1", json=COUNTED)

    assert answer.status_code == 403
