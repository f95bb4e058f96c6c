"""An order names the last day to ship: what has not shipped by its end is canceled by the system, once, and without a fee."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import InvalidArgument
from services.orders.changes import cancel_units
from services.orders.store import holds, past_dates
from tests.orders.cancel_desk import ask, settle
from tests.orders.change_desk import asked, propose, quantity
from tests.orders.desk import ANY, BUYER, CONTACTS, Desk, shipment
from tests.orders.test_reversed_shipments import reversed_one

TODAY = date(2026, 11, 23)
LAST = date(2026, 12, 1)


def sweep(desk: Desk) -> list[str]:
    return list(desk.servicer.CancelPastDates(pb.CancelPastDatesRequest(), ANY).order_ids)


def cancellations(desk: Desk, order_id: str) -> list[tuple[str, str, str]]:
    with desk.database.reading() as session:
        return [(one.requested_by, one.state, one.reason) for one in holds.cancellations_of(session, order_id)]


def test_what_has_not_shipped_is_cancelled_when_the_day_is_over(desk: Desk) -> None:
    order_id, other = desk.accepted(("PUMP", 4), cancel_after=LAST), desk.accepted(("PUMP", 4))
    desk.now += LAST - TODAY
    on_the_day = sweep(desk)
    desk.now += timedelta(days=1)

    after, again = sweep(desk), sweep(desk)

    assert (on_the_day, after, again) == ([], [order_id], [])
    why = "Not shipped by Dec 1, 2026, the last day to ship"
    assert cancellations(desk, order_id) == [("system", "requested", why)]
    assert cancellations(desk, other) == []
    assert len(desk.outbox("cancellation_requested", order_id)) == 1
    desk.record(order_id, "cancelled")
    assert desk.read(order_id).standing.status == "cancelled"
    assert desk.mails(order_id)[-1] == "order_cancelled"
    assert sweep(desk) == []
    assert desk.broken() == []


def test_of_what_has_shipped_in_part_the_rest_goes_and_what_a_warehouse_keeps_is_not_asked_for_again(
    desk: Desk,
) -> None:
    order_id = desk.accepted(("PUMP", 4), cancel_after=LAST)
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))
    desk.now += timedelta(days=30)
    assert sweep(desk) == [order_id]
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 2, shipment("SH-2", "shipped", {"1": 4})))
    change = desk.read(order_id).asked.change
    assert change is not None

    with desk.database.transaction() as session:
        cancel_units.keep_units(session, order_id, change.change_id, {"1": 4}, CONTACTS, desk.now)

    assert [state for _, state, _ in cancellations(desk, order_id)] == ["declined"]
    assert sweep(desk) == []


def test_a_whole_order_of_which_something_left_meanwhile_is_asked_about_again(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), cancel_after=LAST)
    desk.now += timedelta(days=30)
    sweep(desk)
    desk.record(order_id, "cancel_refused")
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))

    assert sweep(desk) == [order_id]
    change = desk.read(order_id).asked.change
    assert change is not None
    assert change.is_cancellation
    assert sweep(desk) == []


def test_what_has_shipped_whole_is_not_looked_at_until_its_ship_confirm_is_reversed(desk: Desk) -> None:
    """It lives until it is paid, for months: each sweep would take its turn for nothing."""
    order_id = desk.accepted(("PUMP", 4), cancel_after=LAST)
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 4})))
    desk.now += timedelta(days=30)

    with desk.database.reading() as session:
        after_shipping = past_dates.past(session, desk.now.date(), "system", after="", limit=10)
    desk.notify(reversed_one(desk, order_id, 2))
    with desk.database.reading() as session:
        after_reversal = past_dates.past(session, desk.now.date(), "system", after="", limit=10)

    assert (after_shipping, after_reversal) == ([], [order_id])


def test_what_stands_against_it_is_asked_about_again_and_holds_up_no_other(desk: Desk) -> None:
    changing, pending, free = (desk.accepted(("PUMP", 4), cancel_after=LAST) for _ in range(3))
    desk.notify(desk.fact(changing, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))
    propose(desk, changing, asked(quantity("1", 9)), BUYER)
    ours = ask(desk, pending, {"1": 1})
    desk.now += timedelta(days=30)

    first = sweep(desk)
    settle(desk, pending, ours)
    second = sweep(desk)

    assert (first, second) == ([free], [pending])


@pytest.mark.parametrize(
    ("last", "requested", "reason"),
    [
        (TODAY - timedelta(days=1), None, "CANCEL_AFTER_PAST"),
        (LAST, LAST + timedelta(days=1), "CANCEL_AFTER_BEFORE_REQUESTED"),
    ],
)
def test_a_day_by_which_nothing_can_come_is_refused(
    desk: Desk, last: date, requested: date | None, reason: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        desk.place(("PUMP", 1), cancel_after=last, requested_on=requested)

    assert refusal.value.reason == reason
