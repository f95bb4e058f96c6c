from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.kernel.errors import Conflict, InvalidArgument, NotFound, NotPermitted, Refused
from services.orders.changes import consent
from services.orders.domain.changes import LineChange
from services.orders.order import aggregate
from tests.orders.change_desk import (
    OLIVER,
    answer,
    apply,
    asked,
    change,
    changed,
    kept,
    notified,
    parked,
    preview,
    propose,
    quantity,
    reviews,
    swap,
    with_matrix,
    withdraw,
)
from tests.orders.desk import CONTACTS, RITA, RIVAL, SUPPORT, Desk, amount, caller, usd


@pytest.mark.on_postgres
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
    assert notified(desk, order_id)[-3:] == ["change_proposed", "change_agreed", "change_applied"]
    assert desk.mails(order_id)[-1] == "order_changed"
    assert [row["detail"]["update"] for row in desk.outbox("people_decided", order_id)] == ["amend"]
    assert desk.broken() == []


@pytest.mark.on_postgres
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
    assert notified(desk, order_id).count("change_applied") == 1


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
    changed(desk, order_id, asked(quantity("1", 3), quantity("2", 2)))

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
    assert refusal.value.message == "another change is agreed and being made: wait for its outcome, or withdraw it"


def test_a_preview_says_of_a_change_that_would_be_refused_why(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    offered = preview(desk, order_id, asked(quantity("1", 2)), RITA)
    propose(desk, order_id, asked(quantity("1", 3)), RITA)

    shown = preview(desk, order_id, asked(quantity("1", 2)), RITA)

    assert offered.obstacles == ()
    assert [(one.code, one.sentence) for one in shown.obstacles] == [
        ("CHANGE_PENDING", "another change waits for the customer's answer: wait for its outcome, or withdraw it")
    ]


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
    mail = desk.outbox("notify", order_id)[-1]["detail"]
    assert mail["mail"] == "consent_requested"
    assert [row["what"] for row in mail["variables"]["changes"]] == [
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


def test_a_material_proposal_voids_the_review_at_once_and_the_next_version_is_reviewed_again(desk: Desk) -> None:
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
def test_a_change_that_does_not_come_about_asks_about_the_version_that_stands_again(desk: Desk, said: str) -> None:
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
    assert f"change_{ended}" in notified(desk, order_id)
    assert ("change_rejected" if said == "withdraw" else f"consent_{ended}") in desk.mails(order_id)
    assert desk.broken() == []


def expire(desk: Desk, order_id: str, change_id: str) -> None:
    with desk.database.transaction() as session:
        before = aggregate.read_for_change(session, order_id)
        after = consent.expire_consent(session, before, change(desk, order_id, change_id), CONTACTS, desk.now)
        aggregate.restate(session, after, desk.now)


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
