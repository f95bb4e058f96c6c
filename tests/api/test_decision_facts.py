"""A review step and a hold, read through the API, carry the facts that a decision rests on."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as billing
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.types.v1 import types_pb2 as types
from tests.api.conftest import World
from tests.api.test_reviews import MAX, PEG, _reviewed, _step


async def _known(world: World) -> None:
    world.inventory.on_hand[("PUMP-100", "wh_1")] = 3
    world.inventory.inbound["PUMP-100"] = [
        inventory.InboundSupply(expected_on="2026-12-08", quantity=9, reference="PO-1")
    ]
    limit = types.Money(minor_units=1_000_00, currency="USD")
    world.billing.PutCreditAccount(billing.PutCreditAccountRequest(customer_id="cus_acme", limit=limit, net_days=30))
    world.billing.standing["cus_acme"] = (200_00, 300_00)
    world.billing.receivables = [
        billing.Receivable(customer_id="cus_acme", currency="USD", days_60_minor=150_00, overdue_since="2026-10-05")
    ]


async def _facts(world: World, path: str, role: str, **claims: Any) -> dict[str, Any] | None:
    answer = await world.send("GET", path, role, claims=claims)
    assert answer.status_code == 200, answer.text
    facts: dict[str, Any] | None = answer.json()["facts"]
    return facts


async def test_a_review_step_carries_availability_credit_prices_and_the_orders_combined(world: World) -> None:
    order = await _reviewed(world)
    await _known(world)
    other = (await world.place(key="k2", po_number="PO-2")).json()

    facts = await _facts(world, f"/v1/reviews/{_step(order, 'manager')['step_id']}", "approver", **MAX)

    assert facts is not None
    [pump] = facts["availability"]
    assert (pump["to_ship"], pump["available"], pump["short"]) == (4, 3, 1)
    assert pump["inbound"] == [{"expected_on": "2026-12-08", "quantity": 9, "reference": "PO-1"}]
    credit, total = facts["credit"], float(order["totals"]["total"]["amount"])
    assert (credit["limit"]["amount"], credit["exposure"]["amount"]) == ("1000.00", "500.00")
    assert (credit["overdue"]["amount"], credit["overdue_since"]) == ("150.00", "2026-10-05")
    assert float(credit["exposure_after"]["amount"]) == pytest.approx(500 + total)
    assert [row["number"] for row in facts["combined"]] == [other["number"]]
    assert facts["prices"][0]["unit_price"] == "129.00"
    assert facts["away"] == []


async def test_a_customer_and_a_role_without_prices_read_none_of_it(world: World) -> None:
    order = await _reviewed(world)
    await _known(world)

    buyers = await _facts(world, f"/v1/reviews/{_step(order, 'purchase_manager')['step_id']}", "customer", **PEG)
    warehouses = await _facts(world, f"/v1/reviews/{_step(order, 'manager')['step_id']}", "warehouse")

    assert buyers is None
    assert warehouses is not None
    assert [row["sku"] for row in warehouses["availability"]] == ["PUMP-100"]
    hidden = ("credit", "prices", "margin_percent", "combined")
    assert [warehouses[name] for name in hidden] == [None, None, None, None]


async def test_a_neighbor_that_is_away_is_named_and_its_part_is_null(world: World) -> None:
    order = await _reviewed(world)
    world.inventory.is_away = world.billing.is_away = True

    facts = await _facts(world, f"/v1/reviews/{_step(order, 'manager')['step_id']}", "approver", **MAX)

    assert facts is not None
    assert (facts["away"], facts["availability"], facts["credit"]) == (["inventory", "billing"], None, None)


async def test_a_hold_says_what_it_is_about_who_may_release_it_and_on_which_facts(world: World) -> None:
    world.validates(is_granted=False)
    placed = (await world.place()).json()
    order = (await world.send("GET", f"/v1/orders/{placed['number']}", "accounting")).json()
    await _known(world)
    path = f"/v1/orders/{order['order_id']}/holds/{order['holds'][0]['hold_id']}"

    read = (await world.send("GET", path, "accounting")).json()
    await world.send("POST", f"{path}/release", "accounting", key="k9", json={"note": "paid"})
    gone = (await world.send("GET", path, "accounting")).json()

    assert (read["about"], read["may_release"], read["owners"]) == (["credit"], True, ["accounting"])
    assert read["facts"]["credit"]["exposure"]["amount"] == "500.00"
    assert (gone["hold"]["released_at"] is not None, gone["facts"]) == (True, None)
