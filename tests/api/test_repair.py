"""Repairing orders through the API: what was lost is started again, what runs reads again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import World


async def placed(world: World, key: str = "k1") -> dict[str, Any]:
    """An accepted order, older than the sweep's patience."""
    world.validates()
    receipt: dict[str, Any] = (await world.place(key=key, po_number=f"PO-{key}")).json()
    with world.database.transaction() as session:
        session.execute(text("UPDATE sales_order SET placed_at = '2026-01-01T00:00:00.000000+00:00'"))
        session.execute(text("UPDATE outbox SET state = 'sent'"))
    return receipt


def outbox(world: World) -> list[str]:
    """Kinds of the messages that wait."""
    with world.database.reading() as session:
        return list(session.scalars(text("SELECT kind FROM outbox WHERE state = 'unsent' ORDER BY kind")))


@pytest.mark.parametrize(
    ("is_lost", "what", "message"), [(True, "started", "workflow_resumed"), (False, "woken", "signal")]
)
async def test_an_order_is_started_again_only_when_its_workflow_does_not_run(
    world: World, is_lost: bool, what: str, message: str
) -> None:
    order = await placed(world)
    world.workflows.lost = {order["number"]} if is_lost else set()

    answer = await world.send("POST", f"/v1/orders/{order['number']}/repair", "support")

    assert (answer.status_code, answer.json()["what"], answer.json()["number"]) == (200, what, order["number"])
    assert outbox(world) == [message]


async def test_every_lost_order_is_repaired_at_once_and_no_other(world: World) -> None:
    lost, _ = await placed(world), await placed(world, "k2")
    world.workflows.lost = {lost["number"]}

    first = (await world.send("POST", "/v1/repairs", "admin", json={"cursor": ""})).json()
    second = (await world.send("POST", "/v1/repairs", "admin", json={"cursor": ""})).json()

    assert [(row["number"], row["what"], row["resumption"]) for row in first["rows"]] == [
        (lost["number"], "started", 1)
    ]
    assert (first["checked"], first["next_cursor"]) == (2, None)
    assert second["rows"] == []  # its start still waits in the outbox
