"""A change that waits for people holds back the lines it touches, for a policy's time; it ends when the warehouse was quicker."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from oms.orders.v1 import orders_pb2 as pb
from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.order import Address
from services.orders.order.change_orders import pending_of_orders
from services.orders.store import changes as change_store
from services.runtime.db import Database
from tests.orders.change_desk import answer, apply, asked, change, propose, quantity, record, swap, withdraw
from tests.orders.desk import ANY, BUYER, RITA, SUPPORT, Desk, shipment, together, usd
from tests.orders.review_desk import AROUND_THE_CLOCK, MAX, OVER_5000, ReviewDesk

LINES = (("PUMP", 10), ("CENT", 20))
RENO = Address("Acme West", "2 Main St", "Reno", "NV", "89501", "US")


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def withheld(desk: Desk, order_id: str, change_id: str) -> list[str]:
    """The lines that the release step leaves out."""
    request = pb.GetChangedOrderRequest(order_id=order_id, change_id=change_id)
    return list(desk.servicer.GetChangedOrder(request, ANY).withheld_line_ids)


def picked(desk: Desk, order_id: str, units: dict[str, int], state: str = "picked") -> None:
    kind = f"shipment_{state}"
    desk.notify(desk.fact(order_id, "fulfillment", kind, 9, shipment("SH-1", state, units)))


TOUCHED: dict[str, tuple[ChangeRequest, list[str]]] = {
    "a decrease": (asked(quantity("1", 4)), ["1"]),
    "a removal": (asked(quantity("2", 0)), ["2"]),
    "a substitution": (asked(swap("2", "PUMP")), ["2"]),
    "a substitution of more units": (asked(LineChange("2", "PUMP", quantity=30)), ["2"]),
    "a price": (asked(LineChange("1", unit_price=usd("130.00"))), ["1"]),
    "both lines and a new one": (
        asked(quantity("1", 4), quantity("2", 0), LineChange(sku="BOX6", quantity=12)),
        ["1", "2"],
    ),
    "another address": (asked(ship_to=RENO), ["1", "2"]),
    "a later day": (asked(requested_on=date(2027, 1, 4)), ["1", "2"]),
    "everything together": (asked(is_ship_complete=True), ["1", "2"]),
    "more units": (asked(quantity("1", 11)), []),
    "a new line": (asked(LineChange(sku="BOX6", quantity=12)), []),
}


@pytest.mark.parametrize("what", TOUCHED)
def test_a_pending_change_holds_back_the_lines_it_touches_and_no_other(desk: ReviewDesk, what: str) -> None:
    request, lines = TOUCHED[what]
    order_id = desk.accepted(*LINES)

    done = propose(desk, order_id, request, RITA).change

    assert done.state == "awaiting_customer"
    assert withheld(desk, order_id, done.change_id) == lines
    found = desk.clear_release(order_id)
    assert found.is_clear
    assert found.clearance.withholding_change_id == (done.change_id if lines else "")
    assert (done.withholds_until is not None) == bool(lines)
    assert desk.broken() == []


@pytest.mark.parametrize("end", ["declined", "withdrawn", "expired", "applied", "rejected"])
def test_the_end_of_a_change_ends_what_it_holds_back(desk: ReviewDesk, end: str) -> None:
    order_id = desk.accepted(*LINES)
    change_id = propose(desk, order_id, asked(quantity("1", 4)), RITA).change.change_id
    if end == "declined":
        answer(desk, order_id, change_id, "decline")
    elif end == "withdrawn":
        withdraw(desk, order_id, change_id)
    elif end == "expired":
        desk.pass_deadline(order_id)
        desk.pass_deadline(order_id)
    elif end == "applied":
        answer(desk, order_id, change_id, "accept")
        apply(desk, order_id, change_id)
    else:
        answer(desk, order_id, change_id, "accept")
        record(desk, order_id, change_id, "reject", "picked")

    assert change(desk, order_id, change_id).state == end
    assert withheld(desk, order_id, change_id) == []
    assert desk.clear_release(order_id).clearance.withholding_change_id == ""


@pytest.mark.parametrize("state", ["in_review", "agreed", "awaiting_warehouse"])
def test_a_change_holds_back_in_every_state_in_which_it_may_still_come_about(desk: ReviewDesk, state: str) -> None:
    order_id = desk.accepted(*LINES)
    if state == "in_review":
        desk.policy(reviews=[OVER_5000], deadlines=AROUND_THE_CLOCK)
    request = asked(quantity("1", 4), quantity("2", 400)) if state == "in_review" else asked(quantity("1", 4))
    done = propose(desk, order_id, request, BUYER).change
    if state == "awaiting_warehouse":
        record(desk, order_id, done.change_id, "recall")

    assert change(desk, order_id, done.change_id).state == state
    assert withheld(desk, order_id, done.change_id) == ["1"]


def test_what_the_warehouse_has_already_is_not_waited_for(desk: ReviewDesk) -> None:
    order_id = desk.accepted(*LINES)
    released = together(shipment("SH-1", "released", {"1": 10}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipments_released", 1, released))

    done = propose(desk, order_id, asked(quantity("1", 4)), RITA).change

    assert done.withholds_until is None


def test_a_policy_without_hours_holds_back_nothing(desk: ReviewDesk) -> None:
    desk.policy(changes={"hold_release_hours": 0})
    order_id = desk.accepted(*LINES)

    done = propose(desk, order_id, asked(ship_to=RENO), RITA).change

    assert withheld(desk, order_id, done.change_id) == []


ASKERS: dict[str, tuple[Any, list[str]]] = {
    "the customer": (BUYER, ["buyer@acme.example", "rita@company.example"]),
    "sales": (RITA, ["rita@company.example"]),
    "support": (SUPPORT, ["sue@company.example", "rita@company.example"]),
}


@pytest.mark.parametrize("who", ASKERS)
def test_after_the_policys_time_the_order_goes_on_and_the_asker_is_told(desk: ReviewDesk, who: str) -> None:
    desk.policy(reviews=[OVER_5000], deadlines=AROUND_THE_CLOCK, changes={"hold_release_hours": 2})
    by, readers = ASKERS[who]
    order_id = desk.accepted(*LINES)
    done = propose(desk, order_id, asked(quantity("1", 4), quantity("2", 400)), by).change
    due = desk.deadline(order_id)

    after = desk.pass_deadline(order_id)

    assert (due.what, due.subject_id, due.at) == (
        "resume_release",
        done.change_id,
        done.proposed_at + timedelta(hours=2),
    )
    assert after.clearance.withholding_change_id == ""
    assert after.clearance.deadline not in ("resume_release", "")
    assert withheld(desk, order_id, done.change_id) == []
    assert change(desk, order_id, done.change_id).is_pending
    assert desk.whats(order_id)[-1] == "release_resumed"
    [notified] = [
        row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "release_resumed"
    ]
    assert [each["email"] for each in notified["recipients"]] == readers
    assert desk.broken() == []


def test_a_deadline_of_a_change_that_has_ended_or_gone_on_changes_nothing(desk: ReviewDesk) -> None:
    order_id = desk.accepted(*LINES)
    done = propose(desk, order_id, asked(quantity("1", 4)), RITA).change
    due = desk.deadline(order_id)

    desk.pass_deadline(order_id, due)
    desk.pass_deadline(order_id, due)
    answer(desk, order_id, done.change_id, "decline")
    desk.pass_deadline(order_id, due)

    assert desk.whats(order_id).count("release_resumed") == 1


def test_no_change_goes_on_without_having_held_something_back(desk: ReviewDesk) -> None:
    order_id = desk.accepted(*LINES)
    done = propose(desk, order_id, asked(quantity("1", 11)), RITA).change

    with pytest.raises(IntegrityError), desk.database.transaction() as session:
        change_store.alter(session, done.change_id, {"resumed_at": desk.now})


def test_a_change_that_has_come_too_late_for_the_released_units_asks_for_them_back(desk: ReviewDesk) -> None:
    order_id = desk.accepted(*LINES)
    done = propose(desk, order_id, asked(quantity("1", 4)), RITA).change
    desk.pass_deadline(order_id)
    released = together(shipment("SH-1", "released", {"1": 10}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipments_released", 1, released))

    assert change(desk, order_id, done.change_id).state == "awaiting_customer"


OVERTAKEN: dict[str, tuple[ChangeRequest, dict[str, int], str, str]] = {
    "a decrease below what is picked": (asked(quantity("1", 4)), {"1": 5}, "picked", "5 units are picked or shipped"),
    "a removal": (asked(quantity("2", 0)), {"2": 1}, "picked", "1 units are picked or shipped"),
    "a substitution": (asked(swap("2", "PUMP")), {"2": 20}, "shipped", "20 units are picked or shipped"),
    "a price": (asked(LineChange("1", unit_price=usd("130.00"))), {"1": 1}, "picked", "its price stays"),
    "everything together": (asked(is_ship_complete=True), {"1": 1}, "picked", "cannot wait to ship complete"),
    "another address of what has all shipped": (
        asked(ship_to=RENO), {"1": 10, "2": 20}, "shipped", "everything has shipped already"
    ),
    "another day of what has all shipped": (
        asked(requested_on=date(2027, 1, 4)), {"1": 10, "2": 20}, "shipped", "everything has shipped already"
    ),
}  # fmt: skip
"""A change that people decide on, what the warehouse does meanwhile, and why that ends it."""


@pytest.mark.parametrize("what", OVERTAKEN)
def test_nobody_is_left_deciding_what_the_warehouse_has_already_done(desk: ReviewDesk, what: str) -> None:
    request, units, state, why = OVERTAKEN[what]
    order_id = desk.accepted(*LINES)
    change_id = propose(desk, order_id, request, RITA).change.change_id

    picked(desk, order_id, units, state)

    found = change(desk, order_id, change_id)
    assert found.state == "rejected"
    assert why in found.ended_reason
    assert "change_rejected" in desk.mails(order_id)
    assert desk.outbox("people_decided", order_id)[-1]["subject_id"] == change_id
    assert desk.read(order_id).asked.change is None
    assert desk.broken() == []


STILL_POSSIBLE: dict[str, tuple[ChangeRequest, dict[str, int], str]] = {
    "a decrease to more than is picked": (asked(quantity("1", 4)), {"1": 4}, "picked"),
    "a removal of the other line": (asked(quantity("2", 0)), {"1": 10}, "shipped"),
    "another address of the rest": (asked(ship_to=RENO), {"1": 10}, "shipped"),
    "another address while a parcel is packed": (asked(ship_to=RENO), {"1": 10}, "packed"),
    "more units": (asked(quantity("1", 12)), {"1": 10}, "shipped"),
}


@pytest.mark.parametrize("what", STILL_POSSIBLE)
def test_a_change_that_may_still_come_about_goes_on_waiting(desk: ReviewDesk, what: str) -> None:
    request, units, state = STILL_POSSIBLE[what]
    order_id = desk.accepted(*LINES)
    change_id = propose(desk, order_id, request, RITA).change.change_id

    picked(desk, order_id, units, state)

    assert change(desk, order_id, change_id).state == "awaiting_customer"
    assert desk.broken() == []


def test_a_change_in_review_ends_with_its_review_and_its_customer_reads_why(desk: ReviewDesk) -> None:
    order_id = desk.accepted(*LINES)
    request = asked(quantity("1", 4), quantity("2", 400))
    change_id = propose(desk, order_id, request, BUYER).change.change_id

    picked(desk, order_id, {"1": 10})

    found = change(desk, order_id, change_id)
    assert (found.state, found.customer_reason) == ("rejected", found.ended_reason)
    assert desk.steps(order_id) == () or not any(step.is_open for step in desk.steps(order_id))
    assert desk.broken() == []


def test_the_lines_that_a_change_touches_are_shown_to_the_warehouse(desk: ReviewDesk) -> None:
    changing, plain = desk.accepted(*LINES), desk.accepted(*LINES)
    done = propose(desk, changing, asked(quantity("1", 4)), RITA).change

    with desk.database.reading() as session:
        found = pending_of_orders(session, {changing, plain})

    assert {order_id: (one.change.change_id, one.line_ids) for order_id, one in found.items()} == {
        changing: (done.change_id, frozenset({"1"}))
    }


def test_a_review_of_a_change_reminds_before_the_order_goes_on(desk: ReviewDesk) -> None:
    order_id = desk.accepted(*LINES)
    propose(desk, order_id, asked(quantity("1", 4), quantity("2", 400)), BUYER)

    reminded = desk.deadline(order_id).what
    desk.decide(order_id, MAX)

    assert reminded == "remind"
    assert desk.deadline(order_id).what == "resume_release"
