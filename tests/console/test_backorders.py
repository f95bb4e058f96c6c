"""The page of backorders: who waits, why there, what is at risk, and who would get goods that come."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from oms.inventory.v1 import allocation_pb2
from oms.inventory.v1 import inventory_pb2 as inventory
from services.orders.store import orders
from tests.console.world import ConsoleWorld
from tests.orders.test_returns import _delivered


def waiting(world: ConsoleWorld) -> str:
    """Three units of an order wait; its number."""
    number = world.desk.read(_delivered(world.desk)).order.number
    queued(world, number)
    return number


def queued(world: ConsoleWorld, number: str) -> str:
    """Three units of the order's first line wait, and two that come would go to it; its SKU."""
    world.warehouse("W1", "Dallas")
    with world.database.reading() as session:
        order_id = orders.find_id(session, number)
    line = world.desk.read(order_id).order.lines[0]
    world.inventory.backorders = [
        inventory.Backorder(
            backorder_id="bo_1", order_id=order_id, line_id=line.line_id, sku=line.sku, quantity=3,
            placed_at_micros=1_770_000_000_000_000, allocation_class="win", customer_tier="gold", wanted_on="2026-12-09",
            delivery="partial", is_manual=True, position=2, before_quantity=7, warehouse_ids=["W1"],
        )
    ]  # fmt: skip
    world.inventory.what_if = allocation_pb2.AskWhatIfResponse(
        fills=[
            allocation_pb2.WhatIfFill(
                backorder_id="bo_1", order_id=order_id, line_id=line.line_id, waiting_quantity=3, quantity=2
            )
        ],
        losses=[allocation_pb2.WhatIfLoss(order_id="ord_x", line_id="1", quantity=1, to_order_id=order_id)],
        filled_quantity=2,
        still_waiting_quantity=1,
        is_open=True,
    )
    return line.sku


def backorder_pages(world: ConsoleWorld, number: str) -> list[tuple[str, str]]:
    """(Role, path) of the page, with the queue alone and with goods that come."""
    sku = queued(world, number)
    return [("support", "/backorders"), ("warehouse", f"/backorders?sku={sku}&warehouse=W1&units=2")]


async def test_the_queue_shows_who_waits_why_and_what_is_at_risk_but_no_prices_to_the_warehouse(
    world: ConsoleWorld,
) -> None:
    number = waiting(world)

    support = (await world.browser("support", sub="sue").get("/backorders")).text
    floor = (await world.browser("warehouse", sub="pat").get("/backorders?warehouse=W1")).text

    assert all(
        word in support for word in (number, "class win, tier gold, wanted Dec 9, 2026", "7 units before it", "At risk")
    )
    assert "At risk" not in floor
    assert ("Release</button>" in floor, "Expedite" in floor) == (True, False)


async def test_goods_that_would_come_are_given_out_on_the_page_and_a_form_without_them_says_what_to_enter(
    world: ConsoleWorld,
) -> None:
    number, support = waiting(world), world.browser("support", sub="sue")
    [row] = world.inventory.backorders

    shown = " ".join((await support.get(f"/backorders?sku={row.sku}&warehouse=W1&units=2")).text.split())
    nowhere = await support.get(f"/backorders?sku={row.sku}&units=2")
    none = await support.get(f"/backorders?sku={row.sku}&warehouse=W1&units=none")

    assert f"If 2 of {row.sku} arrive" in shown
    assert f"ord_x gives 1 to {number}" in shown
    assert "2 units fill backorders, 0 are left over, 1 still wait." in shown
    assert (nowhere.status_code, none.status_code) == (422, 422)
    assert "choose the warehouse" in nowhere.text
    assert world.inventory.asked_what_if[0].quantity == 2


async def test_a_backorder_is_released_and_its_order_expedited_by_buttons(world: ConsoleWorld) -> None:
    waiting(world)
    support = world.browser("support", sub="sue")
    [row] = world.inventory.backorders

    released = await support.send("/backorders", "/backorders/bo_1/release", sku=row.sku, warehouse="")
    hurried = await support.send(
        "/backorders", f"/backorders/orders/{row.order_id}/expedite", sku="", warehouse="W1", urgent="yes"
    )
    followed = await support.get("/backorders")

    assert (released.status_code, released.headers["location"]) == (303, f"/backorders?sku={row.sku}")
    assert (hurried.status_code, hurried.headers["location"]) == (303, "/backorders?warehouse=W1")
    assert world.inventory.expedited == [(row.order_id, True)]
    assert "The order is urgent." in followed.text
    assert "Release</button>" not in followed.text


async def test_the_page_has_its_policy_in_sentences_and_buttons_only_where_there_is_something_to_do(
    world: ConsoleWorld,
) -> None:
    waiting(world)
    terms = [allocation_pb2.TierTerms(tier="gold", allocation_class="win", delivery="partial")]
    world.inventory.allocation = allocation_pb2.AllocationPolicy(
        tiers=terms, usual_class="gain", is_fair_share=True, freeze_days=14
    )
    world.inventory.backorders[0].is_manual = False

    floor = " ".join((await world.browser("warehouse", sub="pat").get("/backorders")).text.split())

    assert "others gain. Too few units are shared in proportion. An order that ships complete" in floor
    assert ">Act</th>" not in floor


async def test_what_waits_has_its_value_with_thousands_in_groups(world: ConsoleWorld) -> None:
    waiting(world)
    world.inventory.backorders[0].quantity = 3000

    page = (await world.browser("support", sub="sue").get("/backorders")).text

    [value] = re.findall(r'data-of="Value"><span class="figure">([0-9.,]+) ', page)
    assert value == "387,000.00"


async def test_units_that_are_no_number_are_named_as_the_page_names_them(world: ConsoleWorld) -> None:
    waiting(world)
    [row] = world.inventory.backorders

    page = await world.browser("support", sub="sue").get(f"/backorders?sku={row.sku}&warehouse=W1&units=none")

    assert "Units: enter a whole number of units" in page.text
    assert "line units" not in page.text


async def test_a_button_leads_back_to_the_queue_of_a_sku_with_any_sign_in_it(world: ConsoleWorld) -> None:
    waiting(world)
    sku = "A+B#1"

    released = await world.browser("support", sub="sue").send("/backorders", "/backorders/bo_1/release", sku=sku)

    assert parse_qs(urlsplit(released.headers["location"]).query) == {"sku": [sku]}
