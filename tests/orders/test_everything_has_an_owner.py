"""Somebody can act on everything that waits: each role has a fallback, and the audit finds what has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.kernel.errors import DomainError, InvalidArgument, NotPermitted
from services.orders.domain.exceptions import CARRIER_EXCEPTION
from services.orders.domain.people import Person
from services.orders.lifecycle import resolution
from services.orders.masterdata import customers
from services.orders.order import exceptions
from services.orders.store import people as people_store
from services.runtime.db import Database
from services.runtime.roles import RULE_OWNERS, fallback
from tests.orders.desk import ACME, caller
from tests.orders.review_desk import DAN, FAY, ReviewDesk, review

OWNERLESS = "orders.somebody_can_act"
ROB = Person("rob", "Rob", "rob@company.example", ("sales_rep",))
PURCHASE = {"level": 1, "role": "customer", "position": "purchase_manager"}


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database, reviews=[])


def sold_by(desk: ReviewDesk, sales_rep: str) -> None:
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, sales_rep=sales_rep), "root", desk.now)


def leaves(desk: ReviewDesk, *subs: str) -> None:
    for sub in subs:
        with desk.database.transaction() as session:
            person = people_store.find(session, sub)
            assert person is not None
            people_store.put(session, replace(person, is_active=False), "root", desk.now)


def held(desk: ReviewDesk, owner: str) -> tuple[str, str]:
    """An order with a hold of an owner."""
    rule: dict[str, Any] = {"code": "HELD", "scope": "header", "when": "true", "severity": "HOLD", "message": "Look."}
    desk.policy(rules=[{**rule, "hold_type": "price", "owner_role": owner}], reviews=[])
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id)
    return order_id, desk.read(order_id).holds[0].hold_id


@pytest.mark.parametrize("rep", ["", "rob"])
def test_what_waits_for_the_representative_of_a_customer_without_one_waits_for_support(
    desk: ReviewDesk, rep: str
) -> None:
    """Nobody sells to it, or who did has left."""
    desk.person(replace(ROB, is_active=False))
    sold_by(desk, rep)
    order_id, hold_id = held(desk, "sales_rep")

    waiting = desk.read(order_id).standing.waiting_for
    assert waiting is not None
    assert waiting.who == "support"
    with pytest.raises(NotPermitted):
        desk.release(order_id, hold_id, caller("ron", "sales_rep"))
    assert desk.release(order_id, hold_id, caller("sue", "support")).order.phase == "accepted"


@pytest.mark.parametrize("owner", RULE_OWNERS)
def test_a_hold_whose_owners_have_all_left_is_released_by_the_fallback_alone(desk: ReviewDesk, owner: str) -> None:
    """The directory of this company has approvers, support and sales."""
    desk.person(ROB)
    desk.person(Person("own", "Own", "", (owner,)))
    sold_by(desk, "rob")
    order_id, hold_id = held(desk, owner)
    leaves(desk, *(person.sub for person in everybody(desk) if owner in person.roles))
    assert (OWNERLESS in desk.broken()) == (not fallback(owner))

    stranger = caller("eve", "auditor" if not fallback(owner) else "admin")
    with pytest.raises(NotPermitted):
        desk.release(order_id, hold_id, stranger)
    if fallback(owner):
        desk.person(Person("sub", "Sub", "", (fallback(owner),)))
        assert desk.release(order_id, hold_id, caller("sub", fallback(owner))).order.phase == "accepted"


def everybody(desk: ReviewDesk) -> list[Person]:
    with desk.database.reading() as session:
        return people_store.page(session)


def test_as_long_as_an_owner_is_there_no_fallback_releases(desk: ReviewDesk) -> None:
    desk.person(Person("abe", "Abe", "", ("accounting",)))
    order_id, hold_id = held(desk, "accounting")

    with pytest.raises(NotPermitted) as refusal:
        desk.release(order_id, hold_id, caller("fay", "approver"))

    assert refusal.value.reason == "NOT_HOLD_OWNER"


def test_a_position_that_nobody_holds_any_more_is_decided_by_another_approver_within_their_limit(
    desk: ReviewDesk,
) -> None:
    desk.policy(reviews=[review("BIG", "order.total > 1.0", {"role": "approver", "position": "plant_director"})])
    order_id = desk.reviewed(100)
    assert desk.broken() == []

    with pytest.raises(DomainError) as refusal:
        desk.decide(order_id, DAN)

    assert refusal.value.reason == "OVER_LIMIT"
    assert desk.decide(order_id, FAY).aggregate.order.phase == "accepted"


@pytest.mark.parametrize("role", ["sales_rep", "support", "warehouse", "manufacturing"])
def test_a_question_to_a_role_that_nobody_has_is_answered_by_its_fallback(desk: ReviewDesk, role: str) -> None:
    sold_by(desk, "")
    desk.policy(reviews=[review("ASK", "order.total > 1.0", {"role": role})])
    leaves(desk, *(person.sub for person in everybody(desk) if role in person.roles))
    order_id = desk.reviewed(1)
    assert desk.broken() == []

    by = caller("fay", "approver") if role == "support" else caller("sue", "support")

    assert desk.decide(order_id, by).decision.decided_by == by.principal.sub


def test_support_takes_the_word_of_a_buyer_whom_the_directory_does_not_know_and_says_whose(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("BUYER", "order.total > 1.0", PURCHASE, chain="buyer")])
    leaves(desk, "peg", "ann")
    order_id = desk.reviewed(1)
    assert desk.broken() == []
    by = caller("sue", "support")

    with pytest.raises(InvalidArgument, match="who of the customer"):
        desk.decide(order_id, by, note="")
    desk.decide(order_id, by, note="Peg, by phone")

    last = desk.events(order_id)[-1]
    assert (last.who, last.role, last.why) == ("sue", "support", "Peg, by phone")


def test_while_a_buyer_is_there_support_does_not_speak_for_it(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("BUYER", "order.total > 1.0", PURCHASE, chain="buyer")])
    order_id = desk.reviewed(1)

    with pytest.raises(NotPermitted):
        desk.decide(order_id, caller("sue", "support"), note="Peg, by phone")


def test_an_exception_of_support_is_resolved_by_an_approver_when_support_is_nobody(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    with desk.database.transaction() as session:
        exceptions.open_exception(session, order_id, CARRIER_EXCEPTION, "shp_1", "lost", desk.now)
        found = exceptions.list_open(session, order_id)[0]
    with pytest.raises(NotPermitted), desk.database.transaction() as session:
        resolution.resolve(session, found.exception_id, FAY, "found", desk.now)
    leaves(desk, *(person.sub for person in everybody(desk) if "support" in person.roles))

    with desk.database.transaction() as session:
        done = resolution.resolve(session, found.exception_id, FAY, "found", desk.now)

    assert done.found.resolved_role == "approver"


@pytest.mark.parametrize("waits", ["hold", "step", "exception"])
def test_the_audit_finds_what_nobody_can_act_on(desk: ReviewDesk, waits: str) -> None:
    if waits == "hold":
        held(desk, "support")
    elif waits == "step":
        desk.policy(reviews=[review("BIG", "order.total > 1.0", {"role": "approver", "position": "manager"})])
        desk.reviewed(1)
    else:
        order_id = desk.accepted(("PUMP", 1))
        with desk.database.transaction() as session:
            exceptions.open_exception(session, order_id, CARRIER_EXCEPTION, "shp_1", "lost", desk.now)
    assert OWNERLESS not in desk.broken()

    leaves(desk, *(person.sub for person in everybody(desk) if {"support", "approver"} & set(person.roles)))

    assert OWNERLESS in desk.broken()
