"""Who waits for goods and why in that order, over HTTP, what more goods would come to, and the policy behind it."""

from __future__ import annotations

from typing import Any

import pytest

from oms.inventory.v1 import allocation_pb2
from oms.inventory.v1 import inventory_pb2 as inventory
from tests.api.conftest import World

ASKED = {"sku": "PUMP-100", "warehouse_id": "wh_1", "quantity": 40}


async def waiting(world: World, **more: Any) -> dict[str, Any]:
    """An order of which 3 units of its first line wait, at the head of their queue."""
    placed: dict[str, Any] = (await world.place()).json()
    order = (await world.send("GET", f"/v1/orders/{placed['order_id']}", "support")).json()
    line = order["lines"][0]
    world.inventory.backorders = [
        inventory.Backorder(
            backorder_id="bo_1", order_id=placed["order_id"], line_id=line["line_id"], sku=line["sku"], quantity=3,
            placed_at_micros=1_770_000_000_000_000, allocation_class="win", is_expedited=True, customer_tier="gold",
            tier_rank=1, wanted_on="2026-12-09", delivery="line_complete", position=1, warehouse_ids=["wh_1"], **more,
        )
    ]  # fmt: skip
    return {**order, "unit_price": line["unit_price"]}


async def test_a_backorder_says_whose_it_is_what_it_is_worth_and_why_it_is_where_it_is(world: World) -> None:
    order = await waiting(world)

    [row] = (await world.send("GET", "/v1/backorders", "support")).json()["rows"]
    [floor] = (await world.send("GET", "/v1/backorders", "warehouse")).json()["rows"]

    worth = f"{3 * float(order['unit_price']):.2f}"
    assert (row["order_number"], row["customer_name"]) == (order["number"], order["customer_name"])
    assert row["value"] == {"amount": worth, "currency": order["currency"]}
    assert row["reason"] == "class win, expedited, tier gold, wanted 2026-12-09, whole lines only"
    assert (row["position"], row["before_quantity"], row["waiting_since"]) == (1, 0, None)
    assert floor["value"] is None


async def test_what_if_names_orders_and_what_they_would_give_up(world: World) -> None:
    order = await waiting(world)
    fill = allocation_pb2.WhatIfFill(
        backorder_id="bo_1",
        order_id=order["order_id"],
        line_id=order["lines"][0]["line_id"],
        waiting_quantity=3,
        quantity=2,
    )
    loss = allocation_pb2.WhatIfLoss(order_id="ord_x", line_id="1", quantity=1, to_order_id=order["order_id"])
    world.inventory.what_if = allocation_pb2.AskWhatIfResponse(
        fills=[fill], losses=[loss], filled_quantity=2, left_quantity=0, still_waiting_quantity=1, is_open=True
    )

    found = (await world.send("POST", "/v1/backorders/what-if", "warehouse", json=ASKED)).json()

    [row], [lost] = found["rows"], found["losses"]
    assert (row["order_number"], row["waiting"], row["quantity"], row["value"]) == (order["number"], 3, 2, None)
    assert (lost["order_number"], lost["to_order_number"], lost["quantity"]) == (None, order["number"], 1)
    assert found["still_waiting_quantity"] == 1


@pytest.mark.parametrize("wrong", [{"quantity": 0}, {"sku": ""}, {"warehouse_id": "no such place"}])
async def test_a_what_if_without_goods_says_what_to_enter(world: World, wrong: dict[str, Any]) -> None:
    answer = await world.send("POST", "/v1/backorders/what-if", "support", json=ASKED | wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_a_backorder_is_released_by_hand_and_one_that_does_not_wait_is_not_found(world: World) -> None:
    await waiting(world, is_manual=True)

    done = await world.send("POST", "/v1/backorders/bo_1/release", "support", json={})
    gone = await world.send("POST", "/v1/backorders/bo_9/release", "support", json={})

    assert (done.status_code, done.json()) == (200, {"filled_quantity": 0, "waiting_quantity": 3})
    assert (gone.status_code, gone.json()["code"]) == (404, "BACKORDER_UNKNOWN")


async def test_an_order_is_expedited_by_support_and_by_its_own_representative_alone(world: World) -> None:
    order = await waiting(world)
    path = f"/v1/orders/{order['number']}/expedite"

    done = await world.send("POST", path, "support", json={})
    back = await world.send("POST", path, "support", json={"is_expedited": False})
    foreign = await world.send("POST", path, "sales_rep", json={}, claims={"sub": "somebody.else"})

    assert (done.json(), back.json()["is_expedited"]) == ({"is_expedited": True, "waiting_quantity": 3}, False)
    assert world.inventory.expedited == [(order["order_id"], True), (order["order_id"], False)]
    assert foreign.status_code == 404


async def test_before_a_policy_is_stored_days_alone_count_and_an_administrator_changes_that(world: World) -> None:
    before = await world.send("GET", "/v1/allocation-policy", "support")
    tiers = [{"tier": "gold", "allocation_class": "win", "delivery": "line_complete"}]
    stored = await world.send("PATCH", "/v1/allocation-policy", "admin", json={"tiers": tiers})
    again = await world.send("PATCH", "/v1/allocation-policy", "admin", json={"freeze_days": 9})

    assert before.json() == {
        "tiers": [], "usual_class": "gain", "is_fair_share": False, "freeze_days": None, "version": 0
    }  # fmt: skip
    assert stored.json()["tiers"] == [tiers[0] | {"is_manual": False}]
    assert (again.json()["tiers"], again.json()["freeze_days"]) == (stored.json()["tiers"], 9)


async def test_a_class_without_a_rule_is_refused_with_those_that_have_one(world: World) -> None:
    answer = await world.send("POST", "/v1/allocation-policy", "admin", json={"usual_class": "platinum"})

    assert answer.status_code == 422
    assert "must be one of win, gain, redistribute, improve, fill, lose" in answer.text


async def test_a_what_if_of_goods_that_are_never_on_a_shelf_is_refused(world: World) -> None:
    unknown = await world.send("POST", "/v1/backorders/what-if", "support", json=ASKED | {"sku": "NOPE"})
    service = await world.send("POST", "/v1/backorders/what-if", "support", json=ASKED | {"sku": "INSTALL-8H"})

    assert (unknown.status_code, unknown.json()["code"]) == (404, "PRODUCT_UNKNOWN")
    assert (service.status_code, service.json()["code"]) == (409, "PRODUCT_NOT_STOCKED")
