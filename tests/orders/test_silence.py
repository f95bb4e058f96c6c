"""A warehouse that answers a recall with neither yes nor no: its manager is asked, reminded, then support; a late word still decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.kernel.errors import DomainError
from services.orders.domain import silence
from services.orders.domain.changes import ChangeOrder
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Requested
from services.orders.order import exceptions
from services.orders.overview import overdue
from services.runtime.db import Database
from tests.orders.cancel_desk import answered, ask, found, keep, part_shipped, settle
from tests.orders.change_desk import asked, propose, quantity, record, withdraw
from tests.orders.desk import BUYER, CONTACTS, SUPPORT, shipment, together
from tests.orders.review_desk import ReviewDesk

GONE = {"1": {"released": 10, "picked": 10, "packed": 10, "shipped": 10, "delivered": 0}}


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database, reviews=[])


def recalled(desk: ReviewDesk) -> tuple[str, Requested]:
    """The rest of a part-shipped order is canceled; the warehouses are asked, and have not answered."""
    order_id = part_shipped(desk)
    done = ask(desk, order_id)
    record(desk, order_id, done.cancellation.change_id, "recall")
    return order_id, done


def step(desk: ReviewDesk, order_id: str) -> ChangeOrder:
    """The change that is on its way."""
    change = desk.read(order_id).asked.change
    assert change is not None
    return change


def waits(desk: ReviewDesk, order_id: str) -> tuple[str, str]:
    waiting = desk.read(order_id).standing.waiting_for
    assert waiting is not None
    return waiting.who, waiting.what


def standing(desk: ReviewDesk, order_id: str) -> list[tuple[str, str]]:
    """Open exceptions, by kind and owner."""
    with desk.database.reading() as session:
        return [(one.kind, one.owner_role) for one in exceptions.list_open(session, order_id)]


def call_off(desk: ReviewDesk, order_id: str, done: Requested) -> None:
    with desk.database.transaction() as session:
        asked_id = done.cancellation.cancellation_id
        cancel.withdraw(session, order_id, asked_id, "they keep them", BUYER, CONTACTS, desk.now)


def late(desk: ReviewDesk, hours: int) -> tuple[str, ...]:
    """What an audit so many hours later finds unanswered."""
    with desk.database.reading() as session:
        due = overdue.Due(desk.now + timedelta(hours=hours), timedelta(minutes=15))
        return tuple(overdue.unanswered(session, due).offenders)


def test_a_cancellation_that_waits_for_a_warehouse_is_not_overdue_and_one_nobody_carries_on_is(
    desk: ReviewDesk,
) -> None:
    order_id = part_shipped(desk)
    done = ask(desk, order_id)
    number = desk.read(order_id).order.number

    unheard = late(desk, 1)
    record(desk, order_id, done.cancellation.change_id, "recall")

    assert unheard[0] == f"{number}: a cancellation is not carried out, for 1 hour"
    assert late(desk, 1) == ()


def test_each_time_without_an_answer_goes_to_somebody_else() -> None:
    assert [silence.next_step(done) for done in range(4)] == ["warehouse", "reminder", "support", ""]
    assert [silence.is_with_support(done) for done in range(4)] == [False, False, False, True]


def test_a_recall_is_escalated_to_the_warehouses_manager_then_reminded_then_to_support(desk: ReviewDesk) -> None:
    order_id, done = recalled(desk)
    asked_at, due = desk.now, desk.deadline(order_id)
    says = [waits(desk, order_id)]
    open_ones: list[list[tuple[str, str]]] = []
    readers, dues = [], [step(desk, order_id).answer_due_at]

    for _ in range(3):
        desk.pass_deadline(order_id)
        says.append(waits(desk, order_id))
        open_ones.append(standing(desk, order_id))
        mail = desk.outbox("notify", order_id)[-1]["detail"]
        readers.append((mail["mail"], mail["variables"]["waited"], [each["role"] for each in mail["recipients"]]))
        dues.append(step(desk, order_id).answer_due_at)

    assert (due.what, due.subject_id) == ("escalate_recall", done.cancellation.change_id)
    assert dues == [asked_at + timedelta(hours=hours) for hours in (2, 4, 6)] + [None]
    answer = "answer to the recall for a cancellation"
    assert says == [
        ("warehouse", answer),
        ("warehouse", f"overdue {answer}"),
        ("warehouse", f"overdue {answer}"),
        ("warehouse, support", f"overdue {answer}"),
    ]
    first = ("recall_unanswered", "warehouse")
    assert open_ones == [[first], [first], [first, ("recall_escalated", "support")]]
    assert readers == [
        ("recall_unanswered", "2 hours", ["warehouse_manager"]),
        ("recall_unanswered", "4 hours", ["warehouse_manager"]),
        ("recall_unanswered", "6 hours", ["warehouse_manager", "support"]),
    ]
    noted = [what for what in desk.whats(order_id) if what.startswith("recall_")]
    assert noted == ["recall_unanswered", "recall_reminded", "recall_escalated"]
    assert desk.broken() == []


@pytest.mark.parametrize("is_yes", [True, False])
def test_a_late_word_still_decides_and_nobody_is_asked_any_more(desk: ReviewDesk, is_yes: bool) -> None:
    order_id, done = recalled(desk)
    for _ in range(3):
        desk.pass_deadline(order_id)

    answered(desk, order_id, done, 4, yes=is_yes, lines=GONE if is_yes else {})
    keep(desk, order_id, done, {"1": 10 if is_yes else 30})
    assert settle(desk, order_id, done).is_applied

    assert standing(desk, order_id) == []
    assert desk.read(order_id).lines()["1"].cancelled == (30 if is_yes else 10)
    assert found(desk, order_id, done).state == "done"
    assert desk.broken() == []


def test_an_escalation_that_is_passed_twice_or_too_late_does_nothing_more(desk: ReviewDesk) -> None:
    order_id, done = recalled(desk)
    due = desk.deadline(order_id)
    desk.pass_deadline(order_id)
    before = desk.mails(order_id)

    desk.pass_deadline(order_id, due)
    answered(desk, order_id, done, 4, yes=True, lines=GONE)
    desk.pass_deadline(order_id, due)

    assert desk.mails(order_id) == before
    assert step(desk, order_id).silence_steps == 1
    assert desk.broken() == []


def test_a_policy_without_hours_waits_for_ever(desk: ReviewDesk) -> None:
    desk.policy(changes={"recall_answer_hours": 0})

    order_id, done = recalled(desk)

    change = step(desk, order_id)
    assert (change.change_id, change.answer_due_at) == (done.cancellation.change_id, None)
    assert desk.broken() == []


def test_the_recall_of_a_change_is_escalated_too_and_ends_with_it(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 10))
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-1", "released", {"1": 10})))
    )
    change_id = propose(desk, order_id, asked(quantity("1", 4)), BUYER).change.change_id
    record(desk, order_id, change_id, "recall")
    desk.pass_deadline(order_id)
    between = standing(desk, order_id)

    record(desk, order_id, change_id, "reject", "picked")

    assert between == [("recall_unanswered", "warehouse")]
    assert standing(desk, order_id) == []
    with pytest.raises(DomainError) as refused:
        withdraw(desk, order_id, change_id)
    assert refused.value.reason == "CHANGE_HAS_ENDED"


def test_who_canceled_may_take_it_back_while_the_warehouse_is_silent_and_cancel_again(desk: ReviewDesk) -> None:
    order_id, done = recalled(desk)
    desk.pass_deadline(order_id)

    with pytest.raises(DomainError) as twice:
        ask(desk, order_id, by=SUPPORT)
    call_off(desk, order_id, done)
    withdrawn, left = found(desk, order_id, done), standing(desk, order_id)
    with pytest.raises(DomainError) as again:
        call_off(desk, order_id, done)
    answered(desk, order_id, done, 4, yes=False)  # fulfillment says that it asks no more
    after = desk.read(order_id)
    another = ask(desk, order_id)

    assert twice.value.reason == "CANCELLATION_PENDING"
    assert (withdrawn.state, withdrawn.settled_reason, left) == ("declined", cancel.WITHDRAWN, [])
    assert again.value.reason == "CANCELLATION_NOT_WAITING"
    assert (after.order.version, after.lines()["1"].cancelled, after.asked.change) == (1, 0, None)
    assert "cancellation_withdrawn" in desk.whats(order_id)
    assert another.preview.consequence.cancelled == {"1": 30}
    assert another.cancellation.change_id != done.cancellation.change_id
    assert desk.broken() == []


def test_a_cancellation_that_is_being_carried_out_is_not_taken_back(desk: ReviewDesk) -> None:
    order_id, done = recalled(desk)
    answered(desk, order_id, done, 4, yes=True, lines=GONE)

    with pytest.raises(DomainError) as refused:
        call_off(desk, order_id, done)

    assert refused.value.reason == "CANCELLATION_NOT_WAITING"
    assert found(desk, order_id, done).state == "requested"
