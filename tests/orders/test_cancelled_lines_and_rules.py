"""What rules, reviews and releases make of an order of which units are cancelled."""

from __future__ import annotations

from datetime import date

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.orders.approvals import manufacturing
from services.orders.domain.changes import LineChange
from services.orders.overview.decision_facts import facts_of
from services.orders.store import order_history
from tests.orders.cancel_desk import ask, cancelled, found, part_shipped, settle
from tests.orders.change_desk import asked, changed, parked, preview, record, reviews
from tests.orders.desk import ANY, RITA, SHOP, Desk, amount, usd


def test_what_is_cancelled_is_not_released_however_long_a_warehouse_takes(desk: Desk) -> None:
    order_id = part_shipped(desk)
    done = ask(desk, order_id)
    record(desk, order_id, done.cancellation.change_id, "recall")

    clearance = desk.servicer.GetClearance(pb.GetClearanceRequest(order_id=order_id), ANY).clearance
    asked_for = pb.GetChangedOrderRequest(order_id=order_id, change_id=done.cancellation.change_id)
    changed_order = desk.servicer.GetChangedOrder(asked_for, ANY)

    assert (clearance.withholding_change_id, clearance.deadline) == (done.cancellation.change_id, "escalate_recall")
    assert (list(changed_order.withheld_line_ids), changed_order.is_cancellation) == (["1"], True)


def test_an_order_in_review_is_asked_about_by_what_is_left_and_keeps_its_holds(desk: Desk) -> None:
    """45 at 129.00 asks the director, too; 30 are 4,150.58 and ask the manager alone."""
    order_id = parked(desk, ("PUMP", 45), ("CENT", 1))
    before = len(reviews(desk, order_id)[-1].steps)

    done = ask(desk, order_id, {"1": 15})
    assert settle(desk, order_id, done).is_applied

    after = desk.read(order_id)
    assert before == 2
    assert [step.role for step in reviews(desk, order_id)[-1].steps if step.state in ("open", "waiting")] == [
        "approver"
    ]
    assert (after.order.phase, after.order.version, after.lines()["1"].cancelled) == ("in_review", 2, 15)
    assert desk.broken() == []


def test_nobody_gets_rid_of_a_hold_by_cancelling(desk: Desk) -> None:
    """10 % off is held by the rules; with units its share of the discount goes, and it is 10 % still."""
    order_id = desk.place(("PUMP", 10), discount=amount("200.00"), by=SHOP).order_id
    desk.validate(order_id)
    held = [hold.code for hold in desk.read(order_id).holds]

    done = ask(desk, order_id, {"1": 9})
    assert settle(desk, order_id, done).is_applied

    assert held
    assert [hold.code for hold in desk.read(order_id).holds if hold.is_open] == held
    assert desk.read(order_id).order.totals.discount == amount("20.00")
    assert desk.broken() == []


def test_of_a_line_that_is_cancelled_whole_nothing_is_promised_decided_or_usual(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 6), ("CENT", 4))
    cancelled(desk, order_id, {"1": 6})
    later = desk.read(desk.place(("PUMP", 6), ("CENT", 4)).order_id).order
    order = desk.read(order_id).order

    with desk.database.reading() as session:
        usual = order_history.usual_quantities(session, later, ["PUMP", "CENT"])
        prices = facts_of(session, order, desk.now).prices
    days = {line.line_id: date(2026, 12, 24) for line in order.lines}

    assert usual == {"CENT": 4}
    assert [one.line_id for one in prices] == ["2"]
    assert [(one.line_id, one.quantity) for one in manufacturing.promised(order, (), days)] == [("2", 4)]


@pytest.mark.parametrize("change", [LineChange("1", sku="CENT"), LineChange("1", unit_price=usd("1.00"))])
def test_a_line_that_is_cancelled_whole_is_neither_substituted_nor_repriced(desk: Desk, change: LineChange) -> None:
    order_id = desk.accepted(("PUMP", 6), ("CENT", 4))
    cancelled(desk, order_id, {"1": 6})

    changed_order = preview(desk, order_id, asked(change), RITA)

    assert [(one.code, one.line_id) for one in changed_order.obstacles] == [("LINE_CANCELLED", "1")]


def test_of_a_line_that_is_cancelled_whole_units_can_be_wanted_again(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 6), ("CENT", 4))
    cancelled(desk, order_id, {"1": 6})

    changed(desk, order_id, asked(LineChange("1", quantity=2)))
    line = desk.read(order_id).lines()["1"]

    assert (line.ordered, line.cancelled, line.wanted) == (8, 6, 2)
    assert desk.broken() == []


def test_an_order_that_ends_while_units_are_being_cancelled_is_not_cancelled_for_their_reason(desk: Desk) -> None:
    order_id = part_shipped(desk)
    done = ask(desk, order_id)
    desk.record(order_id, "cancelled")

    [mail] = [row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "order_cancelled"]

    assert (found(desk, order_id, done).state, mail["variables"]["reason"]) == ("declined", "")
    assert desk.broken() == []
