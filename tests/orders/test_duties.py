"""The ways around segregation of duties that end in the orders service: each refused, and each kept in the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.kernel.errors import DomainError
from services.orders.access.matrix import Caller
from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.people import Person
from services.orders.domain.reviews import Step
from services.orders.masterdata import people
from services.orders.store import reviews
from services.runtime.db import Database
from tests.orders.change_desk import answer, apply, propose
from tests.orders.desk import BOLT, BUYER, RITA, caller
from tests.orders.review_desk import (
    DAN,
    DIRECTOR,
    FAY,
    MANAGER,
    MAX,
    OVER_5000,
    PEG,
    PEOPLE,
    RITA_THE_MANAGER,
    ROOT,
    ReviewDesk,
    review,
)


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def refused(desk: ReviewDesk, order_id: str, by: Caller, step: Step | None = None, *, version: int = 1) -> str:
    """The reason of a refusal that changed nothing of the order and is kept in its log with who and why."""
    before, events = desk.read(order_id), len(desk.events(order_id))
    with pytest.raises(DomainError) as refusal:
        desk.decide(order_id, by, step=step, version=version)

    last = desk.events(order_id)[-1]
    assert len(desk.events(order_id)) == events + 1
    hidden = refusal.value.reason == "ORDER_UNKNOWN"
    why = "the order is not theirs to see" if hidden else refusal.value.message
    assert (last.who, last.what, last.why) == (by.principal.sub, "decision_refused", why)
    assert last.after["refusal"] == refusal.value.reason
    assert desk.read(order_id) == before
    assert desk.broken() == []
    return refusal.value.reason


def test_1_the_creator_does_not_approve(desk: ReviewDesk) -> None:
    desk.person(Person("sam", "Sam", "", ("sales_rep", "approver"), ("manager",), limits={"USD": 90_000_00}))
    sam = caller("sam", "sales_rep", "approver")
    order_id = desk.reviewed(100, by=sam)

    assert refused(desk, order_id, sam) == "OWN_ORDER"


def test_1b_nor_does_the_person_it_was_entered_for(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100, by=RITA, on_behalf_of="max")

    assert refused(desk, order_id, MAX) == "OWN_ORDER"


def test_2_the_last_editor_does_not_approve(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    changed_by(desk, order_id, "max")

    assert refused(desk, order_id, MAX, version=2) == "OWN_ORDER"


def changed_by(desk: ReviewDesk, order_id: str, who: str) -> None:
    """A change that `who` proposed for support and that made version 2."""
    fewer = LineChange(desk.read(order_id).order.lines[0].line_id, quantity=99)
    by = caller(who, "support", "approver")
    done = propose(desk, order_id, ChangeRequest("fewer", (fewer,)), by)
    answer(desk, order_id, done.change.change_id, "accept")
    assert apply(desk, order_id, done.change.change_id).version == 2


def test_3_the_owning_sales_representative_does_not_approve(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)

    assert refused(desk, order_id, RITA_THE_MANAGER) == "OWN_ORDER"


@pytest.mark.parametrize("positions", [(), ("manager",)])
def test_4_a_delegate_of_the_representative_does_not_approve(desk: ReviewDesk, positions: tuple[str, ...]) -> None:
    """Neither by the representative's right, nor by their own: they stand in for a party."""
    order_id = desk.reviewed(100)
    desk.delegate("rita", "dan", positions=positions)
    assert refused(desk, order_id, DAN) == "OWN_ORDER"

    desk.delegate("rita", "max")
    assert refused(desk, order_id, MAX) == "OWN_ORDER"


def test_4b_nor_a_delegate_of_the_creator_nor_the_delegates_delegate(desk: ReviewDesk) -> None:
    desk.person(Person("eve", "Eve", "", ("customer",), ("purchase_manager",), "cus_acme", limits={"USD": 90_000_00}))
    purchase = {"level": 1, "role": "customer", "position": "purchase_manager"}
    desk.policy(reviews=[review("BUYER", "order.total > 5000.0", purchase, chain="buyer")])
    order_id = desk.reviewed(50)
    desk.delegate("ann", "eve")
    assert refused(desk, order_id, caller("eve", "customer", company="cus_acme", reach="own")) == "OWN_ORDER"

    desk.delegate("eve", "peg")
    assert refused(desk, order_id, PEG) == "OWN_ORDER"


def test_5_the_same_person_does_not_take_the_second_tier(desk: ReviewDesk) -> None:
    both = Person("max", "Max", "", ("approver",), ("manager", "finance_director"), limits={"USD": 99_000_00})
    desk.person(both)
    order_id = desk.reviewed(200)
    desk.decide(order_id, MAX)

    assert refused(desk, order_id, MAX) == "DECIDED_BEFORE"


def test_5b_nor_does_anybody_by_the_right_that_was_used_before(desk: ReviewDesk) -> None:
    both = Person("max", "Max", "", ("approver",), ("manager", "finance_director"), limits={"USD": 99_000_00})
    desk.person(both)
    order_id = desk.reviewed(200)
    desk.delegate("max", "dan")
    desk.decide(order_id, DAN)

    assert refused(desk, order_id, MAX) == "DECIDED_BEFORE"
    assert refused(desk, order_id, DAN) == "DECIDED_BEFORE"


def test_6_an_order_split_under_the_limit_is_held_against_the_whole(desk: ReviewDesk) -> None:
    """Three times 13,835.25 within a day: the manager's 25,000 covers the first, not the second."""
    desk.policy(reviews=[OVER_5000], deadlines={"calendar": "always"})
    first, second = desk.reviewed(100), desk.reviewed(100)

    desk.decide(first, MAX)

    assert refused(desk, second, MAX) == "OVER_LIMIT"


def test_7_a_limit_in_one_currency_is_none_in_another(desk: ReviewDesk) -> None:
    desk.person(Person("max", "Max", "", ("approver",), ("manager",), limits={"JPY": 10_000_000, "EUR": 50_000_00}))
    order_id = desk.reviewed(100)

    assert refused(desk, order_id, MAX) == "OVER_LIMIT"


def test_8_an_approval_of_a_version_that_has_passed_is_stale(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    step = desk.open_step(order_id)

    assert refused(desk, order_id, MAX, step, version=2) == "VERSION_STALE"


@pytest.mark.on_postgres
def test_12_an_expired_and_a_revoked_delegation_give_no_right(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    desk.delegate("max", "dan", hours=1)
    desk.now += timedelta(hours=1)
    assert refused(desk, order_id, DAN) == "DELEGATION_NOT_IN_FORCE"

    second = desk.delegate("max", "dan")
    with desk.database.transaction() as session:
        people.revoke(session, second.delegation_id, caller("max", "approver", reach="own"), desk.now)
    desk.now += timedelta(seconds=1)

    assert refused(desk, order_id, DAN) == "DELEGATION_NOT_IN_FORCE"


def test_a_delegate_decides_in_both_names(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(200)
    desk.delegate("max", "dan")

    done = desk.decide(order_id, DAN)

    assert (done.decision.decided_by, done.decision.acting_for) == ("dan", "max")
    last = desk.events(order_id)[-1]
    assert (last.who, last.after["acting_for"]) == ("dan", "max")
    assert desk.broken() == []


def test_a_delegation_gives_no_more_than_it_says(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    desk.delegate("max", "dan", max_minor=10_000_00, currency="USD")

    assert refused(desk, order_id, DAN) == "OVER_LIMIT"


def test_a_delegation_of_another_position_does_not_cover_it(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    held = ("manager", "plant_manager")
    desk.person(Person("max", "Max", "", ("approver",), held, manager="fay", limits={"USD": 25_000_00}))
    desk.delegate("max", "dan", positions=("plant_manager",))

    assert refused(desk, order_id, DAN) == "NOT_ASKED"


def test_who_left_decides_nothing_whatever_their_token_says(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    desk.person(Person("max", "Max", "", ("approver",), ("manager",), limits={"USD": 25_000_00}, is_active=False))

    assert refused(desk, order_id, MAX) == "PERSON_INACTIVE"


def test_the_delegate_of_who_left_has_no_right_either(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)
    desk.delegate("max", "dan")
    desk.person(Person("max", "Max", "", ("approver",), ("manager",), limits={"USD": 25_000_00}, is_active=False))

    # nobody holds the position any more, so other approvers are asked: Dan too, with the limit that is his own
    assert refused(desk, order_id, DAN) == "OVER_LIMIT"


def test_a_token_without_the_role_does_not_use_the_directory(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)

    assert refused(desk, order_id, caller("max", "support")) == "NOT_ASKED"


def test_a_role_without_the_position_is_not_asked(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)

    assert refused(desk, order_id, caller("mallory", "approver")) == "NOT_ASKED"
    assert refused(desk, order_id, ROOT) == "NOT_ASKED"
    assert refused(desk, order_id, FAY) == "NOT_ASKED"


def test_an_approver_of_another_company_does_not_find_the_order(desk: ReviewDesk) -> None:
    purchase = {"level": 1, "role": "customer", "position": "purchase_manager"}
    desk.policy(reviews=[review("BUYER", "order.total > 1.0", purchase, chain="buyer")])
    desk.person(Person("bea", "Bea", "", ("customer",), ("purchase_manager",), BOLT.customer_id, limits={"USD": 10**9}))
    order_id = desk.reviewed(1)

    stranger = caller("bea", "customer", company="cus_bolt", reach="own")
    assert refused(desk, order_id, stranger, desk.open_step(order_id)) == "ORDER_UNKNOWN"


def test_a_buyer_does_not_decide_for_our_system(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)

    assert refused(desk, order_id, PEG) == "NOT_ASKED"
    assert refused(desk, order_id, BUYER) == "NOT_ASKED"


def test_a_step_that_waits_for_a_lower_level_is_not_decided(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(200)

    assert refused(desk, order_id, FAY, desk.steps(order_id)[1]) == "STEP_NOT_OPEN"


def test_a_step_of_another_order_is_not_found(desk: ReviewDesk) -> None:
    order_id, other = desk.reviewed(100), desk.reviewed(100)

    assert refused(desk, order_id, MAX, desk.open_step(other)) == "STEP_UNKNOWN"


def test_only_the_plant_names_a_day(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(100)

    with pytest.raises(DomainError, match="plant"):
        desk.decide(order_id, MAX, ready_on=date(2026, 12, 24))


def test_the_last_word_needs_the_limit_and_an_earlier_one_does_not(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("BOTH", "order.total > 1.0", MANAGER, DIRECTOR)])
    desk.person(Person("max", "Max", "", ("approver",), ("manager",)))
    desk.person(Person("fay", "Fay", "", ("approver",), ("finance_director",), limits={"USD": 1_00}))
    order_id = desk.reviewed(100)

    desk.decide(order_id, MAX)

    assert refused(desk, order_id, FAY) == "OVER_LIMIT"


def test_what_only_sales_knows_is_confirmed_by_who_entered_it(desk: ReviewDesk) -> None:
    """Knowledge, not authority: nobody else sees this customer's orders."""
    desk.policy(reviews=[review("PRICE", "order.total > 1.0", {"role": "sales_rep"})])
    order_id = desk.reviewed(1, by=RITA)
    assert (
        refused(desk, order_id, caller("ron", "sales_rep", reach="assigned"), desk.open_step(order_id))
        == "ORDER_UNKNOWN"
    )

    assert desk.decide(order_id, RITA).aggregate.order.phase == "accepted"


def test_support_does_not_validate_what_it_changed_itself(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("LOOK", "order.total > 1.0", {"role": "support"})])
    order_id = desk.reviewed(1)
    changed_by(desk, order_id, "sue")

    assert refused(desk, order_id, caller("sue", "support"), version=2) == "OWN_ORDER"


@pytest.mark.parametrize("role", ["admin", "accounting", "support", "sales_rep", "warehouse", "manufacturing"])
def test_an_escalated_approval_goes_to_no_manager_who_could_not_approve(desk: ReviewDesk, role: str) -> None:
    desk.person(Person("boss", "Boss", "", (role,), limits={"USD": 90_000_00}))
    desk.person(Person("max", "Max", "", ("approver",), ("manager",), manager="boss", limits={"USD": 25_000_00}))
    order_id = desk.reviewed(100)
    desk.pass_deadline(order_id)
    desk.pass_deadline(order_id)
    step = desk.open_step(order_id)
    assert "boss" not in step.escalated_to

    with desk.database.transaction() as session:
        reviews.change_steps(session, [step.step_id], {"escalated_to": ["boss"]})

    for held in (role, "approver"):
        assert refused(desk, order_id, caller("boss", held), desk.open_step(order_id)) == "NOT_ASKED"


def test_a_right_that_an_administrator_gives_while_an_order_waits_is_not_enough_and_names_who_gave_it(
    desk: ReviewDesk,
) -> None:
    order_id = desk.reviewed(100)
    desk.now += timedelta(hours=1)
    desk.person(Person("eve", "Eve", "", ("approver",), ("manager",), limits={"USD": 90_000_00}))
    eve = caller("eve", "approver")

    assert refused(desk, order_id, eve) == "AUTHORITY_TOO_NEW"

    for gone in PEOPLE:
        if "manager" in gone.positions:
            desk.person(replace(gone, is_active=False))
    desk.decide(order_id, eve)

    approved = next(one for one in desk.events(order_id) if one.what == "step_approved")
    assert (approved.who, approved.after["authority_given_by"]) == ("eve", "root")
