from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from gateway.http.orders.stream import changes
from services.kernel.clock import micros
from services.orders.access.matrix import Caller
from services.orders.lifecycle import apply_facts, record_milestone
from services.orders.lifecycle.record_milestone import Milestone
from services.orders.store import orders
from services.runtime.auth import Principal
from tests.api.conftest import CONTACTS, NOW, MakeWorld, World
from tests.facts import heard
from tests.orders.desk import shipment
from workflows.messages import CancelOrder, CancelOutcome

SUPPORT = Caller(Principal("sue", frozenset({"support"}), None), "all")


async def _held(world: World) -> dict[str, Any]:
    """An order with a credit hold, as support reads it."""
    world.validates(is_granted=False)
    placed = (await world.place()).json()
    assert placed["status"] == "on_hold"
    document: dict[str, Any] = (await world.send("GET", f"/v1/orders/{placed['number']}", "support")).json()
    return document


def _cancels(world: World) -> None:
    """Let the workflow carry cancellations out as the saga records them."""

    def cancel(number: str, request: CancelOrder) -> CancelOutcome:
        with world.database.transaction() as session:
            record_milestone.record(session, orders.find_id(session, number), Milestone("cancelled", 1), CONTACTS, NOW)
        return CancelOutcome(is_cancelled=True)

    world.workflows.on_cancel = cancel


async def test_the_whole_order_is_shown_with_what_it_waits_for(world: World) -> None:
    order = await _held(world)

    assert order["axes"]["holds"] == ["credit"]
    assert order["waiting_for"]["who"] == order["holds"][0]["owner_role"]
    assert order["lines"][0]["quantities"]["ordered"] == 4
    assert order["lines"][0]["unit_price"] == "129.00"
    assert order["violations"][0]["severity"] == "HOLD"


async def test_a_customer_is_not_told_why_we_hold_its_order(world: World) -> None:
    staff = await _held(world)

    shown = (await world.send("GET", f"/v1/orders/{staff['order_id']}", "customer")).json()

    assert shown["holds"][0]["reason"] != staff["holds"][0]["reason"]
    assert shown["violations"] == []


async def test_only_the_owner_of_a_hold_releases_it_and_the_order_goes_on(world: World) -> None:
    order = await _held(world)
    hold = order["holds"][0]
    path = f"/v1/orders/{order['order_id']}/holds/{hold['hold_id']}/release"

    stranger = await world.send("POST", path, "admin", json={"note": "I am the admin"})
    stale = await world.send("POST", path, hold["owner_role"], json={"version": 7})
    owner = await world.send("POST", path, hold["owner_role"], key="r", json={"note": "paid up", "version": 1})
    again = await world.send("POST", path, hold["owner_role"], key="r", json={"note": "paid up", "version": 1})
    twice = await world.send("POST", path, hold["owner_role"], json={})

    assert (stranger.status_code, stranger.json()["code"]) == (403, "NOT_HOLD_OWNER")
    assert (stale.status_code, stale.json()["parameters"]) == (409, {"version": "1"})
    assert (owner.status_code, owner.json()["phase"], owner.json()["axes"]["holds"]) == (200, "accepted", [])
    assert (again.content, again.headers["Idempotent-Replayed"]) == (owner.content, "true")
    assert (twice.status_code, twice.json()["code"]) == (409, "HOLD_ALREADY_RELEASED")


async def test_every_instant_of_an_order_ends_in_z_also_those_that_facts_told(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    detail = shipment("SH-1", "delivered", {"1": 4})
    detail["shipment"] |= {
        "shipped_at_micros": micros(datetime(2026, 12, 2, 8, 30, 0, 123456, tzinfo=UTC)),
        "delivered_at_micros": micros(datetime(2026, 12, 3, 14, tzinfo=UTC)),
    }
    with world.database.transaction() as session:
        notified = heard("shipment_delivered", detail, "fulfillment", order_id)
        apply_facts.take(session, [notified], CONTACTS, NOW)

    answer = await world.send("GET", f"/v1/orders/{order_id}", "support")

    arrived = answer.json()["shipments"][0]
    assert (arrived["shipped_at"], arrived["delivered_at"]) == ("2026-12-02T08:30:00.123Z", "2026-12-03T14:00:00.000Z")
    assert re.findall(r'T\d\d:\d\d:[^"]*[^Z"]"', answer.text) == []


async def test_a_preview_of_a_cancellation_changes_nothing(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/cancellation?preview=true"

    shown = (await world.send("POST", path, "customer", key="c", json={"reason": "too many"})).json()

    assert (shown["state"], shown["cancellation_id"], shown["consequences"]["is_possible"]) == ("preview", None, True)
    assert shown["consequences"]["cancelled"] == {"1": 4, "2": 1}
    assert world.workflows.cancelled == []


async def test_a_cancellation_gives_back_what_billing_has_committed_and_says_so_to_staff_alone(world: World) -> None:
    world.validates()
    _cancels(world)
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/cancellation"

    async def released(role: str, path: str) -> object:
        answer = await world.send("POST", path, role, key=f"{role}-{path}", json={"reason": "too many"})
        return answer.json()["consequences"]["released_credit"]

    nothing_yet = await released("support", f"{path}?preview=true")
    world.billing.commitments[order_id] = 99_900
    committed = await released("support", f"{path}?preview=true")
    to_customer = await released("customer", f"{path}?preview=true")
    world.billing.is_away = True
    unknown = await released("sales_rep", f"{path}?preview=true")
    world.billing.is_away = False
    done = await released("support", path)

    assert nothing_yet == {"amount": "0.00", "currency": "USD"}
    assert committed == done == {"amount": "999.00", "currency": "USD"}
    assert to_customer is unknown is None


async def test_a_cancelled_order_says_so_and_the_answer_is_replayed(world: World) -> None:
    world.validates()
    _cancels(world)
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/cancellation"

    done = await world.send("POST", path, "customer", key="c", json={"reason": "too many"})
    again = await world.send("POST", path, "customer", key="c", json={"reason": "too many"})
    other = await world.send("POST", path, "customer", key="d", json={"reason": "too many"})
    order = (await world.send("GET", f"/v1/orders/{order_id}", "customer")).json()

    assert (done.status_code, done.json()["state"]) == (200, "done")
    assert (again.status_code, again.content) == (200, done.content)
    assert (other.status_code, other.json()["code"]) == (409, "ORDER_HAS_ENDED")
    assert (order["status"], order["cancellations"][0]["state"]) == ("cancelled", "done")
    assert len(world.workflows.cancelled) == 1


async def test_who_asks_again_after_a_crash_hears_that_the_order_was_cancelled(world: World) -> None:
    world.validates()
    _cancels(world)
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/cancellation"

    done = await world.send("POST", path, "customer", key="c", json={"reason": "too many"})
    _crash_before_the_answer_is_kept(world)
    again = await world.send("POST", path, "customer", key="c", json={"reason": "too many"})

    assert (again.status_code, again.content) == (200, done.content)
    assert len(world.workflows.cancelled) == 1


async def test_who_asks_again_after_a_crash_hears_that_the_warehouse_was_quicker(world: World) -> None:
    world.validates()
    world.workflows.on_cancel = lambda _number, _request: CancelOutcome(is_cancelled=False, reason="SH-1001 has left")
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/cancellation"

    answers = [await world.send("POST", path, "support", key="c", json={"reason": "x"}) for _ in range(2)]
    order = (await world.send("GET", f"/v1/orders/{order_id}", "support")).json()

    assert [(each.status_code, each.json()["detail"]) for each in answers] == [(409, "SH-1001 has left")] * 2
    assert [each["state"] for each in order["cancellations"]] == ["declined"]


async def test_a_cancellation_that_was_stored_before_a_crash_is_handed_over_by_its_repeat(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/cancellation"
    world.workflows.is_away = True
    await world.send("POST", path, "support", key="c", json={"reason": "x"})
    _crash_before_the_answer_is_kept(world)
    world.workflows.is_away = False
    _cancels(world)

    again = await world.send("POST", path, "support", key="c", json={"reason": "x"})

    assert (again.status_code, again.json()["state"]) == (200, "done")


def _crash_before_the_answer_is_kept(world: World) -> None:
    """The process ends between the action and its answer: what the request came to is not kept."""
    drop = text(
        "DELETE FROM answers WHERE request_id LIKE 'api/%' AND request_id NOT LIKE '%/action' RETURNING request_id"
    )
    with world.database.transaction() as session:
        assert len(session.execute(drop).all()) == 1


async def test_a_cancellation_waits_for_workflows_that_are_away(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    world.workflows.is_away = True

    answer = await world.send("POST", f"/v1/orders/{order_id}/cancellation", "support", key="c", json={"reason": "x"})

    assert (answer.status_code, answer.json()["state"]) == (202, "requested")


async def test_a_cancellation_that_the_warehouse_beat_is_refused(world: World) -> None:
    world.validates()
    world.workflows.on_cancel = lambda _number, _request: CancelOutcome(is_cancelled=False, reason="SH-1001 has left")
    order_id = (await world.place()).json()["order_id"]

    answer = await world.send("POST", f"/v1/orders/{order_id}/cancellation", "support", key="c", json={"reason": "x"})
    order = (await world.send("GET", f"/v1/orders/{order_id}", "support")).json()

    assert (answer.status_code, answer.json()["detail"]) == (409, "SH-1001 has left")
    assert order["cancellations"][0]["state"] == "declined"


async def test_if_match_guards_like_the_version_in_the_body(world: World) -> None:
    order_id = (await world.place()).json()["order_id"]
    path = f"/v1/orders/{order_id}/cancellation"

    stale = await world.send("POST", path, "support", key="a", json={"reason": "x"}, headers={"If-Match": '"2"'})
    mixed = await world.send(
        "POST", path, "support", key="b", json={"reason": "x", "version": 1}, headers={"If-Match": "2"}
    )

    assert (stale.status_code, stale.json()["code"]) == (409, "VERSION_STALE")
    assert (mixed.status_code, mixed.json()["code"]) == (422, "VERSIONS_DIFFER")


async def test_the_history_counts_without_gaps_over_its_pages(world: World) -> None:
    order = await _held(world)
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""

    while cursor is not None:
        path = f"/v1/orders/{order['order_id']}/history"
        page = (await world.send("GET", path, "support", params={"limit": 1, "cursor": cursor})).json()
        rows += page["rows"]
        cursor = page["next_cursor"]

    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    assert (rows[0]["what"], rows[0]["who"], rows[0]["role"]) == ("order_placed", "ann", "customer")
    assert len(rows) == order["event_sequence"]


async def test_the_stream_tells_each_change_once_and_resumes_behind_the_last(world: World) -> None:
    order = await _held(world)
    path = f"/v1/orders/{order['order_id']}/stream"

    whole = await world.send("GET", path, "customer")
    rest = await world.send("GET", path, "customer", headers={"Last-Event-ID": "1"})

    assert whole.headers["Content-Type"].startswith("text/event-stream")
    assert _ids(whole.text) == list(range(1, order["event_sequence"] + 1))
    assert "event: order_placed" in whole.text
    assert _ids(rest.text) == list(range(2, order["event_sequence"] + 1))


async def test_the_stream_brings_a_change_while_it_is_open(make_world: MakeWorld) -> None:
    world = make_world(stream_max_s=30.0)
    order = await _held(world)
    deps = world.app.state.deps
    following = changes(deps, SUPPORT, order["order_id"], order["event_sequence"])

    hold = order["holds"][0]
    path = f"/v1/orders/{order['order_id']}/holds/{hold['hold_id']}/release"
    await world.send("POST", path, hold["owner_role"], json={})
    event = await anext(following)

    assert (event.id, event.event) == (str(order["event_sequence"] + 1), "hold_released")


async def test_the_stream_of_an_ended_order_tells_all_and_asks_not_to_come_back(world: World) -> None:
    world.validates()
    _cancels(world)
    order_id = (await world.place()).json()["order_id"]
    await world.send("POST", f"/v1/orders/{order_id}/cancellation", "support", key="c", json={"reason": "x"})
    path = f"/v1/orders/{order_id}/stream"

    whole = await world.send("GET", path, "customer")
    again = await world.send("GET", path, "customer", headers={"Last-Event-ID": str(_ids(whole.text)[-1])})

    assert "event: order_cancelled" in whole.text
    assert again.status_code == 204


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9999999999"])
async def test_a_bad_last_event_id_is_refused(world: World, last: str) -> None:
    answer = await world.send("GET", "/v1/orders/SO-1001/stream", "support", headers={"Last-Event-ID": last})

    assert answer.status_code == 422


def _ids(text: str) -> list[int]:
    return [int(line.removeprefix("id: ")) for line in text.splitlines() if line.startswith("id: ")]
