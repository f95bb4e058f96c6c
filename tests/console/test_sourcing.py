"""The box of an order's page that says why this warehouse."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import inventory_pb2 as inventory
from tests.api.test_sourcing import PLAN
from tests.console.test_accounting import plain
from tests.console.test_acts import order_id
from tests.console.world import ConsoleWorld


def planned(world: ConsoleWorld, number: str) -> None:
    world.inventory.plans[order_id(world, number)] = [PLAN, inventory.SourcingPlan(plan_id="src_0", currency="USD")]


@pytest.mark.parametrize(("role", "sees"), [("support", True), ("accounting", True), ("channel", False)])
async def test_staff_reads_why_a_warehouse_was_chosen(
    world: ConsoleWorld, numbers: dict[str, str], role: str, sees: bool
) -> None:
    planned(world, numbers["shipping"])
    world.warehouse("wh_2", "Dallas")
    world.warehouse("wh_4", "Reno")

    page = plain((await world.browser(role).get(f"/orders/{numbers['shipping']}")).text)

    assert ("Why this warehouse" in page) == sees
    assert ("Dallas for 16.00 USD: 1.00 USD less than wh_1 and wh_3" in page) == sees
    if sees:
        assert "What was weighed · lowest possible cost" in page
        assert "Reno : closed" in page
        assert "14 Dallas Chosen: nothing that serves as much costs less Freight 16.00 16.00" in page
        assert "1 earlier plan of this order." in page


async def test_a_customer_reads_nothing_of_it(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    planned(world, numbers["shipping"])

    page = (await world.browser("customer").get(f"/my/orders/{numbers['shipping']}")).text

    assert "Why this warehouse" not in page
    assert "16.00" not in page


async def test_the_page_stands_without_inventory(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    planned(world, numbers["shipping"])
    world.inventory.is_away = True

    answer = await world.browser("support").get(f"/orders/{numbers['shipping']}")

    assert answer.status_code == 200
    assert "Why this warehouse" not in answer.text
