"""Promises: worked out in working days, moved by supply, told once when they slip, and kept in a ledger."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.calendars import Calendar
from services.orders.approvals import kept_promises
from services.orders.domain.access import EVERYTHING
from services.orders.domain.mails import Promise
from services.orders.domain.promise_ledger import Ended, Given, LedgerChange, PromiseFilter, follow, settle
from services.orders.domain.promises import promised_day, slipped
from services.orders.models.promises import PromiseRow
from tests.orders.desk import Desk, shipment, stock, together

OFFICE = Calendar("office", days=frozenset(range(5)), holidays=frozenset({date(2026, 11, 27)}))
MONDAY = date(2026, 11, 23)
DELAYED = "backorder_delayed"


@pytest.mark.parametrize(
    ("expected_on", "lead_days", "promised"),
    [
        ("", 3, ""),
        ("2026-11-24", 0, "2026-11-24"),
        ("2026-11-24", 2, "2026-11-26"),
        ("2026-11-26", 1, "2026-11-30"),  # the Friday after is free
        ("2026-11-28", 0, "2026-11-30"),  # a Saturday
        ("2026-11-10", 1, "2026-11-24"),  # overdue: from today
    ],
)
def test_a_promise_is_supply_then_handling_and_the_way_in_working_days(
    expected_on: str, lead_days: int, promised: str
) -> None:
    assert promised_day(OFFICE, expected_on, lead_days, MONDAY) == promised


@given(ahead=st.integers(-60, 60), lead_days=st.integers(0, 30))
def test_no_promise_lies_in_the_past_or_on_a_free_day(ahead: int, lead_days: int) -> None:
    expected = MONDAY + timedelta(days=ahead)

    promised = date.fromisoformat(promised_day(OFFICE, expected.isoformat(), lead_days, MONDAY))

    assert promised >= max(expected, MONDAY)
    assert OFFICE.is_working_day(promised)


def test_people_are_told_of_a_day_beyond_the_tolerance_and_of_one_that_is_gone() -> None:
    def waits(heard: str, now: str) -> Promise:
        return Promise("1", 1, now, True, now, notified_on=heard)

    two, three, gone = (waits("2026-12-01", day) for day in ("2026-12-03", "2026-12-04", ""))
    unknown, sooner = waits("", "2026-12-04"), waits("2026-12-01", "2026-11-30")

    assert slipped([two, three, gone, unknown, sooner, Promise("1", 1, "2027-01-01")], 2) == (three, gone)


def test_units_move_in_the_order_of_their_days_and_keep_the_first_one() -> None:
    early, late = Given("1", 4, "2026-12-01", "2026-11-30", "a"), Given("1", 6, "2026-12-08", "2026-12-08", "b")
    now = [Promise("1", 2, "2026-12-01"), Promise("1", 5, "2026-12-09", True, reference="PO-1"), Promise("2", 1, "")]

    change = follow([late, early], now, {})

    assert change.ended == (
        Ended(early, 2, "moved", "2026-12-09", why="PO-1"),
        Ended(late, 3, "moved", "2026-12-09", why="PO-1"),
        Ended(late, 3, "withdrawn"),
    )
    assert [(one.quantity, one.promised_on, one.first_on) for one in change.given] == [
        (2, "2026-12-09", "2026-11-30"), (3, "2026-12-09", "2026-12-08"),
    ]  # fmt: skip


@given(
    before=st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(["2026-12-01", "2026-12-02", "2026-12-03"])), max_size=4
    ),
    after=st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(["", "2026-12-01", "2026-12-03", "2026-12-04"])), max_size=4
    ),
)
def test_following_leaves_what_is_promised_and_a_second_time_changes_nothing(
    before: list[tuple[int, str]], after: list[tuple[int, str]]
) -> None:
    kept = [Given("1", units, day, day, str(at)) for at, (units, day) in enumerate(before)]
    now = [Promise("1", units, day) for units, day in after]

    change = follow(kept, now, {})
    left = _left(kept, change)

    assert sum(one.quantity for one in change.ended) + sum(one.quantity for one in left) == sum(
        one.quantity for one in (*kept, *change.given)
    )
    for day in {day for _, day in after if day}:
        assert sum(one.quantity for one in left if one.promised_on == day) == sum(
            units for units, on in after if on == day
        )
    undated = sum(one.quantity for one in left if not one.promised_on)
    assert undated <= sum(units for units, on in after if not on)
    again = follow(left, now, {})
    assert again.ended == ()
    assert all(not one.promised_on or one.quantity == 0 for one in again.given)


def _left(kept: list[Given], change: LedgerChange) -> list[Given]:
    gone: dict[str, int] = {}
    for one in change.ended:
        gone[one.given.promise_id] = gone.get(one.given.promise_id, 0) + one.quantity
    rest = [
        Given(one.line_id, one.quantity - gone.get(one.promise_id, 0), one.promised_on, one.first_on, one.promise_id)
        for one in kept
        if one.quantity > gone.get(one.promise_id, 0)
    ]
    return [*rest, *change.given]


def test_a_delivery_keeps_what_was_promised_for_its_shipment_and_breaks_what_is_late() -> None:
    other, mine = Given("1", 3, "2026-12-01", "2026-12-01", "a"), Given("1", 4, "2026-12-05", "2026-12-02", "b")

    ended = settle([other, mine], {"1": 5}, "2026-12-05", "2026-12-04")

    assert [(one.given.promise_id, one.quantity, one.outcome, one.why) for one in ended] == [
        ("b", 4, "kept", "delivered in time, first promised for 2026-12-02"),
        ("a", 1, "broken", "delivered 3 days late"),
    ]


def waiting(units: int, expected_on: str = "", lead_days: int = 3, reference: str = "PO-1") -> dict[str, Any]:
    sent = stock({"1": (0, units)})
    if expected_on:
        sent["lines"]["1"] |= {
            "expected_on": expected_on, "lead_days": lead_days, "expected_reference": reference,
        }  # fmt: skip
    return sent


def accepted(desk: Desk, units: int = 5, expected_on: str = "2026-12-01") -> str:
    """Accepted while all units wait for supply of a Tuesday, with 3 days of handling and way."""
    order_id = desk.place(("PUMP", units)).order_id
    desk.validate(order_id)
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, waiting(units, expected_on)))
    due = pb.LinePromise(
        line_id="1", quantity=units, is_waiting=True, expected_on=expected_on, lead_days=3, expected_reference="PO-1"
    )
    desk.record(order_id, "accepted", promises=[due])
    return order_id


def ledger(desk: Desk, order_id: str) -> list[tuple[int, str, str, str, str]]:
    """(Units, day, by what, outcome, why), the oldest first."""
    with desk.database.reading() as session:
        found = kept_promises.listed(session, PromiseFilter(order_id=order_id), EVERYTHING, limit=50)
    return [(one.quantity, one.promised_on, one.given_by, one.outcome, one.why) for one in reversed(found)]


def moves(desk: Desk, order_id: str, sequence: int, *news: Any) -> None:
    desk.notify(desk.fact(order_id, "inventory", "stock_expected", sequence, waiting(*news)))


@pytest.mark.on_postgres
def test_a_slip_is_told_once_and_the_ledger_says_what_moved_it(desk: Desk) -> None:
    order_id = accepted(desk)
    moves(desk, order_id, 2, 5, "2026-12-08")
    moves(desk, order_id, 3, 5, "2026-12-08", 3, "PO-1")
    mails = desk.mails(order_id)
    moves(desk, order_id, 4, 5, "2026-12-03", 3, "PO-2")

    assert mails.count(DELAYED) == 1
    assert desk.mails(order_id) == mails
    assert ledger(desk, order_id) == [
        (5, "2026-12-04", "acceptance", "moved", "PO-1"),
        (5, "2026-12-11", "supply_change", "moved", "PO-2"),
        (5, "2026-12-08", "supply_change", "open", ""),
    ]
    assert [one.notified_on for one in desk.read(order_id).promises] == ["2026-12-11"]
    assert desk.broken() == []


def test_supply_that_is_cancelled_is_told_and_what_comes_again_keeps_the_first_day(desk: Desk) -> None:
    order_id = accepted(desk)

    moves(desk, order_id, 2, 5)
    moves(desk, order_id, 3, 5, "2026-12-08")

    assert desk.mails(order_id).count(DELAYED) == 1
    assert [row[1:4] for row in ledger(desk, order_id)] == [
        ("2026-12-04", "acceptance", "moved"), ("", "supply_change", "moved"), ("2026-12-11", "supply_change", "open"),
    ]  # fmt: skip
    with desk.database.reading() as session:
        [newest, *_] = kept_promises.listed(session, PromiseFilter(order_id=order_id), EVERYTHING, limit=1)
    assert newest.first_on == "2026-12-04"


def test_stock_that_comes_is_a_promise_of_its_shipment_which_the_delivery_keeps(desk: Desk) -> None:
    """3 of 5 leave and come on the day promised; 2 wait on for Friday, the fourth."""
    order_id = accepted(desk)
    allocated = waiting(2, "2026-12-01")
    allocated["lines"]["1"]["allocated"] = 3
    desk.notify(desk.fact(order_id, "inventory", "stock_allocated", 2, allocated))
    at_work = together(shipment("SH-1", "released", {"1": 3}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipments_released", 1, at_work))
    rest = pb.LinePromise(line_id="1", quantity=2, is_waiting=True, expected_on="2026-12-01", lead_days=3)
    desk.record(
        order_id, "allocated", promises=[pb.LinePromise(line_id="1", quantity=3, promised_on="2026-11-27"), rest]
    )

    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 2, shipment("SH-1", "delivered", {"1": 3})))

    outcomes = {(units, day): outcome for units, day, _, outcome, _ in ledger(desk, order_id)}
    assert outcomes[3, "2026-12-04"] == "moved"
    assert outcomes[2, "2026-12-04"] == "open"
    assert outcomes[3, "2026-11-27"] == "kept"
    assert DELAYED not in desk.mails(order_id)
    assert desk.broken() == []


def test_an_order_that_ends_withdraws_its_open_promises(desk: Desk) -> None:
    order_id = accepted(desk)

    desk.record(order_id, "failed")

    assert [row[3] for row in ledger(desk, order_id)] == ["withdrawn"]
    assert desk.broken() == []


def test_the_figures_come_from_the_ledger(desk: Desk) -> None:
    """10 units delivered, 6 by their last day, 4 of these by their first; 5 open, 2 late on the sixth."""
    order_id = accepted(desk, 20)
    rows = [
        (4, "2026-12-04", "2026-12-04", "kept", "2026-12-03", ""),
        (2, "2026-12-04", "2026-12-02", "kept", "2026-12-04", ""),
        (4, "2026-12-04", "2026-12-04", "broken", "2026-12-05", ""),
        (2, "2026-12-05", "2026-12-05", "open", "", ""),
        (3, "2026-12-09", "2026-12-02", "open", "", ""),
        (3, "2026-12-02", "2026-12-02", "moved", "", "2026-12-09"),
    ]
    with desk.database.transaction() as session:
        session.execute(text("DELETE FROM promise"))
        for at, (units, day, first, outcome, ended_on, moved_to) in enumerate(rows):
            session.add(
                PromiseRow(
                    promise_id=f"prm_{at}", order_id=order_id, line_id="1", sku="PUMP", quantity=units, promised_on=day, first_on=first,
                    given_at=desk.now, given_by="acceptance", reason="", outcome=outcome,
                    ended_at=None if outcome == "open" else desk.now, ended_on=ended_on, moved_to=moved_to,
                )
            )  # fmt: skip
    desk.now = desk.now.replace(year=2026, month=12, day=6)

    with desk.database.reading() as session:
        found = kept_promises.on_time(session, date(2026, 12, 1), date(2026, 12, 6), EVERYTHING, desk.now)

    assert (found.delivered, found.kept, found.kept_first) == (10, 6, 4)
    assert (found.open, found.late, found.moved_later) == (5, 2, 3)


def test_a_ledger_that_does_not_fit_its_order_is_found(desk: Desk) -> None:
    accepted(desk)
    with desk.database.transaction() as session:
        session.execute(text("UPDATE promise SET quantity = 6"))

    assert desk.broken() == ["orders.promises_are_within_the_order"]
