"""Reversing a ship confirm through the API: looked at, done once, and refused where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from tests.api.conftest import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/shipments/shp_1/reversal"
WHY = {"reason": "scanned the wrong pallet"}


async def shipped(world: World) -> dict[str, Any]:
    """An order of which a shipment has left."""
    order: dict[str, Any] = (await world.place()).json()
    row = world.fulfillment.release("shp_1", order_id=order["order_id"])
    row.state = fulfillment.SHIPMENT_STATE_SHIPPED
    return order


async def test_support_sees_what_becomes_of_stock_and_invoice_and_the_warehouse_no_amounts(world: World) -> None:
    await shipped(world)

    seen = (await world.send("GET", PATH, "support")).json()
    theirs = (await world.send("GET", PATH, "warehouse")).json()

    assert (seen["number"], seen["billing"], seen["invoice_number"]) == ("SH-1001", "credited", "INV-000001")
    assert (seen["amount"]["amount"], seen["held"]["amount"]) == ("46.00", "10.00")
    assert [line["quantity"] for line in seen["lines"]] == [line["quantity"] for line in theirs["lines"]]
    assert (theirs["amount"], theirs["held"], theirs["billing"]) == (None, None, "credited")
    assert world.fulfillment.shipments["shp_1"].state == fulfillment.SHIPMENT_STATE_SHIPPED


async def test_it_is_done_once_under_a_key_and_says_who_and_why(world: World) -> None:
    await shipped(world)

    done = await world.send("POST", PATH, "warehouse", key="r1", json=WHY, claims={"sub": "pat"})
    again = await world.send("POST", PATH, "warehouse", key="r1", json=WHY, claims={"sub": "pat"})
    other = await world.send("POST", PATH, "warehouse", key="r2", json=WHY, claims={"sub": "pat"})

    assert (done.status_code, done.json()["state"]) == (200, "cancelled")
    reversal = done.json()["reversal"]
    assert (reversal["reason"], reversal["reversed_by"], reversal["replaced_by"]) == (WHY["reason"], "pat", "SH-1002")
    assert again.json() == done.json()
    assert (other.status_code, other.json()["code"]) == (409, "ILLEGAL_TRANSITION")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}])
async def test_it_needs_a_reason(world: World, body: dict[str, str]) -> None:
    await shipped(world)

    answer = await world.send("POST", PATH, "support", key="r1", json=body)

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("phase = 'closed', ended_at = placed_at", "ORDER_ENDED"),
        ("payment_method = 'settled_elsewhere'", "SETTLED_ELSEWHERE"),
    ],
)
async def test_nothing_is_reversed_of_an_order_that_nobody_carries_on_or_that_was_paid_elsewhere(
    world: World, change: str, code: str
) -> None:
    await shipped(world)
    with world.database.transaction() as session:
        session.execute(text(f"UPDATE sales_order SET {change}"))

    answers = [await world.send("POST", PATH, "support", key="r1", json=WHY), await world.send("GET", PATH, "support")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, code)] * 2
    assert world.fulfillment.shipments["shp_1"].state == fulfillment.SHIPMENT_STATE_SHIPPED
