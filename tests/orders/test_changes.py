from __future__ import annotations

from datetime import date, timedelta

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import Conflict, InvalidArgument, NotFound, NotPermitted, Refused
from services.orders import cancellation, changes, consenting, dossier
from services.orders.domain.changes import LineChange
from tests.orders.change_desk import (
    OLIVER,
    answer,
    apply,
    asked,
    change,
    changed,
    kept,
    preview,
    propose,
    quantity,
    record,
    reviews,
    swap,
    told,
    with_matrix,
    withdraw,
)
from tests.orders.desk import ANY, BUYER, CONTACTS, RITA, RIVAL, SUPPORT, Desk, amount, caller, shipment, stock, usd


def parked(desk: Desk, *lines: tuple[str, int]) -> str:
    """An order in review: over 1,000.00 the manager is asked, over 5,000.00 the finance director after that."""
    with_matrix(desk)
    order_id = desk.place(*lines).order_id
    desk.validate(order_id)
    return order_id


def test_a_customers_change_of_its_order_is_agreed_by_asking_and_made_at_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 3))

    change_id = changed(desk, order_id, asked(quantity("1", 2), LineChange("", "BOX6", 12)))

    order = desk.read(order_id).order
    assert [(one.line_id, one.sku, one.quantity) for one in order.lines] == [
        ("1", "PUMP", 2),
        ("2", "CENT", 3),
        ("3", "BOX6", 12),
    ]
    # 2 x 129.00 + 3 x 33.33 + 12 x 10.00 = 477.99, tax 7.25 % = 34.65
    assert (order.version, order.totals.total) == (2, amount("512.64"))
    assert [one.totals.merchandise for one in kept(desk, order)] == [amount("615.99")]
    assert change(desk, order_id, change_id).state == "applied"
    assert told(desk, order_id)[-3:] == ["change_proposed", "change_agreed", "change_applied"]
    assert desk.mails(order_id)[-1] == "order_changed"
    assert [row["detail"]["update"] for row in desk.outbox("people_decided", order_id)] == ["amend"]
    assert desk.broken() == []


def test_a_preview_says_what_would_follow_and_changes_nothing(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    count = len(desk.events(order_id))

    shown = preview(desk, order_id, asked(swap("1", "CENT")), RITA)

    assert (shown.needs_consent, shown.is_material, shown.obstacles) == (True, True, ())
    assert shown.after.totals.merchandise == amount("133.32")
    assert "the customer is asked to agree first" in shown.consequences
    assert (len(desk.events(order_id)), desk.read(order_id).asked.change) == (count, None)


def test_a_change_made_before_gives_the_order_as_it_stands(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = changed(desk, order_id, asked(quantity("1", 2)))

    again = apply(desk, order_id, change_id, key="2")

    assert (again.is_applied, again.version) == (True, 2)
    assert told(desk, order_id).count("change_applied") == 1


def test_adding_and_removing_a_line_nets_to_nothing_and_its_id_is_never_used_again(desk: Desk) -> None:
    order_id = desk.accepted(("CENT", 3))
    before = desk.read(order_id).order.totals
    changed(desk, order_id, asked(LineChange("", "PUMP", 1)))
    changed(desk, order_id, asked(quantity("2", 0)))

    assert desk.read(order_id).order.totals == before
    changed(desk, order_id, asked(LineChange("", "PUMP", 1)))
    order = desk.read(order_id).order
    assert [one.line_id for one in order.lines] == ["1", "3"]
    assert [one.version for one in kept(desk, order)] == [1, 2, 3]
    assert desk.broken() == []


def test_an_agreement_made_later_does_not_reprice_what_nobody_touched(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 1))
    desk.agree("PUMP", "100.00")
    changed(desk, order_id, asked(quantity("1", 5)))

    assert desk.read(order_id).order.lines[0].unit_price == usd("129.00")


def test_what_the_customer_agreed_to_counts_though_prices_move_meanwhile(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    done = propose(desk, order_id, asked(swap("1", "CENT")), RITA)
    desk.agree("CENT", "99.00")
    answer(desk, order_id, done.change.change_id, "accept")
    apply(desk, order_id, done.change.change_id)

    assert desk.read(order_id).order.lines[0].unit_price == usd("33.33")


@pytest.mark.parametrize(
    "request_",
    [asked(LineChange("1", unit_price=usd("1.00"))), asked(discount=amount("1.00")), asked(freight=amount("0.00"))],
)
def test_a_customer_names_no_amounts(desk: Desk, request_: object) -> None:
    order_id = desk.accepted(("PUMP", 4))

    with pytest.raises(NotPermitted) as refusal:
        propose(desk, order_id, request_)  # type: ignore[arg-type]  # a ChangeRequest, parametrised

    assert refusal.value.reason == "AMOUNT_NOT_PERMITTED"


def test_a_change_waits_while_the_order_is_validated_and_an_ended_one_has_none(desk: Desk) -> None:
    new_id = desk.place(("PUMP", 1)).order_id
    with pytest.raises(Conflict, match="try again in a moment"):
        propose(desk, new_id, asked(quantity("1", 2)))

    refused_id = desk.place(("NOPE", 1)).order_id
    desk.validate(refused_id)
    with pytest.raises(Refused) as refusal:
        propose(desk, refused_id, asked(LineChange("", "PUMP", 1)))
    assert refusal.value.reason == "ORDER_HAS_ENDED"


def test_one_change_at_a_time_a_stale_version_and_another_ones_order_are_refused(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    with pytest.raises(Refused, match="version 1, not 7"):
        propose(desk, order_id, asked(quantity("1", 2)), version=7)
    with pytest.raises(NotFound):
        propose(desk, order_id, asked(quantity("1", 2)), RIVAL)
    with pytest.raises(NotFound):
        propose(desk, order_id, asked(quantity("1", 2)), caller("ron", "sales_rep", reach="assigned"))
    done = propose(desk, order_id, asked(quantity("1", 2)))

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 3)))

    assert (refusal.value.reason, refusal.value.detail["change_id"]) == ("CHANGE_PENDING", done.change.change_id)


def test_a_rule_that_blocks_refuses_the_change_by_its_line(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(LineChange("", "BOX6", 5), LineChange("", "OLD", 1)))

    assert refusal.value.reason == "CHANGE_NOT_POSSIBLE"
    assert "line 2: The quantity is below the SKU's minimum." in refusal.value.message
    assert "line 3: The SKU is not sold any more." in refusal.value.message


def test_nothing_to_change_is_refused(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 4)))

    assert refusal.value.reason == "NOTHING_CHANGES"


def test_a_proposal_of_sales_waits_for_the_customer_beside_what_stands(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))

    done = propose(desk, order_id, asked(swap("1", "CENT", "30.00"), requested_on=date(2026, 12, 4)), RITA)

    held = desk.read(order_id)
    assert (done.change.state, done.change.consent_expires_at) == ("awaiting_customer", desk.now + timedelta(hours=48))
    assert (held.order.version, held.order.phase, held.order.lines[0].sku) == (1, "accepted", "PUMP")
    assert held.standing.waiting_for is not None
    assert (held.standing.waiting_for.who, held.standing.waiting_for.due) == (
        "customer",
        done.change.consent_expires_at,
    )
    letter = desk.outbox("notify", order_id)[-1]["detail"]
    assert letter["mail"] == "consent_requested"
    assert [row["what"] for row in letter["variables"]["changes"]] == [
        "PUMP replaced by CENT",
        "Unit price of CENT",
        "Requested for",
    ]
    assert desk.broken() == []


def test_what_the_customer_can_only_gain_by_needs_no_consent(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))

    done = propose(desk, order_id, asked(LineChange("1", unit_price=usd("128.00"))), RITA)

    assert (done.change.state, done.change.needs_consent) == ("agreed", False)


def test_a_policy_may_agree_tolerances_beforehand_and_ask_longer(desk: Desk) -> None:
    with_matrix(desk, reviews=[], consent={"when": "change.days_later > 3", "expires_after_hours": 12})
    order_id = desk.accepted(("PUMP", 4), requested_on=date(2026, 12, 1))

    near = preview(desk, order_id, asked(requested_on=date(2026, 12, 4)), RITA)
    far = propose(desk, order_id, asked(requested_on=date(2026, 12, 5)), RITA)

    assert (near.needs_consent, far.change.needs_consent) == (False, True)
    assert far.change.consent_expires_at == desk.now + timedelta(hours=12)


def test_a_material_proposal_voids_the_review_at_once_and_the_next_version_is_reviewed_anew(desk: Desk) -> None:
    # 4 x 129.00 x 10 = 5,160.00 + 7.25 % = 5,534.10: manager, then finance director
    order_id = parked(desk, ("PUMP", 40))
    first = reviews(desk, order_id)[0]
    assert [(step.position, step.state) for step in first.steps] == [
        ("manager", "open"),
        ("finance_director", "waiting"),
    ]

    # 40 x 33.33 = 1,333.20 + 7.25 % = 1,429.86: the director is no longer needed
    done = propose(desk, order_id, asked(swap("1", "CENT")), RITA)
    held = desk.read(order_id)
    assert [(one.state, {step.state for step in one.steps}) for one in reviews(desk, order_id)] == [("void", {"void"})]
    assert (held.standing.status, held.order.phase) == ("awaiting_customer", "in_review")

    answer(desk, order_id, done.change.change_id, "accept")
    outcome = apply(desk, order_id, done.change.change_id)

    assert (outcome.is_applied, outcome.version, outcome.clearance.change_id) == (True, 2, "")
    second = reviews(desk, order_id)[1]
    assert (second.order_version, [(step.position, step.state) for step in second.steps]) == (2, [("manager", "open")])
    assert desk.read(order_id).order.phase == "in_review"
    assert "order_accepted" not in desk.mails(order_id)
    assert desk.broken() == []


def test_a_change_that_falls_under_every_limit_lets_the_order_go_on(desk: Desk) -> None:
    order_id = parked(desk, ("PUMP", 40))
    done = propose(desk, order_id, asked(quantity("1", 2)))
    apply(desk, order_id, done.change.change_id)

    assert desk.read(order_id).order.phase == "accepted"
    assert [one.state for one in reviews(desk, order_id)] == ["void"]
    assert desk.broken() == []


def test_a_decrease_keeps_the_steps_that_are_still_asked(desk: Desk) -> None:
    order_id = parked(desk, ("PUMP", 40))
    manager = reviews(desk, order_id)[0].steps[0]

    changed(desk, order_id, asked(quantity("1", 20)))

    (only,) = reviews(desk, order_id)
    assert (only.state, only.order_version) == ("open", 2)
    assert [(step.step_id == manager.step_id, step.state) for step in only.steps] == [(True, "open"), (False, "void")]
    assert desk.broken() == []


@pytest.mark.parametrize("said", ["decline", "expire", "withdraw"])
def test_a_change_that_does_not_come_about_asks_about_the_version_that_stands_afresh(desk: Desk, said: str) -> None:
    order_id = parked(desk, ("PUMP", 40))
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id

    if said == "decline":
        answer(desk, order_id, change_id, "decline", note="we only install PUMP")
    elif said == "withdraw":
        withdraw(desk, order_id, change_id)
    else:
        expire(desk, order_id, change_id)

    held = desk.read(order_id)
    ended = {"decline": "declined", "expire": "expired", "withdraw": "withdrawn"}[said]
    assert change(desk, order_id, change_id).state == ended
    assert [(one.state, one.order_version) for one in reviews(desk, order_id)] == [("void", 1), ("open", 1)]
    assert (held.order.version, held.order.phase, held.standing.status) == (1, "in_review", "in_review")
    assert f"change_{ended}" in told(desk, order_id)
    if said != "withdraw":
        assert f"consent_{ended}" in desk.mails(order_id)
    assert desk.broken() == []


def expire(desk: Desk, order_id: str, change_id: str) -> None:
    with desk.database.transaction() as session:
        before = dossier.read_for_change(session, order_id)
        after = consenting.expire_consent(session, before, change(desk, order_id, change_id), CONTACTS, desk.now)
        dossier.restate(session, after, desk.now)


def test_the_policy_may_cancel_an_order_whose_customer_does_not_answer(desk: Desk) -> None:
    order_id = parked(desk, ("PUMP", 40))
    with_matrix(desk, consent={"on_expiry": "cancel"})
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id

    expire(desk, order_id, change_id)

    assert desk.read(order_id).order.phase == "cancelled"
    assert desk.mails(order_id)[-2:] == ["consent_expired", "order_cancelled"]
    assert desk.broken() == []


def test_a_silence_that_was_broken_in_time_expires_nothing(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id
    answer(desk, order_id, change_id, "accept")

    expire(desk, order_id, change_id)

    assert change(desk, order_id, change_id).state == "agreed"


def test_a_late_answer_and_a_second_one_are_refused_with_the_state(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id
    with pytest.raises(NotFound):
        answer(desk, order_id, change_id, "accept", RIVAL)
    desk.now += timedelta(hours=48)
    with pytest.raises(Refused) as late:
        answer(desk, order_id, change_id, "accept")
    expire(desk, order_id, change_id)

    with pytest.raises(Refused) as over:
        answer(desk, order_id, change_id, "accept")

    assert (late.value.reason, over.value.reason) == ("CONSENT_TOO_LATE", "CHANGE_NOT_WAITING")
    assert over.value.detail["state"] == "expired"


def test_support_answers_for_a_customer_with_a_note_and_never_for_its_own_proposal(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), SUPPORT).change.change_id
    with pytest.raises(NotPermitted):
        answer(desk, order_id, change_id, "accept", SUPPORT, "on the phone")
    with pytest.raises(InvalidArgument):
        answer(desk, order_id, change_id, "accept", OLIVER)

    answer(desk, order_id, change_id, "accept", OLIVER, "Ann said yes on the phone")

    event = next(one for one in desk.events(order_id) if one.what == "change_consented")
    assert (event.who, event.role, event.why) == ("oliver", "support", "Ann said yes on the phone")
    assert event.after["on_behalf_of"] == "Acme"


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
        before = dossier.read_for_change(session, order_id)
        review_of_change = before.asked.review
        assert review_of_change is not None
        after = consenting.reject_change(session, before, done.change, dossier.Actor("max", "approver"), "no", desk.now)
        dossier.restate(session, after, desk.now)

    assert change(desk, order_id, done.change.change_id).state == "rejected"
    assert desk.read(order_id).order.version == 1


def test_a_hold_that_a_change_of_an_accepted_order_calls_for_asks_its_owner_instead(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))

    # 10 % under the list price: PRICE_OUT_OF_TOLERANCE holds, owned by sales
    done = propose(desk, order_id, asked(LineChange("1", unit_price=usd("116.10"))), SUPPORT)

    (review,) = reviews(desk, order_id)
    assert done.change.state == "in_review"
    assert [(step.role, step.reasons) for step in review.steps] == [
        ("sales_rep", ("The unit price differs by more than 2 % from the agreement or the catalogue. (line 1)",))
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
    desk.tell(desk.fact(order_id, "fulfillment", "shipment_picked", 1, shipment("SH-1", "picked", {"1": 3})))

    outcome = apply(desk, order_id, change_id)

    assert not outcome.is_applied
    assert outcome.reason == "line 1 (PUMP): 3 units are picked or shipped, so keep at least 3"
    assert desk.broken() == []


def test_units_of_a_line_that_is_gone_do_not_confuse_what_is_left(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 3))
    desk.tell(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (1, 3), "2": (0, 3)})))
    changed(desk, order_id, asked(quantity("2", 0), quantity("1", 2)))

    held = desk.read(order_id)
    # inventory has not told of the change yet: no more is shown as waiting than is wanted
    assert {key: (line.allocated, line.backordered) for key, line in held.lines().items()} == {"1": (1, 1)}
    desk.tell(desk.fact(order_id, "inventory", "stock_released", 2, stock({"1": (1, 1), "2": (0, 0)})))
    assert desk.read(order_id).lines()["1"].backordered == 1
    assert desk.broken() == []


def test_a_change_to_what_has_been_delivered_wakes_the_order_to_its_end(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    desk.tell(desk.fact(order_id, "fulfillment", "shipment_delivered", 1, shipment("SH-1", "delivered", {"1": 3})))
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
    desk.tell(desk.fact(order_id, "fulfillment", "shipments_released", 1, {"lines": {"1": {"released": 1}}}))

    changed(desk, order_id, asked(quantity("1", 2)))

    letter = desk.outbox("notify", order_id)[-1]["detail"]
    assert (letter["mail"], letter["variables"]["version"]) == ("order_changed", 2)
    assert [one["role"] for one in letter["recipients"]] == ["customer", "sales_rep", "warehouse_manager", "accounting"]


def test_another_company_reads_no_change(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))

    with pytest.raises(NotFound):
        preview(desk, order_id, asked(quantity("1", 2)), RIVAL)
    assert preview(desk, order_id, asked(quantity("1", 2)), BUYER).obstacles == ()


def recalled(desk: Desk, order_id: str, change_id: str, *, is_acknowledged: bool) -> None:
    detail = {"change_id": change_id, "is_acknowledged": is_acknowledged, "reason": "the truck left", "lines": {}}
    desk.tell(desk.fact(order_id, "fulfillment", "recall_answered", 9, detail))


def released(desk: Desk) -> tuple[str, str]:
    """An order on the floor, and a change that takes units of it away."""
    order_id = desk.accepted(("PUMP", 4))
    desk.tell(desk.fact(order_id, "fulfillment", "shipments_released", 1, {"lines": {"1": {"released": 4}}}))
    return order_id, propose(desk, order_id, asked(quantity("1", 2))).change.change_id


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
    assert desk.broken() == []


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


def test_the_changed_order_is_shown_to_the_story_before_it_is_made(desk: Desk) -> None:
    order_id, change_id = released(desk)

    shown = desk.servicer.GetChangedOrder(pb.GetChangedOrderRequest(order_id=order_id, change_id=change_id), ANY).order

    assert (shown.version, [line.quantity for line in shown.lines]) == (2, [2])
    assert shown.total.minor_units == 27671  # 258.00 + 7.25 %


def test_an_order_that_is_cancelled_takes_its_change_with_it(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id
    with desk.database.transaction() as session:
        cancellation.request(session, order_id, BUYER, "changed plans", desk.now)

    desk.record(order_id, "cancelled")

    assert change(desk, order_id, change_id).state == "withdrawn"
    with pytest.raises(Refused):
        answer(desk, order_id, change_id, "accept")
    assert desk.broken() == []


def test_no_change_begins_while_a_cancellation_is_carried_out(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    with desk.database.transaction() as session:
        cancellation.request(session, order_id, BUYER, "changed plans", desk.now)

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 2)))

    assert refusal.value.reason == "CANCELLATION_PENDING"


def test_an_order_takes_so_many_changes_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_CHANGES", 1)
    order_id = desk.accepted(("PUMP", 4))
    changed(desk, order_id, asked(quantity("1", 3)))

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 2)))

    assert refusal.value.reason == "TOO_MANY_CHANGES"
