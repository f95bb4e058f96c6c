"""Whoever is refused reads people by name: no sentence of ours names a login."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.kernel.errors import DomainError
from services.orders.access.matrix import Caller
from services.orders.approvals import enough_people, holds
from services.orders.domain.people import Delegation, Person
from services.orders.lifecycle import resolution
from services.orders.masterdata import people
from services.orders.order import aggregate
from services.orders.overview import inbox
from services.runtime.db import Database
from tests.orders.desk import CONTACTS, NOON, caller
from tests.orders.review_desk import DIRECTOR, MANAGER, ReviewDesk, review
from tests.orders.test_exceptions import on_the_way, opened

LIMIT = {"USD": 25_000_00}
MAX = Person("u-1001", "Max Muster", "max@x.example", ("approver",), ("manager",), limits=LIMIT)
FAY = Person("u-1002", "Fay Fuller", "fay@x.example", ("approver",), ("finance_director",), limits={"USD": 100_000_00})
DAN = Person("u-1003", "Dan Delgado", "dan@x.example", ("approver",))
ABE = Person("u-1004", "Abe Abacus", "abe@x.example", ("accounting",))
SUE = Person("u-1005", "Sue Sutter", "sue@x.example", ("support", "approver"), ("manager",), limits=LIMIT)
TOM = Person("u-1006", "Tom Tailor", "tom@x.example", ("accounting",))
OLD = Person("max", "Max", "", is_active=False)
PEOPLE = (MAX, FAY, DAN, ABE, SUE, TOM, OLD)


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    made = ReviewDesk(database, reviews=[review("ASKED", "true", MANAGER, DIRECTOR)])
    for person in PEOPLE:
        made.person(person)
    return made


def as_(person: Person) -> Caller:
    return caller(person.sub, *person.roles)


def _decide(desk: ReviewDesk, order_id: str, by: Person, **more: Any) -> None:
    desk.decide(order_id, as_(by), **more)


def _delegate(desk: ReviewDesk, giver: Person, taker: Person, *, since: int = -1, until: int = 24, **more: Any) -> None:
    start = desk.now + timedelta(hours=since)
    wanted = Delegation("", giver.sub, taker.sub, start, desk.now + timedelta(hours=until), **more)
    with desk.database.transaction() as session:
        people.delegate(session, wanted, as_(giver), desk.now)


def own_order(desk: ReviewDesk) -> None:
    _decide(desk, desk.reviewed(40, by=as_(SUE)), SUE)


def for_who_entered_it(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(40, by=as_(SUE))
    _delegate(desk, SUE, DAN)
    _decide(desk, order_id, DAN)


def who_stands_in_for_a_party(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(40, by=as_(SUE))
    _delegate(desk, SUE, MAX)
    _decide(desk, order_id, MAX)


def decided_already(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(40)
    first = desk.open_step(order_id)
    _decide(desk, order_id, MAX)
    desk.person(replace(MAX, is_active=False))
    _decide(desk, order_id, FAY, step=first)


def decided_before_for_somebody(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(40)
    _delegate(desk, MAX, FAY)
    _decide(desk, order_id, FAY)
    _decide(desk, order_id, FAY)


def over_limit(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("ASKED", "true", MANAGER)])
    _decide(desk, desk.reviewed(400), MAX)


def over_the_limit_of_a_delegator(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("ASKED", "true", MANAGER)])
    order_id = desk.reviewed(400)
    _delegate(desk, MAX, DAN)
    _decide(desk, order_id, DAN)


def not_in_force(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(40)
    _delegate(desk, MAX, DAN, since=5)
    _decide(desk, order_id, DAN)


def released_already(desk: ReviewDesk) -> None:
    desk.policy()
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id, is_granted=False)
    [hold] = desk.read(order_id).holds
    desk.release(order_id, hold.hold_id, as_(ABE))
    desk.release(order_id, hold.hold_id, as_(TOM))


def own_hold(desk: ReviewDesk) -> None:
    desk.policy()
    order_id = desk.place(("PUMP", 400), by=as_(SUE), discount=None).order_id
    desk.validate(order_id)
    with desk.database.transaction() as session:
        found = aggregate.read_for_change(session, order_id)
        holds.place(session, found, "BIG", "manufacturing", "approver", "big", desk.now)
    hold = desk.read(order_id).holds[-1]
    desk.release(order_id, hold.hold_id, as_(SUE))


def cannot_hold(desk: ReviewDesk) -> None:
    _delegate(desk, MAX, ABE)


def position_not_held(desk: ReviewDesk) -> None:
    _delegate(desk, MAX, DAN, positions=("chairman",))


def a_ring(desk: ReviewDesk) -> None:
    _delegate(desk, DAN, MAX)
    _delegate(desk, MAX, DAN)


def resolved_twice(desk: ReviewDesk) -> None:
    desk.policy()
    found = opened(desk, on_the_way(desk))[0]
    for by in (SUE, replace(MAX, roles=("support",))):
        with desk.database.transaction() as session:
            resolution.resolve(session, found.exception_id, as_(by), "it came", desk.now)


REFUSALS: dict[str, tuple[Callable[[ReviewDesk], None], str, tuple[str, ...]]] = {
    "own order": (own_order, "OWN_ORDER", ("Sue Sutter",)),
    "for who entered it": (for_who_entered_it, "OWN_ORDER", ("Sue Sutter",)),
    "standing in for a party": (who_stands_in_for_a_party, "OWN_ORDER", ("Max Muster", "Sue Sutter")),
    "decided by who has left": (decided_already, "STEP_NOT_OPEN", ("Max Muster",)),
    "decided before, for somebody": (decided_before_for_somebody, "DECIDED_BEFORE", ("Fay Fuller for Max Muster",)),
    "over one's limit": (over_limit, "OVER_LIMIT", ("Max Muster",)),
    "over a delegator's limit": (over_the_limit_of_a_delegator, "OVER_LIMIT", ("Max Muster",)),
    "a delegation not in force": (not_in_force, "DELEGATION_NOT_IN_FORCE", ("Max Muster",)),
    "a hold released already": (released_already, "HOLD_ALREADY_RELEASED", ("Abe Abacus",)),
    "a hold of one's own order": (own_hold, "OWN_ORDER", ("Sue Sutter",)),
    "who could not hold it": (cannot_hold, "DELEGATE_CANNOT_HOLD", ("Abe Abacus",)),
    "a position not held": (position_not_held, "POSITION_NOT_HELD", ("Max Muster",)),
    "a ring of delegations": (a_ring, "DELEGATION_CYCLE", ("Max Muster", "Dan Delgado")),
    "an exception resolved already": (resolved_twice, "EXCEPTION_RESOLVED", ("Sue Sutter",)),
}
"""How somebody is refused → the reason, and who is named."""


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_names_people_and_no_login(desk: ReviewDesk, name: str) -> None:
    act, reason, named = REFUSALS[name]

    with pytest.raises(DomainError) as refusal:
        act(desk)

    assert refusal.value.reason == reason
    assert all(each in refusal.value.message for each in named), refusal.value.message
    assert "u-100" not in refusal.value.message


def test_the_inbox_says_by_name_why_somebody_may_not(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(40, by=as_(SUE))
    step = desk.open_step(order_id)
    with desk.database.reading() as session:
        found = inbox.one(session, as_(SUE), step.step_id, desk.now)

    assert found.obstacle is not None
    assert found.obstacle.message == "you may not: Sue Sutter entered the order; somebody else decides"


def test_a_shortfall_and_a_mail_name_nobody_by_login(desk: ReviewDesk) -> None:
    desk.person(replace(FAY, positions=("manager", "finance_director")))
    for gone in ("max", "fay", "rita", "dan", MAX.sub, SUE.sub):
        desk.person(Person(gone, "Gone", "", is_active=False))
    order_id = desk.reviewed(40)
    with desk.database.transaction() as session:
        enough_people.recheck(session, CONTACTS, NOON)

    mailed = str([row["detail"]["variables"] for row in desk.outbox("notify", order_id)])
    said = str([event.why for event in desk.events(order_id)])
    assert "Fay Fuller" in said
    assert "u-100" not in mailed + said
