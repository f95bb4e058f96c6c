from __future__ import annotations

import json
from datetime import datetime, timedelta

import httpx

from gateway.http.neighbors.signatures import sign
from tests.api.conftest import CARRIER_SECRET, NOW, World

EVENT = {"tracking_number": "1Z999", "status": "delivered", "occurred_at": "2026-12-01T08:59:00Z"}


async def _deliver(
    world: World,
    *,
    event_id: str = "evt_1",
    sent_at: datetime = NOW,
    carrier: str = "ups",
    secret: str = CARRIER_SECRET,
    tampered: str = "",
    **changes: str,
) -> httpx.Response:
    world.fulfillment.release("shp_1", tracking_number="1Z999")
    body = json.dumps({**EVENT, **changes}).encode()
    headers = {**sign(secret, event_id, sent_at, body), "Content-Type": "application/json"}
    sent = tampered.encode() or body
    return await world.send("POST", f"/v1/webhooks/carriers/{carrier}", headers=headers, content=sent)


async def test_a_signed_event_moves_the_shipment_once_however_often_it_comes(world: World) -> None:
    first, second = await _deliver(world), await _deliver(world)

    assert (first.status_code, first.json()["is_new"], first.json()["state"]) == (200, True, "delivered")
    assert (second.status_code, second.json()["is_new"]) == (200, False)
    assert world.fulfillment.actions == 1


async def test_a_bad_signature_changes_nothing(world: World) -> None:
    other = "whsec_" + "QUFB" * 10
    answers = [
        await _deliver(world, secret=other),
        await _deliver(world, carrier="dhl"),
        await _deliver(world, tampered=json.dumps({**EVENT, "tracking_number": "1Z998"})),
        await world.send("POST", "/v1/webhooks/carriers/ups", json=EVENT),
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert world.fulfillment.actions == 0


async def test_an_old_or_future_timestamp_is_refused(world: World) -> None:
    for drift in (timedelta(minutes=-6), timedelta(minutes=6)):
        answer = await _deliver(world, sent_at=NOW + drift)

        assert (answer.status_code, answer.json()["code"]) == (401, "TIMESTAMP_REFUSED")


async def test_a_signed_event_that_makes_no_sense_is_named(world: World) -> None:
    answer = await _deliver(world, status="lost in space")
    unknown = await _deliver(world, tracking_number="1Z000")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/status")
    assert unknown.status_code == 404


async def test_a_token_opens_no_webhook(world: World) -> None:
    answer = await world.send("POST", "/v1/webhooks/carriers/ups", "admin", json=EVENT)

    assert answer.status_code == 401
