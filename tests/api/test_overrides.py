"""An override is bound to what it was given for: over HTTP, from the order to what its customer asks of it later."""

from __future__ import annotations

from typing import Any

from services.orders.changes import apply
from services.orders.policies.engine import Credit
from services.orders.store import orders
from tests.api.conftest import CONTACTS, NOW, World

PART = {"sku": "PART-1", "description": "Part", "kind": "stock", "currency": "USD"}
MUCH = {"list_price": "10.00", "standard_cost": "5.40"}


async def test_ten_at_a_price_that_two_people_released_do_not_become_three_thousand(world: World) -> None:
    """10 at 5.50 of a list price of 10.00 and a cost of 5.40: sales release the price, an approver the margin of 1.8 %."""
    order_id = await _released(world)
    _settles(world)
    body = {"reason": "more", "lines": [{"line_id": "1", "quantity": 3000}]}

    shown = (await _change(world, order_id, body, preview=True)).json()
    asked = (await _change(world, order_id, body)).json()
    order = (await world.send("GET", f"/v1/orders/{order_id}", "customer")).json()

    assert (shown["state"], asked["state"]) == ("preview", "in_review")
    assert "our people review it before it is made" in shown["consequences"]
    assert (order["version"], order["lines"][0]["quantity"]) == (1, 10)
    steps = (await world.send("GET", f"/v1/orders/{order_id}", "approver")).json()["reviews"][-1]["steps"]
    assert sorted(step["role"] for step in steps) == ["approver", "sales_rep"]


async def test_fewer_at_that_price_and_as_many_again_are_made_at_once(world: World) -> None:
    order_id = await _released(world)
    _settles(world)

    states = [
        (await _change(world, order_id, {"reason": "n", "lines": [{"line_id": "1", "quantity": units}]})).json()[
            "state"
        ]
        for units in (6, 10)
    ]

    assert states == ["applied", "applied"]


async def _released(world: World) -> str:
    """The order, accepted by its two releases."""
    await world.send("POST", "/v1/products", "admin", json={**PART, **MUCH})
    world.validates()
    lines = [{"sku": "PART-1", "quantity": 10, "unit_price": "5.50"}]
    order_id = str((await world.place(lines=lines)).json()["order_id"])
    held = (await world.send("GET", f"/v1/orders/{order_id}", "support")).json()["holds"]
    assert sorted(hold["owner_role"] for hold in held) == ["approver", "sales_rep"]
    for hold in held:
        path = f"/v1/orders/{order_id}/holds/{hold['hold_id']}/release"
        released = await world.send("POST", path, hold["owner_role"], json={"note": "for these ten"})
        assert released.status_code == 200
    return order_id


def _settles(world: World) -> None:
    """Let the workflow make an agreed change as soon as it looks."""

    def settle(number: str, change_id: str) -> None:
        with world.database.transaction() as session:
            apply.apply(session, orders.find_id(session, number), change_id, Credit(True, 0, 0), CONTACTS, NOW)

    world.workflows.on_refresh = settle


async def _change(world: World, order_id: str, body: dict[str, Any], **params: Any) -> Any:
    return await world.send("POST", f"/v1/orders/{order_id}/changes", "customer", json=body, params=params)
