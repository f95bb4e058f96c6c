"""Reviews and change orders together: a version that changes under its approvals, a change that is reviewed itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.kernel.errors import DomainError, Refused
from services.kernel.money import UnitPrice
from services.orders.domain.masterdata import Product
from services.orders.domain.people import Person
from services.orders.masterdata import catalog, customers
from services.runtime.db import Database
from tests.orders.change_desk import answer, apply, asked, change, propose, quantity, swap
from tests.orders.desk import ACME, BUYER, NOON, RITA, caller
from tests.orders.review_desk import (
    AROUND_THE_CLOCK,
    DAN,
    FAY,
    MAX,
    OVER_5000,
    RITA_THE_MANAGER,
    ReviewDesk,
    review,
)
from tests.orders.test_review_life import PIA, PLANT

OVER_25000 = {
    "code": "OVER_25000",
    "when": "order.total_minor > 2500000",
    "message": "The order is over 25,000.",
    "tiers": [
        {"level": 1, "role": "approver", "position": "manager"},
        {"level": 2, "role": "approver", "position": "finance_director"},
    ],
}


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    desk = ReviewDesk(database, reviews=[OVER_5000, OVER_25000])
    with database.transaction() as session:
        customers.put_customer(session, replace(ACME, tax_rate=Decimal(0)), "root", NOON)
        for sku, price in (("F", "1000.00"), ("G", "410.00"), ("H", "372.50")):
            listed = Product(sku, sku, list_price=UnitPrice.parse(price, "USD"))
            catalog.put_product(session, listed, "root", NOON)
    return desk


def a4(desk: ReviewDesk) -> str:
    """10 F at 1,000 and 40 G at 410 are 26,400, entered by Rita, who is a manager too."""
    order_id = desk.place(("F", 10), ("G", 40), by=RITA, customer_id="cus_acme").order_id
    desk.validate(order_id)
    return order_id


@pytest.mark.on_postgres
def test_a4_the_version_changes_under_its_approval(desk: ReviewDesk) -> None:
    order_id = a4(desk)
    with pytest.raises(DomainError, match="Rita entered the order"):
        desk.decide(order_id, RITA_THE_MANAGER)
    desk.delegate("max", "dan", hours=72)
    desk.decide(order_id, DAN)
    director = desk.open_step(order_id)

    proposed = propose(desk, order_id, asked(swap("2", "H", "372.50")), RITA)
    assert (proposed.change.state, desk.read(order_id).standing.status) == ("awaiting_customer", "awaiting_customer")
    with pytest.raises(Refused):
        desk.decide(order_id, FAY, step=director)
    answer(desk, order_id, proposed.change.change_id, "accept")
    assert apply(desk, order_id, proposed.change.change_id).is_applied

    order = desk.read(order_id).order
    assert (order.version, order.phase) == (2, "in_review")
    with pytest.raises(Refused) as late:
        desk.decide(order_id, FAY, step=director)
    assert late.value.reason == "VERSION_STALE"
    assert [(step.position, step.state, step.order_version) for step in desk.steps(order_id)] == [
        ("manager", "open", 2)
    ]
    desk.pass_deadline(order_id)
    desk.pass_deadline(order_id)
    assert desk.open_step(order_id).escalated_to == ("fay",)
    desk.decide(order_id, FAY, version=2)

    assert desk.read(order_id).order.phase == "accepted"
    whats = desk.whats(order_id)
    assert (whats.count("review_voided"), whats.count("review_escalated")) == (1, 1)
    assert desk.broken() == []


def test_a4_variant_the_consent_expires_and_the_order_is_back_in_review(desk: ReviewDesk) -> None:
    order_id = a4(desk)
    desk.decide(order_id, MAX)
    proposed = propose(desk, order_id, asked(swap("2", "H", "372.50")), RITA)
    due = desk.deadline(order_id)
    assert (due.what, due.at) == ("expire_consent", desk.now + timedelta(hours=48))

    desk.pass_deadline(order_id)

    assert change(desk, order_id, proposed.change.change_id).state == "expired"
    after = desk.read(order_id)
    assert (after.order.version, after.order.phase, after.standing.status) == (1, "in_review", "in_review")
    assert [(step.position, step.state) for step in desk.steps(order_id)] == [
        ("manager", "open"),
        ("finance_director", "waiting"),
    ]
    assert "order_accepted" not in desk.mails(order_id)
    desk.pass_deadline(order_id, due)  # a second time nothing happens
    assert desk.broken() == []


def accepted_and_changing(desk: ReviewDesk) -> tuple[str, str]:
    """An accepted order of 5 F whose customer wants 8: over 5,000, so the manager is asked about the change."""
    order_id = desk.place(("F", 4)).order_id
    desk.validate(order_id)
    assert desk.read(order_id).order.phase == "accepted"
    proposed = propose(desk, order_id, asked(quantity("1", 8)), BUYER)
    assert proposed.change.state == "in_review"
    assert desk.read(order_id).order.phase == "accepted"
    return order_id, proposed.change.change_id


def test_a_change_to_an_accepted_order_is_agreed_by_its_review(desk: ReviewDesk) -> None:
    order_id, change_id = accepted_and_changing(desk)

    desk.decide(order_id, MAX)

    assert change(desk, order_id, change_id).state == "agreed"
    assert desk.read(order_id).order.version == 1
    assert apply(desk, order_id, change_id).is_applied
    assert desk.read(order_id).order.version == 2
    assert desk.broken() == []


@pytest.mark.parametrize("decision", ["reject", "request_changes"])
def test_a_change_that_is_not_wanted_leaves_the_order_as_it_is(desk: ReviewDesk, decision: str) -> None:
    order_id, change_id = accepted_and_changing(desk)

    desk.decide(order_id, MAX, decision, note="too much")

    assert change(desk, order_id, change_id).state == "rejected"
    after = desk.read(order_id)
    assert (after.order.phase, after.order.version, after.asked.is_anything) == ("accepted", 1, False)
    mail = "changes_requested" if decision == "request_changes" else "change_rejected"
    assert [mail for mail, role in notified(desk, order_id) if role == "sales_rep" and "change" in mail] == [mail]
    assert desk.broken() == []


def notified(desk: ReviewDesk, order_id: str) -> list[tuple[str, str]]:
    """(mail, role of who reads it), in the order in which they were sent."""
    mails = [row["detail"] for row in desk.outbox("notify", order_id)]
    return [(mail["mail"], reader["role"]) for mail in mails for reader in mail["recipients"]]


def test_a_change_that_nobody_decides_comes_to_nothing(desk: ReviewDesk) -> None:
    order_id, change_id = accepted_and_changing(desk)

    for _ in range(3):
        desk.pass_deadline(order_id)

    assert change(desk, order_id, change_id).state == "rejected"
    assert (desk.read(order_id).order.phase, desk.read(order_id).holds) == ("accepted", ())
    assert desk.broken() == []


def test_who_proposed_a_change_does_not_approve_it(desk: ReviewDesk) -> None:
    desk.person(Person("sam", "Sam", "", ("support", "approver"), ("manager",), limits={"USD": 99_000_00}))
    order_id = desk.place(("F", 4)).order_id
    desk.validate(order_id)
    proposed = propose(desk, order_id, asked(quantity("1", 8)), caller("sam", "support"))
    answer(desk, order_id, proposed.change.change_id, "accept")

    with pytest.raises(DomainError, match="proposed this change"):
        desk.decide(order_id, caller("sam", "support", "approver"))

    desk.decide(order_id, MAX)
    assert change(desk, order_id, proposed.change.change_id).state == "agreed"


def made_to_order(desk: ReviewDesk, requested_on: date) -> str:
    desk.person(Person("pia", "Pia", "pia@company.example", ("manufacturing",)))
    asks = review("MADE", 'line.kind == "build_to_order"', {"role": "manufacturing"}, scope="line")
    desk.policy(reviews=[asks], calendars={"plant": PLANT}, deadlines=AROUND_THE_CLOCK)
    with desk.database.transaction() as session:
        rig = Product("RIG", "Rig", "build_to_order", UnitPrice.parse("500.00", "USD"), lead_days=5)
        catalog.put_product(session, rig, "root", NOON)
    order_id = desk.place(("RIG", 1), requested_on=requested_on).order_id
    desk.validate(order_id)
    return order_id


def test_a_day_that_the_plant_can_keep_asks_the_customer_nothing(desk: ReviewDesk) -> None:
    order_id = made_to_order(desk, date(2026, 12, 2))

    desk.decide(order_id, PIA)

    assert desk.read(order_id).order.phase == "accepted"


@pytest.mark.on_postgres
def test_a_later_day_of_the_plant_goes_to_the_customer_and_the_order_goes_on_with_it(desk: ReviewDesk) -> None:
    order_id = made_to_order(desk, date(2026, 12, 1))

    desk.decide(order_id, PIA)  # five working days end on 2 December

    waiting = desk.read(order_id)
    assert (waiting.order.phase, waiting.standing.status) == ("in_review", "awaiting_customer")
    pending = waiting.asked.change
    assert pending is not None
    assert pending.request.requested_on == date(2026, 12, 2)
    assert "consent_requested" in desk.mails(order_id)
    answer(desk, order_id, pending.change_id, "accept")
    assert apply(desk, order_id, pending.change_id).is_applied

    after = desk.read(order_id)
    assert (after.order.version, after.order.phase) == (2, "accepted")
    assert [promise.promised_on for promise in after.promises] == ["2026-12-02"]
    assert desk.broken() == []


def test_a_later_day_that_the_customer_declines_is_asked_of_the_plant_again(desk: ReviewDesk) -> None:
    order_id = made_to_order(desk, date(2026, 12, 1))
    desk.decide(order_id, PIA)
    pending = desk.read(order_id).asked.change
    assert pending is not None

    answer(desk, order_id, pending.change_id, "decline")

    after = desk.read(order_id)
    assert (after.order.version, after.order.phase, after.standing.status) == (1, "in_review", "in_review")
    assert [step.role for step in desk.steps(order_id) if step.is_open] == ["manufacturing"]
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_a_decision_of_who_changed_the_order_does_not_outlive_the_change(desk: ReviewDesk) -> None:
    """Max approves, then proposes fewer himself: a decrease keeps approvals, but not his own."""
    desk.person(Person("max", "Max", "", ("approver", "support"), ("manager",), limits={"USD": 99_000_00}))
    order_id = a4(desk)
    desk.decide(order_id, MAX)
    proposed = propose(desk, order_id, asked(quantity("2", 39)), caller("max", "support"))
    if proposed.change.state == "awaiting_customer":
        answer(desk, order_id, proposed.change.change_id, "accept")
    assert apply(desk, order_id, proposed.change.change_id).is_applied

    states = [(step.position, step.state) for step in desk.steps(order_id) if step.state != "void"]

    assert states == [("manager", "open"), ("finance_director", "waiting")]
    with pytest.raises(DomainError, match="changed the order last"):
        desk.decide(order_id, MAX, version=2)
    assert desk.broken() == []


@pytest.mark.parametrize(("limit", "expected"), [(25_000_00, "accepted"), (24_000_00, "in_review")])
@pytest.mark.on_postgres
def test_a_decrease_keeps_an_approval_only_where_its_limit_covers_the_last_word(
    desk: ReviewDesk, limit: int, expected: str
) -> None:
    """26,400 needs manager and director; 24,760 the manager alone, whose limit did not matter before."""
    desk.person(Person("max", "Max", "", ("approver",), ("manager",), limits={"USD": limit}))
    order_id = a4(desk)
    desk.decide(order_id, MAX)
    proposed = propose(desk, order_id, asked(quantity("2", 36)), BUYER)
    assert (proposed.change.state, proposed.change.is_material) == ("agreed", False)

    assert apply(desk, order_id, proposed.change.change_id).is_applied

    assert desk.read(order_id).order.phase == expected
    assert desk.broken() == []
