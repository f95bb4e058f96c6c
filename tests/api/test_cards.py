"""Cards through the API: a token goes in and never comes out, another card is given, and the provider's events are signed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.billing.fake_stripe.events import sign
from services.orders.store import cards
from tests.api.conftest import NOW, STRIPE_SECRET, MakeWorld, World

VISA = "pm_card_visa"
BY_CARD: dict[str, Any] = {"payment": {"method": "card", "token": VISA}}
EVENT = {
    "id": "evt_1",
    "type": "charge.refunded",
    "data": {"object": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}},
}


async def test_a_token_is_kept_for_billing_and_is_in_no_answer_event_or_message(world: World) -> None:
    world.validates()
    placed = await world.place(**BY_CARD)
    order_id = placed.json()["order_id"]
    shown = [await world.send("GET", f"/v1/orders/{order_id}{path}", "auditor") for path in ("", "/history", "/money")]

    with world.database.reading() as session:
        token = cards.token_of(session, order_id)
        tables = [name for name in world.database.metadata.tables if name != "order_card"]
        rows = [str(session.execute(text(f'SELECT * FROM "{name}"')).all()) for name in tables]  # our own tables
    assert (placed.status_code, token) == (201, VISA)
    assert world.workflows.placed[-1].pays_by_card
    assert [VISA in answer.text for answer in (placed, *shown)] == [False] * 4
    assert [name for name, row in zip(tables, rows, strict=True) if VISA in row] == []


@pytest.mark.parametrize(
    "payment",
    [
        {"method": "card", "token": "4242424242424242"},
        {"method": "terms", "token": VISA},
        {"method": "card", "token": ""},
    ],
)
async def test_what_is_no_token_of_a_card_is_refused_and_not_repeated(world: World, payment: dict[str, str]) -> None:
    refused = await world.place(payment=payment)

    assert refused.status_code == 422
    assert "4242" not in refused.text


@pytest.mark.parametrize("channel", ["amazon", "ebay", "pos"])
async def test_the_card_of_an_order_that_its_channel_was_paid_for_is_refused_and_not_kept(
    world: World, channel: str
) -> None:
    refused = await world.place("sales_rep", channel=channel, **BY_CARD)
    taken = await world.place("sales_rep", key="k2", channel=channel, payment={"method": "card"})

    with world.database.reading() as session:
        assert session.execute(text("SELECT token FROM order_card")).all() == []
    assert (refused.status_code, refused.json()["code"]) == (422, "CARD_TOKEN_UNUSED")
    assert taken.status_code == 201


async def test_where_no_card_is_taken_an_order_by_card_is_refused_in_a_sentence(make_world: MakeWorld) -> None:
    world = make_world(stripe_webhook_secret="")

    refused = await world.place(**BY_CARD)

    assert (refused.status_code, refused.json()["code"]) == (409, "CARDS_NOT_TAKEN")
    assert "order on terms" in refused.json()["detail"]


async def test_another_card_replaces_the_first_and_the_answer_says_what_became_of_it(world: World) -> None:
    world.validates()
    order_id = (await world.place(**BY_CARD)).json()["order_id"]
    path = f"/v1/orders/{order_id}/card"
    poor = "pm_card_visa_chargeDeclined"

    declined = await world.send("POST", path, "customer", key="a", json={"token": poor})
    given = await world.send("POST", path, "customer", key="b", json={"token": "pm_card_mastercard"})
    captured = await world.send("POST", f"/v1/orders/{order_id}/captures", "accounting", key="c")
    history = await world.send("GET", f"/v1/orders/{order_id}/history", "auditor")

    assert declined.json() == {"order_id": order_id, "card": "declined", "decline_reason": "generic_decline"}
    assert (given.json()["card"], captured.json()["state"]) == ("authorized", "captured")
    assert world.billing.cards == {order_id: "pm_card_mastercard"}
    assert [event["what"] for event in history.json()["rows"]].count("card_given") == 2
    assert "pm_card" not in history.text


POOR = "pm_card_visa_chargeDeclined"
MASTER = "pm_card_mastercard"


def _kept(world: World, order_id: str) -> tuple[str, list[str]]:
    """The token that the order is paid with, and those that were given since."""
    with world.database.reading() as session:
        return cards.token_of(session, order_id), [one.token for one in cards.given(session, order_id)]


async def test_a_card_that_is_declined_takes_the_place_of_none(world: World) -> None:
    world.validates()
    order_id = (await world.place(**BY_CARD)).json()["order_id"]
    path = f"/v1/orders/{order_id}/card"

    declined = await world.send("POST", path, "customer", key="a", json={"token": POOR})
    after_declined = _kept(world, order_id)
    await world.send("POST", path, "customer", key="b", json={"token": MASTER})

    assert declined.json()["card"] == "declined"
    assert after_declined == (VISA, [])
    assert _kept(world, order_id) == (MASTER, [])


async def test_a_card_whose_answer_was_lost_is_kept_by_the_retry_and_a_late_one_replaces_no_newer(
    world: World,
) -> None:
    world.validates()
    order_id = (await world.place(**BY_CARD)).json()["order_id"]
    path = f"/v1/orders/{order_id}/card"
    other = "pm_card_amex"

    world.billing.is_away = True
    lost = await world.send("POST", path, "customer", key="a", json={"token": other})
    await world.send("POST", path, "customer", key="b", json={"token": MASTER})
    world.billing.is_away = False
    between = _kept(world, order_id)
    retried = await world.send("POST", path, "customer", key="b", json={"token": MASTER})
    late = await world.send("POST", path, "customer", key="a", json={"token": other})
    history = await world.send("GET", f"/v1/orders/{order_id}/history", "auditor")

    assert lost.status_code == 503
    assert between == (VISA, [other, MASTER])
    assert (retried.json()["card"], late.json()["card"]) == ("authorized", "authorized")
    assert _kept(world, order_id) == (MASTER, [])
    assert [event["what"] for event in history.json()["rows"]].count("card_given") == 2


async def test_a_card_of_which_the_provider_says_nothing_yet_is_asked_for_again_before_it_is_captured_from(
    world: World,
) -> None:
    world.validates()
    order_id = (await world.place(**BY_CARD)).json()["order_id"]
    world.billing.is_provider_silent = True
    asked = await world.send("POST", f"/v1/orders/{order_id}/card", "customer", key="a", json={"token": MASTER})
    between = _kept(world, order_id)
    world.billing.is_provider_silent = False

    await world.send("POST", f"/v1/orders/{order_id}/captures", "accounting", key="c")

    assert (asked.json()["card"], between) == ("asked", (VISA, [MASTER]))
    assert _kept(world, order_id) == (MASTER, [])


async def test_an_order_on_terms_and_another_companys_have_no_card(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/card"

    on_terms = await world.send("POST", path, "customer", key="a", json={"token": VISA})
    rival = await world.send("POST", path, "customer", key="b", json={"token": VISA}, claims={"company": "cus_rival"})

    assert (on_terms.status_code, on_terms.json()["code"]) == (409, "ORDER_NOT_BY_CARD")
    assert rival.status_code == 404


async def _event(world: World, body: bytes, signature: str) -> Any:
    headers = {"stripe-signature": signature, "content-type": "application/json"}
    return await world.send("POST", "/v1/webhooks/payments/stripe", content=body, headers=headers)


def _signed(body: bytes, secret: str = STRIPE_SECRET, at: datetime = NOW) -> str:
    return sign(secret, body, int(at.timestamp()))


async def test_a_signed_event_is_taken_once_and_names_what_is_to_be_read(world: World) -> None:
    body = json.dumps(EVENT).encode()

    answers = [await _event(world, body, _signed(body)) for _ in range(2)]

    assert [(one.status_code, one.json()) for one in answers] == [(200, {"is_new": True}), (200, {"is_new": False})]
    assert world.billing.events == {"evt_1": "pi_1"}


async def test_an_event_of_a_page_names_the_page(world: World) -> None:
    """Not its payment intent, which is known here only once the page was read."""
    subject = {"id": "cs_1", "object": "checkout.session", "payment_intent": "pi_1"}
    body = json.dumps({"id": "evt_2", "type": "checkout.session.completed", "data": {"object": subject}}).encode()

    await _event(world, body, _signed(body))

    assert world.billing.events == {"evt_2": "cs_1"}


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        ("", "SIGNATURE_MISSING"),
        ("t=x,v1=00", "TIMESTAMP_REFUSED"),
        (_signed(json.dumps(EVENT).encode(), at=NOW - timedelta(minutes=6)), "TIMESTAMP_REFUSED"),
        (_signed(json.dumps(EVENT).encode(), secret="whsec_other"), "SIGNATURE_REFUSED"),
        (_signed(b"{}"), "SIGNATURE_REFUSED"),
    ],
)
async def test_an_event_that_is_not_signed_by_the_provider_now_is_refused(
    world: World, signature: str, code: str
) -> None:
    refused = await _event(world, json.dumps(EVENT).encode(), signature)

    assert (refused.status_code, refused.json()["code"]) == (401, code)
    assert world.billing.events == {}


async def test_without_a_secret_nothing_is_believed(make_world: MakeWorld) -> None:
    world, body = make_world(stripe_webhook_secret=""), json.dumps(EVENT).encode()

    assert (await _event(world, body, _signed(body, secret=""))).status_code == 401
