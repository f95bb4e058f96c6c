"""Cancelling lines and units over HTTP: what is previewed, asked, refused, and shown with the order."""

from __future__ import annotations

import pytest

from services.orders.changes import apply
from services.orders.lifecycle import apply_facts
from services.orders.store import changes
from tests.api.conftest import CONTACTS, NOW, World
from tests.facts import heard
from tests.orders.desk import shipment

LINES = {"lines": [{"line_id": "1", "quantity": 1}], "reason": "too many"}


async def _accepted(world: World) -> str:
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    return str(order_id)


async def test_units_of_a_line_are_previewed_and_asked_for_with_the_same_consequences(world: World) -> None:
    order_id = await _accepted(world)
    path = f"/v1/orders/{order_id}/cancellation"

    preview = (await world.send("POST", f"{path}?preview=true", "customer", key="p", json=LINES)).json()
    asked = await world.send("POST", path, "customer", key="c", json=LINES)
    again = await world.send("POST", path, "customer", key="c", json=LINES)
    another = await world.send("POST", path, "customer", key="d", json=LINES)

    assert (asked.status_code, asked.json()["state"]) == (202, "requested")
    assert asked.json()["consequences"] == preview["consequences"]
    line = preview["consequences"]["lines"][0]
    assert (line["cancelled"], line["left"], preview["consequences"]["is_whole"]) == (1, 3, False)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert (another.status_code, another.json()["code"]) == (409, "CANCELLATION_PENDING")
    assert world.workflows.cancelled == []


async def test_what_it_comes_to_is_shown_with_the_order_by_who_may_see_it(world: World) -> None:
    order_id = await _accepted(world)
    world.billing.commitments[order_id] = 99_900
    await world.send("POST", f"/v1/orders/{order_id}/cancellation", "support", key="c", json=LINES)

    async def shown(role: str) -> object:
        order = (await world.send("GET", f"/v1/orders/{order_id}", role)).json()
        [asked] = order["cancellations"]
        return asked["consequences"] and asked["consequences"]["released_credit"]

    assert await shown("support") is not None
    assert await shown("customer") is None


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ([{"line_id": "1", "quantity": 5}], 409, "MORE_THAN_LEFT"),
        ([{"line_id": "7"}], 409, "LINE_UNKNOWN"),
        ([{"line_id": "1"}, {"line_id": "1"}], 409, "LINE_NAMED_TWICE"),
        ([{"line_id": "1", "quantity": 0}], 422, "INVALID_REQUEST"),
    ],
)
async def test_what_cannot_be_cancelled_says_what_can(
    world: World, lines: list[dict[str, object]], status: int, code: str
) -> None:
    order_id = await _accepted(world)
    body = {"reason": "too many", "lines": lines}

    answer = await world.send("POST", f"/v1/orders/{order_id}/cancellation", "customer", key="c", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_all_of_it_that_is_shipped_is_a_matter_for_a_return(world: World) -> None:
    order_id = await _accepted(world)
    with world.database.transaction() as session:
        left = heard("shipment_shipped", shipment("SH-1", "shipped", {"1": 4, "2": 1}), "fulfillment", order_id)
        apply_facts.take(session, [left], CONTACTS, NOW)

    answer = await world.send(
        "POST", f"/v1/orders/{order_id}/cancellation", "customer", key="c", json={"reason": "too late"}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "ALREADY_SHIPPED")
    assert "return" in answer.json()["detail"]


async def test_one_that_no_warehouse_has_answered_is_withdrawn_once_and_may_be_asked_again(world: World) -> None:
    order_id = await _accepted(world)
    path = f"/v1/orders/{order_id}/cancellation"
    asked = (await world.send("POST", path, "customer", key="c", json=LINES)).json()
    withdrawal = f"/v1/orders/{order_id}/cancellations/{asked['cancellation_id']}/withdrawal"

    early = await world.send("POST", withdrawal, "customer", key="early")
    with world.database.transaction() as session:
        change_id = changes.pending_of(session, [order_id])[order_id].change_id
        apply.record(session, order_id, change_id, "recall", "", CONTACTS, NOW)
    waiting = (await world.send("GET", f"/v1/orders/{order_id}", "customer")).json()["waiting_for"]
    done = await world.send("POST", withdrawal, "customer", key="w", json={"note": "we keep it"})
    same = await world.send("POST", withdrawal, "customer", key="w", json={"note": "we keep it"})
    late = await world.send("POST", withdrawal, "customer", key="x")
    unknown = await world.send("POST", withdrawal.replace("can_", "nope_"), "customer", key="y")
    again = await world.send("POST", path, "customer", key="d", json=LINES)

    assert (early.status_code, early.json()["code"]) == (409, "CANCELLATION_NOT_WAITING")
    assert (waiting["who"], waiting["what"]) == ("warehouse", "answer to the recall for a cancellation")
    assert waiting["due"] is not None
    assert (done.status_code, done.json()["state"], same.json()) == (200, "declined", done.json())
    assert (late.status_code, late.json()["code"]) == (409, "CANCELLATION_NOT_WAITING")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "CANCELLATION_UNKNOWN")
    assert again.status_code == 202


async def test_without_a_refund_what_was_paid_stays_on_account_and_only_support_may(world: World) -> None:
    world.validates()
    placed = await world.place(payment={"method": "prepaid"})
    order_id = placed.json()["order_id"]
    with world.database.transaction() as session:
        held = {
            "payment_id": "pay_1",
            "amount_minor": 500_000,
            "currency": "USD",
            "reference": "w",
            "held_minor": 500_000,
        }
        apply_facts.take(session, [heard("deposit_received", held, "billing", order_id)], CONTACTS, NOW)
    path, body = f"/v1/orders/{order_id}/cancellation", {**LINES, "without_refund": True}

    with_it = (await world.send("POST", f"{path}?preview=true", "support", key="p", json=LINES)).json()["consequences"]
    without = (await world.send("POST", f"{path}?preview=true", "support", key="q", json=body)).json()["consequences"]
    refused = await world.send("POST", path, "customer", key="c", json=body)
    foreseen = await world.send("POST", f"{path}?preview=true", "customer", key="r", json=body)
    done = await world.send("POST", path, "support", key="d", json=body)

    zero = {"amount": "0.00", "currency": "USD"}
    assert with_it["on_account"] == without["refund"] == zero
    assert with_it["refund"] == without["on_account"] != zero
    assert (refused.status_code, refused.json()["code"]) == (403, "REFUND_IS_OWED")
    assert (foreseen.status_code, foreseen.json()["code"]) == (403, "REFUND_IS_OWED")
    assert done.json()["consequences"] == without
