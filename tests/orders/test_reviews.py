from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest

from services.kernel.errors import DomainError, InvalidArgument, NotFound, Refused
from services.orders.access.matrix import Caller
from services.orders.approvals.resubmit import resubmit
from services.orders.domain.people import Person
from services.orders.order import outbox
from services.orders.order.aggregate import OrderAggregate
from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING, BUYER, CONTACTS, RITA, RIVAL, SUPPORT, caller
from tests.orders.review_desk import (
    FAY,
    MANAGER,
    MAX,
    PEG,
    ReviewDesk,
    review,
)
from tests.threads import at_once


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def test_an_order_under_every_row_of_the_matrix_is_accepted_as_ever(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(36)  # 36 * 129.00 + 7.25 % = 4,980.69

    assert desk.read(order_id).order.phase == "accepted"
    assert desk.steps(order_id) == ()
    assert desk.broken() == []


def test_a_manager_approves_what_the_limit_covers_and_the_order_goes_on(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)  # 12,900.00 + 935.25 = 13,835.25
    asked = desk.read(order_id)
    assert (asked.order.phase, asked.standing.status) == ("in_review", "in_review")
    waiting = asked.standing.waiting_for
    assert waiting is not None
    assert (waiting.who, waiting.what) == ("approver", "manager approval")
    assert desk.mails(order_id)[-1] == "approval_requested"

    done = desk.decide(order_id, MAX)

    assert done.aggregate.order.phase == "accepted"
    assert [row["subject_id"] for row in desk.outbox(outbox.REFRESH, order_id)] == [done.decision.decision_id]
    last = desk.events(order_id)[-1]
    assert (last.who, last.role, last.what, last.why) == ("max", "approver", "step_approved", "seen")
    assert desk.broken() == []


def test_levels_open_one_after_the_other_and_two_people_are_needed(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(
        200
    )  # 25,800.00 + 1,870.50 = 27,670.50: manager, whose limit does not matter, then director
    assert [(step.position, step.state) for step in desk.steps(order_id)] == [
        ("manager", "open"),
        ("finance_director", "waiting"),
    ]
    assert desk.steps(order_id)[0].reasons == ("The order is over 25,000.", "The order is over 5,000.")

    half = desk.decide(order_id, MAX)
    assert half.aggregate.order.phase == "in_review"
    assert desk.open_step(order_id).position == "finance_director"
    whole = desk.decide(order_id, FAY)

    assert whole.aggregate.order.phase == "accepted"
    assert desk.mails(order_id).count("approval_requested") == 2
    assert desk.broken() == []


def test_a_rejection_ends_the_order_and_what_is_left_is_void(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(200)

    done = desk.decide(order_id, MAX, "reject", note="not this year")

    assert (done.aggregate.order.phase, done.aggregate.standing.status) == ("rejected", "rejected")
    assert [step.state for step in desk.steps(order_id)] == []  # nothing stands, so nothing is read with the order
    with pytest.raises(Refused, match="rejected"):
        desk.decide(order_id, FAY, step=desk.all_steps(order_id)[-1])
    assert desk.mails(order_id)[-1] == "order_rejected"
    assert desk.broken() == []


def test_changes_that_are_asked_for_wait_for_sales(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)

    done = desk.decide(order_id, MAX, "request_changes", note="split it")

    waiting = done.aggregate.standing.waiting_for
    assert waiting is not None
    assert (done.aggregate.order.phase, waiting.who) == ("in_review", "sales_rep")
    mail = desk.outbox("notify", order_id)[-1]["detail"]
    assert mail["mail"] == "changes_requested"
    assert mail["variables"]["by"] == "Max"
    assert mail["variables"]["link"] == f"http://127.0.0.1:8000/orders/{done.aggregate.order.number}"
    with pytest.raises(Refused):
        desk.decide(order_id, FAY, step=desk.all_steps(order_id)[-1])
    assert desk.broken() == []


def resubmitted(desk: ReviewDesk, order_id: str, who: Caller, note: str = "the price is agreed") -> OrderAggregate:
    with desk.database.transaction() as session:
        return resubmit(session, order_id, who, note, CONTACTS, desk.now, 1)[0]


def test_an_answer_asks_the_same_version_again_and_nothing_decided_before_counts(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(300)
    desk.decide(order_id, MAX)
    desk.decide(order_id, FAY, "request_changes", note="is that price agreed?")

    after = resubmitted(desk, order_id, RITA)

    assert after.asked.review is not None
    assert [(step.position, step.state) for step in after.asked.review.steps] == [
        ("manager", "open"),
        ("finance_director", "waiting"),
    ]
    assert (after.order.version, desk.whats(order_id)[-1]) == (1, "review_answered")
    assert [one.is_void for step in after.asked.reviews[0].steps for one in step.decisions] == [True, True]
    assert desk.broken() == []


def test_an_answer_needs_words_and_a_review_that_asked(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    with pytest.raises(Refused, match="no review of this order waits"):
        resubmitted(desk, order_id, RITA)
    desk.decide(order_id, MAX, "request_changes", note="split it")

    with pytest.raises(InvalidArgument):
        resubmitted(desk, order_id, RITA, "  ")
    with pytest.raises(NotFound):
        resubmitted(desk, order_id, RIVAL)


def test_changes_that_nobody_makes_end_as_the_policy_says(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    desk.decide(order_id, MAX, "request_changes", note="split it")

    due = desk.deadline(order_id)
    desk.pass_deadline(order_id, due)

    assert due.what == "expire_review"
    assert desk.whats(order_id)[-1] == "review_expired"
    assert [hold.code for hold in desk.read(order_id).holds if hold.is_open] == ["REVIEW_EXPIRED"]
    assert desk.broken() == []


@pytest.mark.parametrize("decision", ["reject", "request_changes"])
def test_anything_but_an_approval_says_why(desk: ReviewDesk, decision: str) -> None:
    order_id = desk.reviewed(100)

    with pytest.raises(InvalidArgument, match="note"):
        desk.decide(order_id, MAX, decision, note=" ")


def test_a_hold_and_a_review_must_both_be_gone(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 100)).order_id
    desk.validate(order_id, is_granted=False)

    approved = desk.decide(order_id, MAX)
    assert (approved.aggregate.order.phase, approved.aggregate.standing.status) == ("in_review", "on_hold")
    released = desk.release(order_id, desk.read(order_id).holds[0].hold_id, ACCOUNTING)

    assert released.order.phase == "accepted"
    assert desk.broken() == []


def test_a_hold_that_is_released_first_leaves_the_review_standing(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 100)).order_id
    desk.validate(order_id, is_granted=False)

    released = desk.release(order_id, desk.read(order_id).holds[0].hold_id, ACCOUNTING)
    assert (released.order.phase, released.standing.status) == ("in_review", "in_review")

    assert desk.decide(order_id, MAX).aggregate.order.phase == "accepted"
    assert desk.broken() == []


def test_n_of_a_position_takes_distinct_people(desk: ReviewDesk) -> None:
    desk.person(Person("mia", "Mia", "", ("approver",), ("manager",), limits={"USD": 30_000_00}))
    desk.policy(
        reviews=[review("TWO", "order.total > 100.0", {**MANAGER, "mode": "n_of", "count": 2})],
        deadlines={"calendar": "always"},
    )
    order_id = desk.reviewed(10)

    assert desk.decide(order_id, MAX).aggregate.order.phase == "in_review"
    with pytest.raises(DomainError, match="another person"):
        desk.decide(order_id, MAX)

    assert desk.decide(order_id, caller("mia", "approver")).aggregate.order.phase == "accepted"
    assert desk.broken() == []


def test_all_of_a_position_are_those_who_may_decide_when_it_opens(desk: ReviewDesk) -> None:
    desk.person(Person("mia", "Mia", "", ("approver",), ("manager",), limits={"USD": 30_000_00}))
    desk.policy(reviews=[review("ALL", "order.total > 100.0", {**MANAGER, "mode": "all"})])

    order_id = desk.reviewed(10)  # rita is a manager too, and sells to this customer: barred, so not waited for

    assert desk.steps(order_id)[0].needed == 2


def test_the_buyers_own_approval_is_a_chain_of_its_own(desk: ReviewDesk) -> None:
    purchase = {"level": 1, "role": "customer", "position": "purchase_manager"}
    seller = review("SELLER", "order.total > 5000.0", MANAGER)
    desk.policy(reviews=[seller, review("BUYER", "order.total > 5000.0", purchase, chain="buyer")])
    order_id = desk.reviewed(50)  # 6,450.00 + 467.63 = 6,917.63, within Peg's 9,000
    assert [(step.chain, step.state) for step in desk.steps(order_id)] == [("seller", "open"), ("buyer", "open")]

    with pytest.raises(DomainError, match="purchase manager"):
        desk.decide(order_id, BUYER, step=desk.open_step(order_id, "purchase_manager"))
    desk.decide(order_id, PEG, step=desk.open_step(order_id, "purchase_manager"))

    assert desk.decide(order_id, MAX).aggregate.order.phase == "accepted"
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_support_validates_without_being_in_the_directory(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("NEW", "customer.order_count == 0", {"role": "support"})])
    order_id = desk.reviewed(1)

    done = desk.decide(order_id, caller("pat", "support"))

    assert done.aggregate.order.phase == "accepted"
    assert desk.read(desk.reviewed(1)).order.phase == "accepted"


@pytest.mark.on_postgres
def test_an_unusual_quantity_is_seen_against_the_customers_average(desk: ReviewDesk) -> None:
    unusual = review(
        "UNUSUAL", "line.usual_quantity > 0 && line.quantity > 3 * line.usual_quantity", {"role": "support"}
    )
    desk.policy(reviews=[{**unusual, "scope": "line"}])
    for pumps in (2, 4):
        desk.reviewed(pumps)

    assert desk.read(desk.reviewed(9)).order.phase == "accepted"  # the average is 3
    assert desk.read(desk.reviewed(16)).order.phase == "in_review"  # the average is 5


def test_orders_split_under_a_limit_count_together_within_the_window(desk: ReviewDesk) -> None:
    first = desk.reviewed(30)  # 4,150.58
    desk.now += timedelta(hours=23)
    second = desk.reviewed(30)
    desk.now += timedelta(hours=30)
    third = desk.reviewed(30)

    phases = [desk.read(order_id).order.phase for order_id in (first, second, third)]

    assert phases == ["accepted", "in_review", "accepted"]
    found = desk.read(second).asked.review
    assert found is not None
    assert found.cumulative_minor == 2 * 415_058


def test_a_step_that_is_decided_refuses_the_second_decision_with_its_state(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(200)
    step = desk.open_step(order_id)
    desk.decide(order_id, MAX)

    with pytest.raises(Refused, match="Max approved it") as refusal:
        desk.decide(order_id, caller("rita", "approver"), step=step)

    assert refusal.value.reason == "STEP_NOT_OPEN"


def test_a_stale_version_decides_nothing(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)

    with pytest.raises(Refused, match="version 1, you decided on 7"):
        desk.decide(order_id, MAX, version=7)

    assert desk.open_step(order_id).decisions == ()


@pytest.mark.on_postgres
def test_fifty_decisions_at_once_have_one_outcome(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    step = desk.open_step(order_id)
    managers = [
        Person(f"m{number}", "", "", ("approver",), ("manager",), limits={"USD": 50_000_00}) for number in range(50)
    ]
    for person in managers:
        desk.person(person)

    def take(number: int) -> str:
        decision = ("approve", "reject", "request_changes")[number % 3]
        try:
            return desk.decide(order_id, caller(f"m{number}", "approver"), decision, step=step).decision.decision
        except Refused as refusal:
            return refusal.reason

    outcomes = at_once([partial(take, number) for number in range(50)], threads=10)

    taken = [outcome for outcome in outcomes if outcome.islower()]
    assert len(taken) == 1, outcomes
    phase = {"approve": "accepted", "reject": "rejected", "request_changes": "in_review"}[taken[0]]
    assert desk.read(order_id).order.phase == phase
    assert desk.whats(order_id).count("decision_refused") == 49
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_without_the_lock_decisions_at_once_would_have_many_outcomes(desk: ReviewDesk) -> None:
    """The naive twin: look first, then decide, each in a transaction of its own."""
    order_id = desk.reviewed(100)
    all_have_read = Barrier(4, timeout=60)

    def refresh_then_decide() -> bool:
        is_open = desk.open_step(order_id).is_open
        all_have_read.wait()
        return is_open

    outcomes = at_once([refresh_then_decide] * 4)

    assert outcomes.count(True) > 1


def test_escalation_expiry_and_hold_ask_again(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    opened = desk.open_step(order_id).opened_at
    assert opened is not None

    assert (desk.deadline(order_id).what, desk.deadline(order_id).at) == ("remind", opened + timedelta(hours=4))
    desk.pass_deadline(order_id)
    assert desk.mails(order_id)[-1] == "approval_reminder"
    assert (desk.deadline(order_id).what, desk.deadline(order_id).at) == ("escalate", opened + timedelta(hours=24))
    desk.pass_deadline(order_id)
    assert desk.open_step(order_id).escalated_to == ("fay",)
    assert desk.mails(order_id)[-1] == "approval_escalated"
    desk.pass_deadline(order_id)

    kept = desk.read(order_id)
    assert (kept.order.phase, kept.standing.axes.holds) == ("in_review", ("review_expired",))
    assert desk.broken() == []
    again = desk.release(order_id, kept.holds[0].hold_id, SUPPORT)
    assert (again.order.phase, again.standing.status) == ("in_review", "in_review")
    assert desk.decide(order_id, MAX).aggregate.order.phase == "accepted"
    assert desk.broken() == []


def test_who_was_escalated_to_decides_with_their_own_limit(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    with pytest.raises(DomainError, match="asks manager"):
        desk.decide(order_id, FAY)
    desk.pass_deadline(order_id)
    desk.pass_deadline(order_id)

    assert desk.decide(order_id, FAY).aggregate.order.phase == "accepted"


def test_a_policy_may_end_a_review_with_a_rejection(desk: ReviewDesk) -> None:
    desk.policy(
        reviews=[review("ANY", "order.total > 1.0", MANAGER)], deadlines={"on_expiry": "reject", "calendar": "always"}
    )
    order_id = desk.reviewed(1)

    for _ in range(3):
        desk.pass_deadline(order_id)

    assert desk.read(order_id).order.phase == "expired"
    assert desk.mails(order_id)[-1] == "order_expired"
    assert desk.broken() == []


def test_a_deadline_that_somebody_was_quicker_than_changes_nothing(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    remind = desk.deadline(order_id)
    desk.pass_deadline(order_id, remind)
    before = len(desk.events(order_id))

    desk.pass_deadline(order_id, remind)
    desk.pass_deadline(order_id, replace(desk.deadline(order_id), at=remind.at))
    desk.decide(order_id, MAX)
    desk.pass_deadline(order_id, remind)

    assert len(desk.events(order_id)) == before + 1
    assert desk.read(order_id).order.phase == "accepted"


def test_without_a_manager_it_goes_to_everybody_above(desk: ReviewDesk) -> None:
    desk.person(Person("max", "Max", "", ("approver",), ("manager",), limits={"USD": 25_000_00}))
    order_id = desk.reviewed(100)
    desk.pass_deadline(order_id)
    desk.pass_deadline(order_id)

    assert desk.open_step(order_id).escalated_to == ("fay",)
    assert desk.decide(order_id, FAY).aggregate.order.phase == "accepted"
