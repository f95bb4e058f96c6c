"""Reversing a ship confirm on a page: what follows is read in plain words before the button is there."""

from __future__ import annotations

from typing import Any

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from services.orders.store import orders
from tests.console.world import ConsoleWorld

PAGE = "/shipments/SH-8/reversal"


def shipped(world: ConsoleWorld, number: str) -> fulfillment.Shipment:
    """SH-8 of an order has left, as fulfillment has it."""
    neighbor: Any = world.app.state.deps.fulfillment
    with world.database.reading() as session:
        order_id = orders.find_id(session, number)
    row: fulfillment.Shipment = neighbor.release("shp_8", order_id=order_id)
    row.number, row.order_number, row.state = "SH-8", number, fulfillment.SHIPMENT_STATE_SHIPPED
    row.lines.add(line_id="1", sku="PUMP", description="Pump", quantity=6, picked_quantity=6)
    return row


async def test_support_is_led_from_the_order_to_what_follows_and_reverses_it_once(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    row, browser = shipped(world, numbers["shipping"]), world.browser("support")

    order = (await browser.get(f"/orders/{numbers['shipping']}")).text
    page = (await browser.get(PAGE)).text
    done = await browser.send(PAGE, PAGE, reason="wrong pallet")
    again = (await browser.get(PAGE)).text

    assert f'href="{PAGE}"' in order
    for words in (
        "canceled; packed again",
        "on hand, allocated",
        "46.00 USD credited",
        "held for the order",
        "by mail",
    ):
        assert words in page
    assert (done.status_code, done.headers["location"]) == (303, f"/orders/{numbers['shipping']}")
    assert (row.reversal.reason, row.state) == ("wrong pallet", fulfillment.SHIPMENT_STATE_CANCELLED)
    assert "It cannot be reversed" in again
    assert "<button" not in again.partition("<main")[2]


async def test_the_warehouse_sees_no_amounts_and_needs_a_reason(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    row, browser = shipped(world, numbers["shipping"]), world.browser("warehouse")

    page = (await browser.get(PAGE)).text
    silent = await browser.send(PAGE, PAGE, reason="")
    done = await browser.send(PAGE, PAGE, reason="wrong pallet")

    assert "46.00" not in page
    assert silent.status_code == 422
    assert done.headers["location"] == PAGE
    assert row.reversal.reason == "wrong pallet"


async def test_a_shipment_that_is_not_there_is_said_so(world: ConsoleWorld) -> None:
    answer = await world.browser("support").get("/shipments/SH-99999/reversal")

    assert answer.status_code == 404
