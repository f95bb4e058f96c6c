"""Why an order is served from where it is, over HTTP, and the policy behind it."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import inventory_pb2 as inventory
from tests.api.conftest import World

PLAN = inventory.SourcingPlan(
    plan_id="src_1",
    planned_at_micros=1_770_000_000_000_000,
    currency="USD",
    wanted_quantity=14,
    quantity=14,
    bound_minor=1600,
    is_optimal=True,
    gap_bp=0,
    why="wh_2 for 16.00 USD: 1.00 USD less than wh_1 and wh_3; nothing that serves as much costs less",
    candidates=[
        inventory.SourcingCandidate(
            shipments=[inventory.PlannedShipment(warehouse_id="wh_2", carrier="ups", quantity=14, cost_minor=1600)],
            quantity=14,
            freight_minor=1600,
            total_minor=1600,
            is_chosen=True,
            reason="nothing that serves as much costs less",
        )
    ],
    unused=[inventory.UnusedWarehouse(warehouse_id="wh_4", reason="closed")],
)


@pytest.mark.parametrize("role", ["support", "warehouse", "auditor"])
async def test_staff_reads_why_an_order_is_served_from_where_it_is(world: World, role: str) -> None:
    placed = (await world.place()).json()
    world.inventory.plans[placed["order_id"]] = [PLAN]

    answer = await world.send("GET", f"/v1/orders/{placed['number']}/sourcing", role)

    [plan] = answer.json()["rows"]
    assert (plan["why"], plan["wanted"], plan["served"], plan["gap_percent"]) == (PLAN.why, 14, 14, "0.00")
    assert plan["bound"] == {"amount": "16.00", "currency": "USD"}
    [chosen] = plan["candidates"]
    assert chosen["shipments"][0] == {
        "warehouse_id": "wh_2",
        "carrier": "ups",
        "quantity": 14,
        "cost": {"amount": "16.00", "currency": "USD"},
        "promised_on": None,
        "delay": None,
    }
    assert (chosen["costs"]["freight"]["amount"], chosen["costs"]["splits"]["amount"]) == ("16.00", "0.00")
    assert plan["unused"] == [{"warehouse_id": "wh_4", "reason": "closed"}]


async def test_customers_and_channels_do_not_read_it_and_a_representative_that_of_its_own_alone(world: World) -> None:
    placed = (await world.place()).json()
    world.inventory.plans[placed["order_id"]] = [PLAN]
    path = f"/v1/orders/{placed['order_id']}/sourcing"

    refused = [(await world.send("GET", path, role)).status_code for role in ("customer", "channel")]
    foreign = await world.send("GET", path, "sales_rep", claims={"sub": "somebody.else"})

    assert refused == [403, 403]
    assert foreign.status_code == 404


async def test_before_stock_is_planned_there_is_nothing_to_explain(world: World) -> None:
    placed = (await world.place()).json()

    answer = await world.send("GET", f"/v1/orders/{placed['order_id']}/sourcing", "support")

    assert (answer.status_code, answer.json()["rows"]) == (200, [])


async def test_before_a_policy_is_stored_nothing_counts_and_an_administrator_changes_that(world: World) -> None:
    before = await world.send("GET", "/v1/sourcing-policy", "support")
    stored = await world.send("PATCH", "/v1/sourcing-policy", "admin", json={"maximum_splits": 0})

    assert before.json() == {
        "split_penalty_minor": 0,
        "late_day_minor": 0,
        "maximum_splits": None,
        "nodes": [],
        "customers": [],
        "version": 0,
    }
    assert (stored.status_code, stored.json()["maximum_splits"], stored.json()["version"]) == (200, 0, 1)
    assert (await world.send("PATCH", "/v1/sourcing-policy", "warehouse", json={})).status_code == 403
