from __future__ import annotations

from services.orders.lifecycle import apply_facts
from tests.api.conftest import CONTACTS, NOW, World
from tests.facts import heard
from tests.orders.desk import shipment


async def _arrived(world: World) -> str:
    """An order of which the pumps have arrived; gives the path of its feedback."""
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    detail = shipment("SH-1", "delivered", {"1": 4})
    with world.database.transaction() as session:
        fact = heard("shipment_delivered", detail, "fulfillment", order_id)
        apply_facts.take(session, [fact], CONTACTS, NOW)
    return f"/v1/orders/{order_id}/feedback"


async def test_feedback_is_given_once_and_its_repeat_is_replayed(world: World) -> None:
    path = await _arrived(world)

    missing = await world.send("GET", path, "customer")
    first = await world.send("POST", path, "customer", key="f", json={"rating": 2, "comment": "late"})
    again = await world.send("POST", path, "customer", key="f", json={"rating": 2, "comment": "late"})
    other = await world.send("POST", path, "customer", key="f", json={"rating": 5})
    second = await world.send("POST", path, "customer", json={"rating": 5})
    shown = await world.send("GET", path, "auditor")

    assert (missing.status_code, missing.json()["code"]) == (404, "FEEDBACK_UNKNOWN")
    assert (first.status_code, first.json()["case_number"], first.json()["given_by"]) == (201, "CASE-1001", "ann")
    assert (again.status_code, again.content, again.headers["Idempotent-Replayed"]) == (201, first.content, "true")
    assert (other.status_code, second.status_code, second.json()["code"]) == (422, 409, "FEEDBACK_GIVEN")
    assert shown.json() == first.json()


async def test_a_customer_is_told_the_role_of_who_gave_it_on_its_behalf(world: World) -> None:
    path = await _arrived(world)

    await world.send("POST", path, "support", json={"wants_support": True}, claims={"sub": "sue"})

    assert (await world.send("GET", path, "customer")).json()["given_by"] == "support"
    assert (await world.send("GET", path, "admin")).json()["given_by"] == "sue"


async def test_feedback_before_a_delivery_is_refused(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]

    early = await world.send("POST", f"/v1/orders/{order_id}/feedback", "customer", json={"rating": 5})

    assert (early.status_code, early.json()["code"]) == (409, "NOTHING_DELIVERED")


async def test_an_opinion_that_says_nothing_or_too_much_is_refused(world: World) -> None:
    path = await _arrived(world)

    silent = [await world.send("POST", path, "customer", json=body) for body in ({}, {"comment": "nice"})]
    wrong = [await world.send("POST", path, "customer", json={"rating": it}) for it in (0, 6, True, "5", 4.5)]

    assert {(answer.status_code, answer.json()["code"]) for answer in silent} == {(422, "FEEDBACK_EMPTY")}
    assert [answer.status_code for answer in wrong] == [422] * 5
