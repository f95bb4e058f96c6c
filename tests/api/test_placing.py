from __future__ import annotations

import asyncio

import pytest

from services.orders.domain.access import EVERYTHING
from services.orders.store import overview
from tests.api.conftest import World


async def test_a_placed_order_is_answered_with_its_verdict_and_totals(world: World) -> None:
    world.validates()

    answer = await world.place()

    # 4 × 129.00 + 800.00 = 1,316.00; tax 8.25 % = 108.57
    receipt = answer.json()
    assert answer.status_code == 201
    assert receipt["totals"]["total"] == {"amount": "1424.57", "currency": "USD"}
    assert (receipt["phase"], receipt["number"], receipt["reasons"]) == ("accepted", "SO-1001", [])
    assert answer.headers["Location"] == receipt["links"]["order"]


async def test_an_order_is_stored_and_answered_202_while_the_workflows_are_away(world: World) -> None:
    world.workflows.is_away = True

    answer = await world.place()

    assert (answer.status_code, answer.json()["status"]) == (202, "received")


@pytest.mark.parametrize("is_away", [False, True])
async def test_the_same_key_and_body_gets_the_first_answer_again_for_ever(world: World, *, is_away: bool) -> None:
    world.validates()
    world.workflows.is_away = is_away

    first = await world.place()
    world.workflows.is_away = False
    again = await world.place()

    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert _count(world) == 1


async def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    await world.place()

    answer = await world.place(po_number="PO-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert _count(world) == 1


async def test_fifty_identical_requests_at_once_are_one_order_and_fifty_equal_answers(world: World) -> None:
    world.validates()

    answers = await asyncio.gather(*(world.place() for _ in range(50)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert _count(world) == 1


async def test_two_callers_may_use_the_same_key(world: World) -> None:
    await world.place()

    answer = await world.place("sales_rep")

    assert "Idempotent-Replayed" not in answer.headers
    assert _count(world) == 2


async def test_an_order_without_a_key_is_refused_with_a_sentence(world: World) -> None:
    answer = await world.place(key="")

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_MISSING")
    assert "Idempotency-Key" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("role", "customer"), [("customer", "cus_rival"), ("sales_rep", "cus_rival"), ("channel", "cus_no")]
)
async def test_nobody_orders_for_a_customer_that_is_not_theirs(world: World, role: str, customer: str) -> None:
    answer = await world.place(role, customer_id=customer)

    assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_CUSTOMER")
    assert _count(world) == 0


async def test_a_customer_gives_itself_no_discount(world: World) -> None:
    refused = await world.place(discount="100.00")
    given = await world.place("sales_rep", discount="100.00")

    assert (refused.status_code, given.status_code) == (403, 201)


@pytest.mark.parametrize("channel", ["amazon", "ebay", "pos"])
async def test_a_customer_does_not_order_at_the_prices_of_a_marketplace(world: World, channel: str) -> None:
    refused = await world.place(channel=channel)
    taken = await world.place("channel", channel=channel)

    assert (refused.status_code, refused.json()["code"], taken.status_code) == (403, "CHANNEL_NOT_PERMITTED", 201)


async def test_every_wrong_member_is_named_at_once(world: World) -> None:
    lines = [{"sku": "PUMP-100", "quantity": 0, "unit_price": "1e3"}, {"sku": "", "quantity": 1.5}]

    answer = await world.place(lines=lines, color="red")

    pointers = {problem["pointer"] for problem in answer.json()["errors"]}
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert pointers >= {"/lines/0/quantity", "/lines/0/unit_price", "/lines/1/sku", "/lines/1/quantity", "/color"}


def _count(world: World) -> int:
    with world.database.reading() as session:
        return sum(overview.count_by_status(session, EVERYTHING).values())
