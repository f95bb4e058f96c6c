"""A key that was seen with another body: refused with 409 and one exception a key and digest, never lost in a 200."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from gateway.http.neighbors.signatures import sign
from tests.api.conftest import CARRIER_SECRET, NOW, World

IN_TRANSIT = {"tracking_number": "1Z999", "status": "in_transit", "occurred_at": "2026-12-01T07:00:00Z"}
PAYMENT = {"customer_id": "cus_acme", "amount": {"amount": "100.00", "currency": "USD"}, "reference": "WIRE-1"}


async def deliver(world: World, event_id: str = "evt_1", **changes: str) -> httpx.Response:
    body = json.dumps({**IN_TRANSIT, **changes}).encode()
    headers = {**sign(CARRIER_SECRET, event_id, NOW, body), "Content-Type": "application/json"}
    return await world.send("POST", "/v1/webhooks/carriers/ups", headers=headers, content=body)


async def pay(world: World, key: str, **changes: Any) -> httpx.Response:
    return await world.send("POST", "/v1/payments", "accounting", key=key, json={**PAYMENT, **changes})


async def found(world: World, kind: str) -> list[dict[str, Any]]:
    return list((await world.send("GET", f"/v1/exceptions?kind={kind}", "support")).json()["rows"])


async def shipped(world: World) -> str:
    order_id = str((await world.place()).json()["order_id"])
    world.fulfillment.release("shp_1", tracking_number="1Z999", order_id=order_id)
    return order_id


@pytest.mark.parametrize(
    "other",
    [{"status": "delivered"}, {"status": "exception"}, {"occurred_at": "2026-12-01T08:00:00Z"}],
    ids=["delivered", "exception", "instant"],
)
async def test_a_webhook_id_with_another_body_is_a_conflict_and_one_exception(
    world: World, other: dict[str, str]
) -> None:
    order_id = await shipped(world)
    assert (await deliver(world)).status_code == 200

    answers = [await deliver(world, **other) for _ in range(3)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "WEBHOOK_ID_REUSED")] * 3
    assert [(row["order_id"], row["owner_role"]) for row in await found(world, "webhook_id_reused")] == [
        (order_id, "support")
    ]
    assert (await deliver(world)).json()["is_new"] is False


async def test_each_other_body_is_an_exception_of_its_own_and_once_for_ever(world: World) -> None:
    await shipped(world)
    await deliver(world)
    await deliver(world, status="delivered")
    first = (await found(world, "webhook_id_reused"))[0]
    path = f"/v1/exceptions/{first['exception_id']}/resolve"
    assert (await world.send("POST", path, "support", json={"note": "the carrier sent it again"})).is_success

    await deliver(world, status="delivered")
    await deliver(world, status="exception")

    assert len(await found(world, "webhook_id_reused")) == 2


async def test_a_bank_reference_with_another_amount_is_a_conflict_and_one_exception(world: World) -> None:
    order_id = (await world.place()).json()["order_id"]
    await pay(world, "p1")
    other = {"amount": "101.00", "currency": "USD"}

    answers = [await pay(world, key, amount=other, reference="WIRE-1") for key in ("p2", "p3")]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "PAYMENT_REFERENCE_REUSED")] * 2
    assert [(row["order_id"], row["owner_role"]) for row in await found(world, "bank_reference_reused")] == [
        (order_id, "accounting")
    ]


async def test_an_idempotency_key_with_another_body_stays_unprocessable(world: World) -> None:
    await pay(world, "p1")

    other = await pay(world, "p1", reference="WIRE-2")

    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await found(world, "bank_reference_reused") == []
