"""A history does not grow with the lines of its order: what the steps of an order of 2,000 lines bring back is as short as for ten."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from typing import Any

import pytest

from services.kernel.bounds import MAX_LINES
from tests.conftest import MakeDatabase
from tests.workflows.test_changed_orders import World

MOST = {"credit": 80, "reserve": 420, "release": 120, "ship": 80, "invoice": 45, "adjust": 260}
"""Step → bytes at most, of however many lines: a few rows, totals and counts."""


async def answers(make_database: MakeDatabase, count: int) -> dict[str, int]:
    """Step → bytes of what it brings into the history, of an order half of whose lines wait for supply."""
    world = World(make_database, random.Random(1))
    world.orders.order = world.document({str(number): (2, "0.10") for number in range(1, count + 1)})
    world.version = 1
    world.stock.shelve("W1", {line.sku: 2 for line in world.orders.order.lines[::2]})
    brought: dict[str, Any] = {
        "credit": await world.billing.commit_credit(world.credit()),
        "reserve": await world.inventory.reserve_stock(world.step()),
        "release": await world.fulfillment.release_shipments(world.step()),
    }
    (shipment,) = world.open_shipments()
    world.warehouse.send(shipment)
    brought["ship"] = await world.inventory.ship_stock(world.step(shipment.shipment_id))
    brought["invoice"] = await world.billing.issue_invoice(world.step(shipment.shipment_id))
    brought["adjust"] = await world.inventory.adjust_reservation(world.step())
    return {name: len(json.dumps(asdict(answer))) for name, answer in brought.items()}


@pytest.mark.parametrize("count", [10, MAX_LINES])
async def test_what_steps_bring_back_does_not_grow_with_the_lines(make_database: MakeDatabase, count: int) -> None:
    brought = await answers(make_database, count)

    assert {name: size for name, size in brought.items() if size > MOST[name]} == {}
