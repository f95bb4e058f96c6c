from __future__ import annotations

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import InvalidArgument, NotFound, Refused
from services.orders.changes import apply as application
from services.orders.changes import consent
from services.orders.changes import propose as proposals
from services.orders.domain.changes import LineChange
from services.orders.lifecycle import cancel
from services.orders.order import aggregate
from services.orders.policies.engine import Credit
from tests.orders.change_desk import (
    answer,
    apply,
    asked,
    change,
    changed,
    parked,
    preview,
    propose,
    quantity,
    record,
    reviews,
    swap,
    with_matrix,
    withdraw,
)
from tests.orders.desk import ANY, BUYER, CONTACTS, RITA, RIVAL, SUPPORT, Desk, caller, shipment, stock, usd


def test_a_material_change_of_an_accepted_order_is_reviewed_before_it_is_made(desk: Desk) -> None:
    with_matrix(desk)
    order_id = desk.accepted(("PUMP", 1))

    done = propose(desk, order_id, asked(quantity("1", 10)))
    assert done.change.state == "in_review"
    (review,) = reviews(desk, order_id)
    assert (review.change_id, review.order_version, desk.read(order_id).order.phase) == (
        done.change.change_id,
        2,
        "accepted",
    )
    assert desk.broken() == []

    with desk.database.transaction() as session:
        before = aggregate.read_for_change(session, order_id)
        review_of_change = before.asked.review
        assert review_of_change is not None
        after = consent.reject_change(session, before, done.change, aggregate.Actor("max", "approver"), "no", desk.now)
        aggregate.restate(session, after, desk.now)

    assert change(desk, order_id, done.change.change_id).state == "rejected"
    assert desk.read(order_id).order.version == 1


def test_a_hold_that_a_change_of_an_accepted_order_calls_for_asks_its_owner_instead(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))

    # 10 % under the list price: PRICE_OUT_OF_TOLERANCE holds, owned by sales
    done = propose(desk, order_id, asked(LineChange("1", unit_price=usd("116.10"))), SUPPORT)

    (review,) = reviews(desk, order_id)
    assert done.change.state == "in_review"
    assert [(step.role, step.reasons) for step in review.steps] == [
        ("sales_rep", ("The unit price differs by more than 2 % from the agreement or the catalog. (line 1)",))
    ]
    assert desk.read(order_id).holds == ()


def test_a_withdrawn_change_of_an_accepted_order_asks_nobody_any_more(desk: Desk) -> None:
    with_matrix(desk)
    order_id = desk.accepted(("PUMP", 1))
    change_id = propose(desk, order_id, asked(quantity("1", 10))).change.change_id

    withdraw(desk, order_id, change_id)

    assert [one.state for one in reviews(desk, order_id)] == ["withdrawn"]
    assert desk.read(order_id).order.phase == "accepted"
    with pytest.raises(Refused):
        withdraw(desk, order_id, change_id)
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_holds_follow_the_version_that_they_are_about(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 1, "140.00"), ("CENT", 1)).order_id
    desk.validate(order_id, is_granted=False)
    assert desk.read(order_id).standing.axes.holds == ("price", "credit")

    # the odd price goes, credit is still not granted, and the order is under the limit of nobody
    done = propose(desk, order_id, asked(quantity("1", 0)))
    apply(desk, order_id, done.change.change_id, is_granted=False)

    price, credit = desk.read(order_id).holds
    assert (price.is_open, price.note) == (False, "version 2 has removed its cause")
    assert (credit.is_open, credit.order_version) == (True, 1)
    assert desk.read(order_id).order.phase == "in_review"
    assert desk.broken() == []


def test_a_hold_that_was_released_is_placed_again_by_a_material_change_only(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 2, "140.00"), ("CENT", 1, "99.00")).order_id
    desk.validate(order_id, is_granted=False)
    price = desk.read(order_id).holds[0]
    desk.release(order_id, price.hold_id, RITA)

    fewer = propose(desk, order_id, asked(quantity("1", 1)))
    apply(desk, order_id, fewer.change.change_id, is_granted=False)
    assert desk.read(order_id).standing.axes.holds == ("credit",)

    more = propose(desk, order_id, asked(quantity("1", 3)))
    apply(desk, order_id, more.change.change_id, is_granted=False)
    assert sorted(desk.read(order_id).standing.axes.holds) == ["credit", "price"]
    assert desk.mails(order_id).count("order_on_hold") == 2
    assert desk.broken() == []


def test_the_last_release_lets_no_order_go_on_whose_change_is_on_its_way(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id, is_granted=False)
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id

    desk.release(order_id, desk.read(order_id).holds[0].hold_id, caller("abe", "accounting"))
    assert desk.read(order_id).order.phase == "in_review"

    answer(desk, order_id, change_id, "decline")
    assert desk.read(order_id).order.phase == "accepted"
    assert desk.broken() == []


def test_credit_that_is_not_granted_keeps_an_accepted_order_as_it_is(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    change_id = propose(desk, order_id, asked(quantity("1", 3))).change.change_id

    outcome = apply(desk, order_id, change_id, is_granted=False)

    assert (outcome.is_applied, outcome.version) == (False, 1)
    assert outcome.reason == "the customer's credit does not cover the changed order"
    assert change(desk, order_id, change_id).ended_reason == outcome.reason
    assert desk.read(order_id).order.lines[0].quantity == 1
    assert desk.broken() == []


def test_a_paid_order_becomes_no_larger_than_its_customer_paid_for_unless_a_till_has_the_money(desk: Desk) -> None:
    prepaid = desk.accepted(("PUMP", 1), payment_method="prepaid")
    till = desk.accepted(("PUMP", 1), by=RITA, channel="pos", payment_method="prepaid")
    more = {each: propose(desk, each, asked(quantity("1", 3)), RITA).change.change_id for each in (prepaid, till)}
    for order_id, change_id in more.items():
        answer(desk, order_id, change_id, "accept")

    assert apply(desk, prepaid, more[prepaid], is_granted=False).reason == (
        "the customer's cash and credit do not cover the changed order"
    )
    assert apply(desk, till, more[till], is_granted=False).is_applied
    assert desk.broken() == []


def test_credit_that_is_not_granted_holds_an_order_in_review(desk: Desk) -> None:
    order_id = parked(desk, ("PUMP", 40))
    done = propose(desk, order_id, asked(quantity("1", 41)))

    apply(desk, order_id, done.change.change_id, is_granted=False)

    held = desk.read(order_id)
    assert (held.order.version, held.standing.axes.holds, held.holds[0].order_version) == (2, ("credit",), 2)
    assert desk.broken() == []


def test_what_is_picked_between_proposal_and_settlement_rejects_the_change(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(quantity("1", 2))).change.change_id
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_picked", 1, shipment("SH-1", "picked", {"1": 3})))

    outcome = apply(desk, order_id, change_id)

    assert not outcome.is_applied
    assert outcome.reason == "line 1 (PUMP): 3 units are picked or shipped, so keep at least 3"
    assert desk.broken() == []


def test_units_of_a_line_that_is_gone_do_not_confuse_what_is_left(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 3))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (1, 3), "2": (0, 3)})))
    changed(desk, order_id, asked(quantity("2", 0), quantity("1", 2)))

    held = desk.read(order_id)
    # inventory has not told of the change yet: no more is shown as waiting than is wanted
    assert {key: (line.allocated, line.backordered) for key, line in held.lines().items()} == {"1": (1, 1)}
    desk.notify(desk.fact(order_id, "inventory", "stock_released", 2, stock({"1": (1, 1), "2": (0, 0)})))
    assert desk.read(order_id).lines()["1"].backordered == 1
    assert desk.broken() == []


def test_a_change_to_what_has_been_delivered_wakes_the_order_to_its_end(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 1, shipment("SH-1", "delivered", {"1": 3})))
    assert desk.signals(order_id) == []

    changed(desk, order_id, asked(quantity("1", 3)))

    assert desk.signals(order_id) == ["shipment_delivered"]
    assert desk.read(order_id).standing.status == "delivered"


def test_an_accepted_orders_promises_shrink_with_it(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 4), ("CENT", 2)).order_id
    desk.validate(order_id)
    promised = [("1", 3, "2026-11-27"), ("1", 1, "2026-12-04"), ("2", 2, "2026-11-27")]
    desk.record(
        order_id,
        "accepted",
        promises=[{"line_id": line, "quantity": units, "promised_on": day} for line, units, day in promised],
    )

    changed(desk, order_id, asked(quantity("1", 3), quantity("2", 0)))

    assert [(one.line_id, one.quantity) for one in desk.read(order_id).promises] == [("1", 3)]


def test_the_change_is_told_to_everybody_whom_it_concerns(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    desk.notify(desk.fact(order_id, "fulfillment", "shipments_released", 1, {"lines": {"1": {"released": 1}}}))

    changed(desk, order_id, asked(quantity("1", 2)))

    mail = desk.outbox("notify", order_id)[-1]["detail"]
    assert (mail["mail"], mail["variables"]["version"]) == ("order_changed", 2)
    assert [one["role"] for one in mail["recipients"]] == ["customer", "sales_rep", "warehouse_manager", "accounting"]


def test_another_company_reads_no_change(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))

    with pytest.raises(NotFound):
        preview(desk, order_id, asked(quantity("1", 2)), RIVAL)
    assert preview(desk, order_id, asked(quantity("1", 2)), BUYER).obstacles == ()


def recalled(desk: Desk, order_id: str, change_id: str, *, is_acknowledged: bool) -> None:
    detail = {"change_id": change_id, "is_acknowledged": is_acknowledged, "reason": "the truck left", "lines": {}}
    desk.notify(desk.fact(order_id, "fulfillment", "recall_answered", 9, detail))


def released(desk: Desk) -> tuple[str, str]:
    """An order on the warehouse, and a change that takes units of it away."""
    order_id = desk.accepted(("PUMP", 4))
    desk.notify(desk.fact(order_id, "fulfillment", "shipments_released", 1, {"lines": {"1": {"released": 4}}}))
    return order_id, propose(desk, order_id, asked(quantity("1", 2))).change.change_id


@pytest.mark.on_postgres
def test_a_recall_that_is_acknowledged_makes_the_change_agreed_again(desk: Desk) -> None:
    order_id, change_id = released(desk)
    record(desk, order_id, change_id, "recall")
    waiting = desk.read(order_id).standing.waiting_for
    assert (change(desk, order_id, change_id).state, waiting.who if waiting else "") == (
        "awaiting_warehouse",
        "warehouse",
    )

    recalled(desk, order_id, change_id, is_acknowledged=True)

    asked_back = change(desk, order_id, change_id)
    assert (asked_back.state, asked_back.is_recalled) == ("agreed", True)
    assert desk.signals(order_id) == ["recall_answered"]
    assert apply(desk, order_id, change_id).is_applied
    assert desk.broken() == []


@pytest.mark.parametrize("is_noted_first", [True, False])
def test_a_recall_that_is_refused_rejects_the_change(desk: Desk, is_noted_first: bool) -> None:
    order_id, change_id = released(desk)
    if is_noted_first:
        record(desk, order_id, change_id, "recall")
    recalled(desk, order_id, change_id, is_acknowledged=False)
    record(desk, order_id, change_id, "recall")

    ended = change(desk, order_id, change_id)
    assert (ended.state, ended.ended_reason, desk.read(order_id).order.version) == ("rejected", "the truck left", 1)
    assert rejections(desk, order_id) == [(["customer", "sales_rep"], "the truck left")]
    assert desk.broken() == []


def rejections(desk: Desk, order_id: str) -> list[tuple[list[str], str]]:
    """Roles that were told that a change will not be made, and the reason that staff reads."""
    notified = [row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "change_rejected"]
    return [([each["role"] for each in mail["recipients"]], mail["variables"]["reason"]) for mail in notified]


def test_a_customer_who_knew_nothing_of_a_change_hears_nothing_of_its_end(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    done = propose(desk, order_id, asked(LineChange("1", unit_price=usd("116.10"))), SUPPORT)
    assert not done.change.needs_consent

    with desk.database.transaction() as session:
        before = aggregate.read_for_change(session, order_id)
        after = consent.reject_change(session, before, done.change, aggregate.Actor("max", "approver"), "no", desk.now)
        aggregate.restate(session, after, desk.now)

    assert rejections(desk, order_id) == [(["sales_rep"], "no")]


def test_an_acknowledgement_may_overtake_the_note_that_it_was_asked_for(desk: Desk) -> None:
    order_id, change_id = released(desk)
    recalled(desk, order_id, change_id, is_acknowledged=True)

    answered = record(desk, order_id, change_id, "recall")

    assert answered.clearance.change_id == change_id
    assert change(desk, order_id, change_id).is_recalled


def test_what_cannot_be_recorded_of_a_change_is_refused(desk: Desk) -> None:
    order_id, change_id = released(desk)

    with pytest.raises(InvalidArgument):
        record(desk, order_id, change_id, "forget")
    with pytest.raises(NotFound):
        record(desk, order_id, "chg_none", "recall")
    record(desk, order_id, change_id, "reject", "no credit")
    assert change(desk, order_id, change_id).ended_reason == "no credit"


def test_the_changed_order_is_shown_to_the_workflow_before_it_is_made(desk: Desk) -> None:
    order_id, change_id = released(desk)

    shown = desk.servicer.GetChangedOrder(pb.GetChangedOrderRequest(order_id=order_id, change_id=change_id), ANY).order

    assert (shown.version, [line.quantity for line in shown.lines]) == (2, [2])
    assert shown.total.minor_units == 27671  # 258.00 + 7.25 %


def test_an_order_that_is_cancelled_takes_its_change_with_it(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id
    with desk.database.transaction() as session:
        cancel.request(session, order_id, BUYER, "changed plans", desk.now)

    desk.record(order_id, "cancelled")

    assert change(desk, order_id, change_id).state == "withdrawn"
    with pytest.raises(Refused):
        answer(desk, order_id, change_id, "accept")
    assert desk.broken() == []


def test_no_change_begins_while_a_cancellation_is_carried_out(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    with desk.database.transaction() as session:
        cancel.request(session, order_id, BUYER, "changed plans", desk.now)

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 2)))

    assert refusal.value.reason == "CANCELLATION_PENDING"


def test_an_order_takes_so_many_changes_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MAX_CHANGES", 1)
    order_id = desk.accepted(("PUMP", 4))
    changed(desk, order_id, asked(quantity("1", 3)))

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 2)))

    assert refusal.value.reason == "TOO_MANY_CHANGES"


def test_lines_that_a_change_would_have_made_are_not_remembered_when_it_is_taken_back(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(quantity("1", 3))).change.change_id
    desk.read(order_id)

    with pytest.raises(Crash):
        _apply_and_crash(desk, order_id, change_id)

    assert [line.quantity for line in desk.read(order_id).order.lines] == [4]
    record(desk, order_id, change_id, "reject", "the warehouse refuses")
    changed(desk, order_id, asked(quantity("1", 2)))
    assert [line.quantity for line in desk.read(order_id).order.lines] == [2]


class Crash(Exception):
    """The process ends before the commit."""


def _apply_and_crash(desk: Desk, order_id: str, change_id: str) -> None:
    credit = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
    with desk.database.transaction() as session:
        assert application.apply(session, order_id, change_id, credit, CONTACTS, desk.now).is_applied
        assert [line.quantity for line in aggregate.read(session, order_id).order.lines] == [3]
        raise Crash
