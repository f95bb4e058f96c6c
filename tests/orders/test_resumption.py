"""Orders that no workflow carries on: told as exceptions, started again once, and what came meanwhile is handed over again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.clock import EPOCH, micros
from services.orders.lifecycle import cancel, resume
from services.orders.order import outbox
from services.orders.store import exceptions as exception_store
from services.orders.store import facts
from services.orders.store.facts import LateFact
from tests.orders.desk import SUPPORT, Desk
from tests.orders.test_relay import Post, post

__all__ = ["post"]

pytestmark = pytest.mark.on_postgres


def kinds(desk: Desk, order_id: str) -> list[str]:
    """The open exceptions of an order."""
    with desk.database.reading() as session:
        return [found.kind for found in exception_store.open_of(session, order_id)]


def report(
    desk: Desk,
    *,
    lost: tuple[str, ...] = (),
    failing: tuple[str, ...] = (),
    is_all: bool = True,
    searched_at: datetime | None = None,
) -> list[int]:
    """What a sweep found, a minute later unless the test says when; exceptions opened and resolved."""
    searched_micros = micros(desk.now + timedelta(minutes=1) if searched_at is None else searched_at)
    request = pb.RecordHaltedRequest(
        lost_order_ids=lost, failing_order_ids=failing, is_all=is_all, searched_micros=searched_micros
    )
    answer = desk.servicer.RecordHalted(request, None)  # type: ignore[arg-type]  # no method asks for the context
    return [answer.opened_count, answer.resolved_count]


def repaired(desk: Desk, order_id: str) -> int:
    """Support repairs the order; which resumption that is."""
    with desk.database.transaction() as session:
        return resume.resume(session, order_id, SUPPORT, desk.now)


def started(desk: Desk) -> str:
    """An accepted order whose workflow was started."""
    order_id = desk.accepted(("PUMP", 1))
    with desk.database.transaction() as session:
        session.execute(text("UPDATE outbox SET state = 'sent' WHERE kind = :start"), {"start": outbox.START})
    return order_id


def open_orders(desk: Desk) -> list[str]:
    """What a sweep asks about a minute later."""
    request = pb.ListOpenOrdersRequest(placed_before_micros=micros(desk.now + timedelta(minutes=1)))
    answer = desk.servicer.ListOpenOrders(request, None)  # type: ignore[arg-type]  # as above
    return [one.order_id for one in answer.orders]


def test_an_order_without_a_workflow_is_one_exception_until_it_goes_on(desk: Desk) -> None:
    order_id = started(desk)

    first, second = report(desk, lost=(order_id,)), report(desk, lost=(order_id,))
    meanwhile = kinds(desk, order_id)
    over = report(desk)

    assert (first, second, meanwhile) == ([1, 0], [0, 0], ["workflow_lost"])
    assert (over, kinds(desk, order_id)) == ([0, 1], [])
    assert desk.broken() == []


def test_a_sweep_that_did_not_see_all_resolves_nothing(desk: Desk) -> None:
    order_id = started(desk)
    report(desk, failing=(order_id,))

    assert report(desk, is_all=False) == [0, 0]
    assert kinds(desk, order_id) == ["workflow_failing"]


def test_what_was_told_after_the_search_began_is_not_over(desk: Desk) -> None:
    order_id = started(desk)
    desk.record(order_id, "interrupted", "9", waiting_for="A step of its workflow was refused: no rate.")

    during, unsaid = report(desk, searched_at=desk.now), report(desk, searched_at=EPOCH)

    assert (during, unsaid, kinds(desk, order_id)) == ([0, 0], [0, 0], ["workflow_lost"])


def test_an_order_whose_next_start_still_waits_was_not_looked_at(desk: Desk) -> None:
    order_id = started(desk)
    report(desk, lost=(order_id,))
    repaired(desk, order_id)

    assert report(desk) == [0, 0]
    assert kinds(desk, order_id) == ["workflow_lost"]


def test_an_order_that_has_ended_meanwhile_is_passed_over(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    desk.record(order_id, "cancelled")

    assert report(desk, lost=(order_id,)) == [0, 0]


def test_an_interrupted_workflow_leaves_its_order_as_it_was_and_says_why(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))

    desk.record(order_id, "interrupted", "9", waiting_for="A step of its workflow was refused: no rate.")

    with desk.database.reading() as session:
        [found] = exception_store.open_of(session, order_id)
    assert (found.kind, found.reason) == ("workflow_lost", "A step of its workflow was refused: no rate.")
    assert desk.read(order_id).order.phase == "accepted"
    assert desk.events(order_id)[-1].what == "workflow_interrupted"


def test_every_resumption_has_a_number_of_its_own_and_one_that_waits_is_not_asked_for_twice(post: Post) -> None:
    desk = post.desk
    order_id = desk.accepted(("PUMP", 1))
    post.workflows.started.clear()

    numbers = [repaired(desk, order_id), repaired(desk, order_id)]
    post.send()
    numbers.append(repaired(desk, order_id))
    post.send()

    started = [order.resumption for order in post.workflows.started if order.resumption]
    assert (numbers, started) == ([1, 1, 2], [1, 2])
    assert post.workflows.started[-1].reads_truth


def test_a_workflow_that_runs_again_resolves_its_exception_and_hears_what_came_meanwhile(post: Post) -> None:
    desk = post.desk
    order_id = desk.accepted(("PUMP", 1))
    report(desk, lost=(order_id,))
    late = LateFact("fact_1/shipment_delivered", "shipment_delivered", order_id, "shp_1", desk.now)
    with desk.database.transaction() as session:
        facts.keep_late(session, late)

    repaired(desk, order_id)
    post.send()
    post.send()

    assert kinds(desk, order_id) == []
    assert [(name, note.fact_id) for _, name, note in post.workflows.signalled] == [
        ("shipment_delivered", "fact_1/shipment_delivered")
    ]


def test_a_cancellation_that_no_workflow_hears_stays_asked(post: Post) -> None:
    desk = post.desk
    order_id = desk.accepted(("PUMP", 1))
    with desk.database.transaction() as session:
        asked = cancel.request(session, order_id, SUPPORT, "no need", desk.now)
    post.workflows.has_ended = True
    post.later = timedelta(minutes=1)

    post.send()

    with desk.database.reading() as session:
        found = cancel.get(session, order_id, asked.cancellation.cancellation_id, SUPPORT.scope)
    assert found is not None
    assert found.state == "requested"
    assert desk.outbox(outbox.CANCEL, order_id)[0]["state"] == "sent"


def test_open_orders_are_those_whose_workflow_no_message_is_to_start(post: Post) -> None:
    desk = post.desk
    running, ended, starting = (desk.accepted(("PUMP", 1)) for _ in range(3))
    desk.record(ended, "cancelled")
    post.later = timedelta(minutes=1)
    post.send()
    repaired(desk, starting)

    assert open_orders(desk) == [running]
