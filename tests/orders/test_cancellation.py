from __future__ import annotations

import pytest

from services.kernel.errors import Refused
from services.kernel.money import Money
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Requested
from services.orders.store import reviews as review_store
from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING, BUYER, Desk, shipment, stock
from tests.orders.review_desk import MAX, ReviewDesk


def request(desk: Desk, order_id: str) -> Requested:
    with desk.database.transaction() as session:
        return cancel.request(session, order_id, BUYER, "ordered twice", desk.now)


def test_a_preview_says_what_follows_and_changes_nothing(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (3, 1)})))
    count = len(desk.events(order_id))

    with desk.database.reading() as session:
        preview = cancel.preview(session, order_id, BUYER, 55_341, cancel.ALL, desk.now)

    found = preview.consequence
    assert (preview.is_possible, found.cancelled, found.freed_stock) == (True, {"1": 4}, {"1": 3})
    assert found.released_credit == Money(55_341, "USD")
    assert len(desk.events(order_id)) == count


def test_a_cancellation_that_is_not_possible_gives_no_credit_back(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 4})))

    with desk.database.reading() as session:
        preview = cancel.preview(session, order_id, BUYER, 41_506, cancel.ALL, desk.now)

    assert (preview.is_possible, preview.consequence.released_credit) == (False, Money(0, "USD"))


def test_a_request_is_settled_by_the_workflow_and_told_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    asked = request(desk, order_id)

    desk.record(order_id, "cancelled", subject_id=asked.cancellation.cancellation_id)
    desk.record(order_id, "cancelled", subject_id=asked.cancellation.cancellation_id)

    aggregate = desk.read(order_id)
    assert (aggregate.order.phase, aggregate.standing.status, aggregate.standing.waiting_for) == (
        "cancelled",
        "cancelled",
        None,
    )
    assert aggregate.lines()["1"].cancelled == 4
    assert desk.mails(order_id)[-1] == "order_cancelled"
    assert desk.mails(order_id).count("order_cancelled") == 1
    with desk.database.reading() as session:
        settled = cancel.get(session, order_id, asked.cancellation.cancellation_id, BUYER.scope)
    assert settled is not None
    assert settled.state == "done"
    assert desk.broken() == []


def test_cancelling_a_held_order_lifts_its_holds(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id, is_granted=False)
    request(desk, order_id)

    desk.record(order_id, "cancelled")

    aggregate = desk.read(order_id)
    assert (aggregate.standing.axes.review, aggregate.standing.axes.holds) == ("withdrawn", ())
    assert "the order ended" in aggregate.holds[0].note
    with pytest.raises(Refused) as refusal:
        desk.release(order_id, aggregate.holds[0].hold_id, ACCOUNTING)
    assert refusal.value.reason == "HOLD_ALREADY_RELEASED"
    assert desk.broken() == []


def test_cancelling_an_order_in_review_withdraws_what_people_were_asked(database: Database) -> None:
    desk = ReviewDesk(database)
    order_id = desk.reviewed(200)
    step = desk.open_step(order_id)
    request(desk, order_id)

    desk.record(order_id, "cancelled")

    with desk.database.reading() as session:
        (withdrawn,) = review_store.of_order(session, order_id)
    assert (withdrawn.state, [one.state for one in withdrawn.steps]) == ("withdrawn", ["void", "void"])
    assert desk.read(order_id).asked.review is None
    with pytest.raises(Refused) as refusal:
        desk.decide(order_id, MAX, step=step)
    assert refusal.value.reason == "ORDER_HAS_ENDED"
    assert desk.broken() == []


def test_a_saga_that_fails_ends_its_order_and_declines_the_request(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    asked = request(desk, order_id)

    desk.record(order_id, "failed", waiting_for="somebody of support: see the workflow")
    desk.record(order_id, "failed", "2")

    aggregate = desk.read(order_id)
    assert (aggregate.order.phase, aggregate.standing.status, aggregate.lines()["1"].cancelled) == (
        "failed",
        "cancelled",
        1,
    )
    with desk.database.reading() as session:
        settled = cancel.get(session, order_id, asked.cancellation.cancellation_id, BUYER.scope)
    assert settled is not None
    assert (settled.state, settled.settled_reason) == ("declined", "the order failed")
    assert desk.broken() == []


def test_only_one_request_waits_at_a_time(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    request(desk, order_id)

    with pytest.raises(Refused) as refusal:
        request(desk, order_id)

    assert refusal.value.reason == "CANCELLATION_PENDING"


def test_a_refused_request_may_be_followed_by_another(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    request(desk, order_id)
    desk.record(order_id, "cancel_refused")

    assert request(desk, order_id).cancellation.state == "requested"
    assert desk.read(order_id).order.phase == "accepted"


def test_shipped_goods_are_not_cancelled(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))

    with pytest.raises(Refused) as refusal:
        request(desk, order_id)

    assert refusal.value.reason == "ALREADY_SHIPPED"


def test_an_order_that_has_ended_is_not_cancelled(desk: Desk) -> None:
    order_id = desk.place(("NOPE", 1)).order_id
    desk.validate(order_id)

    with pytest.raises(Refused) as refusal:
        request(desk, order_id)

    assert refusal.value.reason == "ORDER_HAS_ENDED"


def test_a_cancellation_that_people_were_quicker_than_is_declined(database: Database) -> None:
    desk = ReviewDesk(database)
    order_id = desk.reviewed(40)
    asked = request(desk, order_id)
    desk.decide(order_id, MAX, "reject", note="not at this price")

    answer = desk.record(order_id, "cancelled", subject_id=asked.cancellation.cancellation_id)

    with desk.database.reading() as session:
        settled = cancel.get(session, order_id, asked.cancellation.cancellation_id, BUYER.scope)
    assert settled is not None
    assert (answer.status, settled.state, settled.settled_reason) == (
        "rejected",
        "declined",
        "the order is rejected already",
    )
    assert desk.whats(order_id)[-1] == "cancellation_declined"
    assert "order_cancelled" not in desk.mails(order_id)
    assert desk.broken() == []


def test_the_log_gives_the_reason_of_an_end_and_no_id(desk: Desk) -> None:
    cancelled, kept = desk.accepted(("PUMP", 4)), desk.accepted(("PUMP", 4))
    for order_id, milestone in ((cancelled, "cancelled"), (kept, "cancel_refused")):
        asked = request(desk, order_id)
        desk.record(order_id, milestone, subject_id=asked.cancellation.cancellation_id)
    desk.record(kept, "allocated", subject_id="res_1")

    ends = [desk.events(cancelled)[-1], *desk.events(kept)[-2:]]

    assert [(end.what, end.why) for end in ends] == [
        ("order_cancelled", "ordered twice"),
        (
            "cancellation_declined",
            "a shipment has left meanwhile: cancel again what has not shipped, and ask for a return of the rest",
        ),
        ("order_allocated", ""),
    ]
    assert ends[2].after["subject_id"] == "res_1"
