from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, text

from services.kernel.errors import DomainError, InvalidArgument, NotFound, NotPermitted, Refused
from services.kernel.money import UnitPrice
from services.orders.approvals import plan_review
from services.orders.domain.mails import Promise
from services.orders.domain.masterdata import Product
from services.orders.domain.people import Delegation, Person
from services.orders.lifecycle import record_milestone
from services.orders.lifecycle.record_milestone import Milestone
from services.orders.masterdata import catalog, people
from services.orders.order.aggregate import read_for_change, restate
from services.orders.overview import inbox
from services.orders.policies import evaluate
from services.orders.policies.engine import Credit
from services.orders.store import orders
from services.runtime.db import Database
from tests.orders.desk import BUYER, CONTACTS, NOON, RITA, SUPPORT, caller
from tests.orders.review_desk import (
    DAN,
    FAY,
    MAX,
    OVER_5000,
    OVER_25000,
    PEG,
    ROOT,
    ReviewDesk,
    review,
)

CREDIT = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
PLANT = {"time_zone": "America/Chicago", "opens": "08:00", "country": "US", "subdivision": "TX"}
PIA = caller("pia", "manufacturing")


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def test_a_voided_review_takes_its_approvals_along_and_is_asked_again(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(200)
    step = desk.open_step(order_id)
    desk.decide(order_id, MAX)

    with desk.database.transaction() as session:
        aggregate = read_for_change(session, order_id)
        aggregate = plan_review.void_review(session, aggregate, desk.now, "a change is proposed")
        assert aggregate.asked.review is None
        restate(session, plan_review.reopen_review(session, aggregate, CONTACTS, desk.now), desk.now)

    with pytest.raises(Refused) as refusal:
        desk.decide(order_id, FAY, step=step)
    assert refusal.value.reason == "STEP_NOT_OPEN"
    assert [(one.position, one.state, one.decisions) for one in desk.steps(order_id)] == [
        ("manager", "open", ()),
        ("finance_director", "waiting", ()),
    ]
    assert desk.whats(order_id)[-3:] == ["review_voided", "review_opened", "decision_refused"]
    desk.decide(order_id, MAX)  # the approval that was void does not stand in the way
    assert desk.decide(order_id, FAY).aggregate.order.phase == "accepted"
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_a_decrease_keeps_what_was_decided_and_drops_whom_it_no_longer_asks(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(200)
    desk.decide(order_id, MAX)

    shrink(desk, order_id, 2_000_000)

    states = [(step.position, step.state, step.order_version) for step in desk.all_steps(order_id)]
    assert states == [("manager", "approved", 2), ("finance_director", "void", 1)]
    assert [one.is_void for step in desk.all_steps(order_id) for one in step.decisions] == [False]


def shrink(desk: ReviewDesk, order_id: str, total_minor: int) -> None:
    """Make the order version 2 at a smaller total, as a change that is not material does."""
    with desk.database.transaction() as session:
        aggregate = read_for_change(session, order_id)
        total = replace(aggregate.order.totals.total, minor=total_minor)
        order = replace(aggregate.order, version=2, totals=replace(aggregate.order.totals, total=total))
        orders.change(session, order_id, {"version": 2})
        planned = plan_review.plan(session, order, evaluate.evaluate(session, order, CREDIT, desk.now), desk.now)
        after = plan_review.rebind_review(session, replace(aggregate, order=order), planned, CONTACTS, desk.now)
        restate(session, after, desk.now)


def made_to_order(desk: ReviewDesk, requested_on: date | None = None, **policy: object) -> str:
    desk.person(Person("pia", "Pia", "pia@company.example", ("manufacturing",)))
    asks = review("MADE", 'line.kind == "build_to_order"', {"role": "manufacturing"}, scope="line")
    desk.policy(**{"reviews": [asks], "calendars": {"plant": PLANT}, **policy})
    with desk.database.transaction() as session:
        price = UnitPrice.parse("500.00", "USD")
        for sku, days in (("RIG", 5), ("RIG2", 10)):
            catalog.put_product(session, Product(sku, sku, "build_to_order", price, lead_days=days), "root", NOON)
    order_id = desk.place(("RIG", 1), ("RIG2", 2), requested_on=requested_on).order_id
    desk.validate(order_id)
    return order_id


def test_the_plant_is_asked_line_by_line_and_its_days_become_the_promises(desk: ReviewDesk) -> None:
    """Asked on Monday 23 November; Thanksgiving and the Friday behind it are free in Texas: 24, 25, 30 November, 1, 2 December."""
    order_id = made_to_order(desk)
    first, second = desk.steps(order_id)
    assert (first.line_id, second.line_id, first.asked_on) == ("1", "2", date(2026, 11, 23))
    assert desk.mails(order_id)[-2:] == ["manufacturing_asked", "manufacturing_asked"]

    confirmed = desk.decide(order_id, PIA, step=first)
    countered = desk.decide(order_id, PIA, step=second, ready_on=date(2026, 12, 30))

    assert (confirmed.decision.ready_on, countered.decision.ready_on) == (date(2026, 12, 2), date(2026, 12, 30))
    after = desk.read(order_id)
    assert after.order.phase == "accepted"
    assert after.promises == (Promise("1", 1, "2026-12-02"), Promise("2", 2, "2026-12-30"))
    notified = Milestone("accepted", 1, promises=(Promise("1", 1, "2026-11-25"), Promise("2", 2, "2027-01-05")))
    with desk.database.transaction() as session:
        record_milestone.record(session, order_id, notified, CONTACTS, desk.now)
    assert [one.promised_on for one in desk.read(order_id).promises] == ["2026-12-02", "2027-01-05"]
    assert desk.broken() == []


def test_a_confirmation_that_comes_late_counts_from_the_day_it_comes(desk: ReviewDesk) -> None:
    order_id = made_to_order(desk)
    desk.at(datetime(2026, 12, 7, 15, tzinfo=UTC))

    done = desk.decide(order_id, PIA, step=desk.steps(order_id)[0])

    assert done.decision.ready_on == date(2026, 12, 14)


def test_the_plant_cannot_be_ready_yesterday(desk: ReviewDesk) -> None:
    order_id = made_to_order(desk)

    with pytest.raises(InvalidArgument) as refusal:
        desk.decide(order_id, PIA, ready_on=date(2026, 11, 22))

    assert refusal.value.reason == "READY_DAY_PAST"


def test_what_the_plant_refuses_is_a_hold_of_sales_and_not_the_end(desk: ReviewDesk) -> None:
    order_id = made_to_order(desk)
    first, second = desk.steps(order_id)

    desk.decide(order_id, PIA, "reject", step=first, note="no steel")
    desk.decide(order_id, PIA, "reject", step=second, note="no crane")

    held = desk.read(order_id)
    assert (held.order.phase, held.standing.status) == ("in_review", "on_hold")
    assert [(hold.owner_role, hold.code) for hold in held.holds] == [
        ("sales_rep", "MANUFACTURING_REFUSED"),
        ("sales_rep", "MANUFACTURING_REFUSED_2"),
    ]
    for hold in held.holds:
        desk.release(order_id, hold.hold_id, RITA)
    assert desk.read(order_id).order.phase == "accepted"
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_only_ones_own_decisions_are_handed_over_but_by_an_administrator(desk: ReviewDesk) -> None:
    wanted = Delegation("", "max", "dan", desk.now, desk.now + timedelta(days=1))
    with pytest.raises(NotPermitted), desk.database.transaction() as session:
        people.delegate(session, wanted, caller("dan", "approver", reach="own"), desk.now)

    with desk.database.transaction() as session:
        made = people.delegate(session, wanted, ROOT, desk.now)
        rows = session.execute(text("SELECT created_by FROM delegation")).scalars().all()

    assert rows == ["root"]
    with pytest.raises(NotFound), desk.database.transaction() as session:
        people.revoke(session, made.delegation_id, caller("dan", "approver", reach="own"), desk.now)


@pytest.mark.parametrize(
    ("giver", "taker", "reason"),
    [
        ("max", "max", "DELEGATION_TO_SELF"),
        ("max", "nobody", "PERSON_UNKNOWN"),
        ("max", "peg", "DELEGATION_ABROAD"),
        ("max", "gone", "PERSON_INACTIVE"),
    ],
)
def test_a_delegation_that_is_not_sound_is_refused(desk: ReviewDesk, giver: str, taker: str, reason: str) -> None:
    desk.person(Person("gone", "Gone", "", ("support",), is_active=False))

    with pytest.raises(DomainError) as refusal:
        desk.delegate(giver, taker)

    assert refusal.value.reason == reason


def test_nobody_hands_over_a_position_they_do_not_hold(desk: ReviewDesk) -> None:
    with pytest.raises(
        InvalidArgument, match=r"Max does not hold board, manger \(positions held: manager\)"
    ) as refusal:
        desk.delegate("max", "dan", positions=("manager", "manger", "board"))

    assert refusal.value.reason == "POSITION_NOT_HELD"


EVA = Person("eva", "Eva", "", ("approver",))


def test_delegations_in_a_ring_are_refused(desk: ReviewDesk) -> None:
    desk.person(EVA)
    desk.delegate("max", "dan")
    desk.delegate("dan", "eva")

    with pytest.raises(Refused) as refusal:
        desk.delegate("eva", "max")

    assert refusal.value.reason == "DELEGATION_CYCLE"


def test_a_delegation_is_not_passed_on(desk: ReviewDesk) -> None:
    desk.person(EVA)
    order_id = desk.reviewed(100)
    desk.delegate("max", "dan")
    desk.delegate("dan", "eva")

    with pytest.raises(NotPermitted):
        desk.decide(order_id, caller("eva", "approver"))
    assert desk.decide(order_id, DAN).decision.acting_for == "max"


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Person("x", "X", "", ("approver",), company="cus_acme"), "PERSON_OF_A_COMPANY"),
        (Person("x", "X", "", ("customer",)), "PERSON_WITHOUT_COMPANY"),
        (Person("x", "X", "", ("customer",), company="cus_none"), "CUSTOMER_UNKNOWN"),
        (Person("x", "X", "", ("approver",), manager="x"), "MANAGER_OF_ONESELF"),
        (Person("x", "X", "", ("approver",), manager="nobody"), "MANAGER_UNKNOWN"),
    ],
)
def test_a_person_that_is_not_sound_is_refused(desk: ReviewDesk, person: Person, reason: str) -> None:
    with pytest.raises(DomainError) as refusal:
        desk.person(person)

    assert refusal.value.reason == reason


def waiting(desk: ReviewDesk, who: object, which: inbox.Which = "me") -> list[str]:
    with desk.database.reading() as session:
        rows = inbox.page(session, who, which, desk.now).rows  # type: ignore[arg-type]  # a Caller
    return [f"{row.order.number} {row.step.position or row.step.role}" for row in rows]


@pytest.mark.on_postgres
def test_each_finds_what_is_theirs_and_why_the_rest_is_not(desk: ReviewDesk) -> None:
    desk.policy(reviews=[OVER_5000, OVER_25000], deadlines={"calendar": "always"}, window_hours=0)
    desk.reviewed(200)
    desk.decide(desk.reviewed(100), MAX)
    third = desk.reviewed(210)
    desk.decide(third, MAX)

    assert waiting(desk, MAX) == ["SO-1001 manager"]
    assert waiting(desk, FAY) == ["SO-1003 finance_director"]
    assert waiting(desk, FAY, "team") == ["SO-1001 manager", "SO-1003 finance_director"]
    assert waiting(desk, SUPPORT) == []
    assert waiting(desk, SUPPORT, "all") == ["SO-1001 manager", "SO-1003 finance_director"]
    assert waiting(desk, PEG, "all") == []
    assert waiting(desk, caller("ron", "sales_rep", reach="assigned"), "all") == []
    desk.delegate("max", "dan")
    assert waiting(desk, DAN) == ["SO-1001 manager"]
    with desk.database.reading() as session:
        rows = inbox.page(session, MAX, "all", desk.now).rows
        assert [row.obstacle.reason if row.obstacle else "" for row in rows] == ["", "NOT_ASKED"]
        assert [[person.sub for person in row.asked] for row in rows] == [["max"], ["fay"]]
        counts = inbox.counts(session, MAX, desk.now)
    assert (counts.mine, counts.team, counts.overdue) == (1, 2, 0)


@pytest.mark.on_postgres
def test_a_customer_finds_its_own_purchase_approval_alone(desk: ReviewDesk) -> None:
    purchase = {"level": 1, "role": "customer", "position": "purchase_manager"}
    desk.policy(reviews=[OVER_5000, review("BUYER", "order.total > 5000.0", purchase, chain="buyer")])
    order_id = desk.reviewed(50)
    seller, buyer = desk.steps(order_id)

    assert waiting(desk, PEG) == ["SO-1001 purchase_manager"]
    assert waiting(desk, BUYER) == []
    assert waiting(desk, BUYER, "all") == ["SO-1001 purchase_manager"]
    with desk.database.reading() as session:
        assert inbox.one(session, PEG, buyer.step_id, desk.now).obstacle is None
        with pytest.raises(NotFound):
            inbox.one(session, PEG, seller.step_id, desk.now)
        with pytest.raises(NotFound):
            inbox.one(session, caller("bea", "customer", company="cus_bolt", reach="own"), buyer.step_id, desk.now)


def test_an_escalated_step_is_late_and_waits_for_the_manager(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    desk.pass_deadline(order_id)
    desk.pass_deadline(order_id)

    assert waiting(desk, FAY) == ["SO-1001 manager"]
    with desk.database.reading() as session:
        assert inbox.counts(session, FAY, desk.now).overdue == 1


@pytest.mark.on_postgres
def test_pages_follow_each_other_and_a_made_up_cursor_is_refused(desk: ReviewDesk) -> None:
    for pumps in (50, 60, 70):
        desk.reviewed(pumps)

    seen, cursor = [], ""
    with desk.database.reading() as session:
        for _ in range(4):
            found = inbox.page(session, MAX, "all", desk.now, limit=1, cursor=cursor)
            seen += [row.order.number for row in found.rows]
            cursor = found.next_cursor
            if not cursor:
                break
        with pytest.raises(InvalidArgument, match="cursor"):
            inbox.page(session, MAX, "all", desk.now, cursor="bm8=")

    assert seen == ["SO-1001", "SO-1002", "SO-1003"]


def test_a_page_asks_as_many_questions_for_many_rows_as_for_one(desk: ReviewDesk) -> None:
    desk.policy(reviews=[OVER_5000, OVER_25000], deadlines={"calendar": "always"})
    asked: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *row: asked.append(row[2]))

    def questions(limit: int) -> int:
        asked.clear()
        with desk.database.reading() as session:
            assert len(inbox.page(session, MAX, "all", desk.now, limit=limit).rows) == limit
        return len(asked)

    for _ in range(12):
        desk.reviewed(50)

    assert questions(1) == questions(12)
