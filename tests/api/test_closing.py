"""Closing lines over HTTP: staff alone close what has shipped in part, and the answer says closed, not canceled."""

from __future__ import annotations

from services.orders.lifecycle import apply_facts
from tests.api.conftest import CONTACTS, NOW, World
from tests.facts import heard
from tests.orders.desk import shipment

CLOSING = {"reason": "the model is discontinued", "lines": [{"line_id": "1"}]}


async def _part_shipped(world: World) -> str:
    world.validates()
    order_id = str((await world.place()).json()["order_id"])
    left = heard("shipment_shipped", shipment("SH-1", "shipped", {"1": 1}), "fulfillment", order_id)
    with world.database.transaction() as session:
        apply_facts.take(session, [left], CONTACTS, NOW)
    return order_id


async def test_a_line_is_closed_with_what_was_previewed_and_the_order_keeps_it(world: World) -> None:
    order_id = await _part_shipped(world)
    path = f"/v1/orders/{order_id}/close"

    preview = (await world.send("POST", f"{path}?preview=true", "support", key="p", json=CLOSING)).json()
    asked = await world.send("POST", path, "support", key="c", json=CLOSING)
    again = await world.send("POST", path, "support", key="c", json=CLOSING)
    order = (await world.send("GET", f"/v1/orders/{order_id}", "customer")).json()

    does = preview["consequences"]
    line = does["lines"][0]
    assert (asked.status_code, asked.json()["consequences"]) == (202, does)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert (does["is_closing"], does["cancelled"], does["closed"]["1"]) == (True, {}, 3)
    assert (line["cancelled"], line["closed"], line["left"], does["mails"]) == (0, 3, 1, ["units_closed"])
    assert order["cancellations"][0]["consequences"]["is_closing"]
    assert world.workflows.cancelled == []


async def test_a_customer_does_not_close(world: World) -> None:
    order_id = await _part_shipped(world)

    answer = await world.send("POST", f"/v1/orders/{order_id}/close", "customer", key="c", json=CLOSING)

    assert answer.status_code == 403


async def test_what_has_not_shipped_at_all_is_canceled_instead(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]

    answer = await world.send("POST", f"/v1/orders/{order_id}/close", "support", key="c", json={"reason": "over"})

    assert (answer.status_code, answer.json()["code"]) == (409, "NOTHING_SHIPPED")
