"""Returns that no workflow carries on: told as exceptions, shown as halted, and over when they go on or have ended."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.orders.domain.returns import Return
from services.orders.order import outbox
from services.orders.returns import advance, decide
from services.orders.store import exceptions as exception_store
from tests.orders.desk import ANY, SUPPORT, Desk
from tests.orders.mail_parties import CONTACTS
from tests.orders.test_returns import _advance, _ask, _delivered, _read

pytestmark = pytest.mark.on_postgres

LOST = "No workflow carries RMA-1001 on: it was stopped, deleted or lost."


def _reasons(desk: Desk, one: Return) -> list[tuple[str, str, str]]:
    """The open exceptions of the return's order: kind, subject, reason."""
    with desk.database.reading() as session:
        return [(each.kind, each.subject_id, each.reason) for each in exception_store.open_of(session, one.order_id)]


def _report(desk: Desk, *return_ids: str, is_all: bool = True, searched_at: datetime | None = None) -> tuple[int, int]:
    """What a sweep found, a minute later unless the test says when; exceptions opened and resolved."""
    searched = micros(desk.now + timedelta(minutes=1) if searched_at is None else searched_at)
    request = pb.RecordLostReturnsRequest(return_ids=return_ids, is_all=is_all, searched_micros=searched)
    answer = desk.servicer.RecordLostReturns(request, ANY)
    return answer.opened_count, answer.resolved_count


def _open(desk: Desk) -> list[str]:
    """What a sweep asks about a minute later."""
    found: list[str] = []
    request = pb.ListOpenReturnsRequest(requested_before_micros=micros(desk.now + timedelta(minutes=1)), limit=1)
    while True:
        page = desk.servicer.ListOpenReturns(request, ANY)
        found += [one.number for one in page.returns]
        if not page.next_cursor:
            return found
        request.cursor = page.next_cursor


def _started(desk: Desk, units: int = 2, order_id: str = "") -> Return:
    """A return whose workflow was started."""
    one = _ask(desk, order_id or _delivered(desk), units)
    _send(desk)
    return one


def _send(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.execute(text("UPDATE outbox SET state = 'sent' WHERE kind = :start"), {"start": outbox.START_RETURN})


def _repair(desk: Desk, one: Return) -> None:
    with desk.database.transaction() as session:
        advance.repair(session, one.return_id, desk.now)


def test_a_return_without_a_workflow_is_one_exception_until_a_repair_has_it_go_on(desk: Desk) -> None:
    one = _started(desk)

    said = [_report(desk, one.return_id), _report(desk, one.return_id)]
    meanwhile, halted = _reasons(desk, one), _read(desk, one)
    _repair(desk, one)
    _send(desk)
    following = _advance(desk, one)

    assert said == [(1, 0), (0, 0)]
    assert meanwhile == [("return_lost", one.return_id, LOST)]
    assert (halted.halted, halted.waits_for) == (LOST, "support")
    assert following == ("announce", "authorized")
    assert (_reasons(desk, one), _read(desk, one).halted) == ([], "")
    assert desk.broken() == []


def test_a_workflow_that_says_why_it_ends_is_an_exception_at_once_and_a_sweep_adds_none(desk: Desk) -> None:
    one = _started(desk)

    _advance(desk, one, done="halted", reason="a step was refused: no such warehouse")

    assert _report(desk, one.return_id) == (0, 0)
    assert _reasons(desk, one) == [("return_lost", one.return_id, "a step was refused: no such warehouse")]


def test_a_return_that_ended_without_its_workflow_is_no_exception_any_more(desk: Desk) -> None:
    one = _started(desk, 6)
    _report(desk, one.return_id)
    with desk.database.transaction() as session:
        decide.deny(session, one.return_id, SUPPORT, "worn", CONTACTS, desk.now)

    assert _report(desk) == (0, 1)
    assert _reasons(desk, one) == []
    assert _report(desk, one.return_id) == (0, 0)


def test_a_sweep_that_did_not_see_all_or_looked_earlier_or_before_a_repair_resolves_nothing(desk: Desk) -> None:
    one = _started(desk)
    _report(desk, one.return_id)

    partly, earlier = _report(desk, is_all=False), _report(desk, searched_at=desk.now)
    _repair(desk, one)

    assert (partly, earlier, _report(desk)) == ((0, 0), (0, 0), (0, 0))
    assert len(_reasons(desk, one)) == 1


def test_open_returns_are_listed_unless_they_are_about_to_start(desk: Desk) -> None:
    order_id = _delivered(desk)
    first, second = _started(desk, 1, order_id), _started(desk, 2, order_id)
    ended = _started(desk, 6, order_id)
    with desk.database.transaction() as session:
        decide.deny(session, ended.return_id, SUPPORT, "worn", CONTACTS, desk.now)
    listed = _open(desk)
    _repair(desk, first)

    assert listed == [first.number, second.number]
    assert _open(desk) == [second.number]
    assert _report(desk, first.return_id) == (0, 0)


def test_no_more_are_named_at_once_than_a_sweep_tells(desk: Desk) -> None:
    with pytest.raises(InvalidArgument) as refused:
        _report(desk, *(f"rma_{number}" for number in range(501)))

    assert refused.value.reason == "TOO_MANY_RETURNS"
