"""A review that the people there are cannot finish is raised when it arises; a step that asks nobody any more is given on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.orders.access.matrix import Caller
from services.orders.approvals import enough_people
from services.orders.domain.changes import SpokenConsent
from services.orders.domain.people import Delegation, Person
from services.orders.domain.review_people import Ask, shortfall
from services.orders.domain.reviews import Step
from services.orders.masterdata import people
from services.orders.overview import inbox
from services.orders.policies import versions
from services.orders.store import exceptions
from services.runtime.db import Database
from tests.orders.change_desk import apply, asked, propose, quantity
from tests.orders.desk import CONTACTS, NOON, SUPPORT, caller
from tests.orders.review_desk import DIRECTOR, FAY, MANAGER, MAX, ReviewDesk, review
from tests.plans import counted

TWO_DIRECTORS = {**DIRECTOR, "mode": "n_of", "count": 2}
GIL = Person("gil", "Gil", "gil@company.example", ("approver",), ("finance_director",), limits={"USD": 100_000_00})
FAY_ENTRY = Person(
    "fay", "Fay", "fay@company.example", ("approver",), ("finance_director",), limits={"USD": 100_000_00}
)
MAX_ENTRY = Person("max", "Max", "max@company.example", ("approver",), ("manager",), limits={"USD": 25_000_00})


def step(number: int) -> Step:
    return Step(
        str(number), "rev", "ord", 1, "seller", number, "approver", f"position_{number}", "n_of", 1, "none", (), ()
    )


def ask(number: int, needed: int, *able: str, is_exclusive: bool = True) -> Ask:
    return Ask(step(number), needed, able, is_exclusive)


@pytest.mark.parametrize(
    ("asks", "missing"),
    [
        ([ask(1, 1, "a"), ask(2, 1, "b")], None),
        ([ask(1, 2, "a", "b", "c"), ask(2, 1, "a")], None),
        # whoever comes first in the list need not take the place: b and c move up for a
        ([ask(1, 1, "a", "b"), ask(2, 1, "a", "c"), ask(3, 1, "a")], None),
        ([ask(1, 2, "a")], (("1",), 2, {"a"})),
        ([ask(1, 1)], (("1",), 1, set())),
        ([ask(1, 1, "a"), ask(2, 1, "a")], (("1", "2"), 2, {"a"})),
        # a and b are too few for three steps, and the fourth has nothing to do with it
        ([ask(1, 1, "a", "b"), ask(2, 1, "a"), ask(3, 1, "b"), ask(4, 1, "c")], (("1", "2", "3"), 3, {"a", "b"})),
        # knowledge may be asked of who decides elsewhere in the review
        ([ask(1, 1, "a"), ask(2, 1, "a", is_exclusive=False)], None),
        ([ask(1, 1, "a"), ask(2, 2, "b", is_exclusive=False)], (("2",), 2, {"b"})),
    ],
)  # fmt: skip
def test_steps_are_matched_with_different_people(asks: list[Ask], missing: tuple[Any, ...] | None) -> None:
    found = shortfall(asks)

    assert (found and (tuple(one.step_id for one in found.steps), found.needed, set(found.able))) == missing


def fills(asks: list[Ask]) -> bool:
    """The naive way: try every order of people on the places."""
    places = [one for one in asks for _ in range(one.needed)]
    subs = sorted({sub for one in asks for sub in one.able})
    if len(places) > len(subs):
        return False
    tries = permutations(subs, len(places))
    return any(all(sub in place.able for sub, place in zip(tried, places, strict=True)) for tried in tries)


@given(st.lists(st.tuples(st.integers(1, 2), st.sets(st.sampled_from("abcd"))), max_size=3))
def test_a_shortfall_is_found_where_no_trial_fills_all_places_and_only_there(drawn: list[tuple[int, set[str]]]) -> None:
    asks = [ask(number, needed, *sorted(able)) for number, (needed, able) in enumerate(drawn, start=1)]

    found = shortfall(asks)

    assert (found is None) == fills(asks)
    if found is not None:
        # what is named is a proof: these people are all who can take these steps, and they are too few
        named = {one.step_id for one in found.steps}
        assert {sub for one in asks if one.step.step_id in named for sub in one.able} == set(found.able)
        assert len(found.able) < found.needed


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def missing(desk: ReviewDesk, order_id: str) -> list[str]:
    with desk.database.reading() as session:
        return [one.reason for one in exceptions.open_of(session, order_id) if one.kind == "review_short_of_people"]


def change(desk: ReviewDesk, *persons: Person) -> None:
    """As the API keeps a person."""
    for person in persons:
        with desk.database.transaction() as session:
            people.put_person(session, person, "root", desk.now)
            enough_people.recheck(session, CONTACTS, desk.now)


Case = tuple[list[dict[str, Any]], list[Person], str]
CASES: dict[str, Case] = {
    "two of a position with one person": (
        [TWO_DIRECTORS], [], "This review cannot be finished: 2 of finance director needed, 1 can act: Fay.",
    ),
    "two of a position with two people": ([TWO_DIRECTORS], [GIL], ""),
    "one person for two levels": (
        [MANAGER, DIRECTOR],
        [replace(FAY_ENTRY, positions=("finance_director", "manager")), replace(MAX_ENTRY, positions=())],
        "This review cannot be finished: manager and finance director together: 2 different people needed, 1 can act: Fay.",
    ),
    "the last word is beyond everybody's limit": (
        [DIRECTOR],
        [replace(FAY_ENTRY, limits={"USD": 1_000_00})],
        "This review cannot be finished: 1 of finance director needed, nobody can act.",
    ),
    "a limit that is not the last word's": ([MANAGER, DIRECTOR], [replace(MAX_ENTRY, limits={})], ""),
    "all of a position, one without the limit": (
        [{**DIRECTOR, "mode": "all"}],
        [replace(GIL, limits={})],
        "This review cannot be finished: 2 of finance director needed, 1 can act: Fay.",
    ),
    "support is knowledge, which a decider may give too": (
        [{"level": 1, "role": "support"}, MANAGER], [replace(MAX_ENTRY, roles=("approver", "support"))], "",
    ),
}  # fmt: skip
"""Tiers, who is in the directory beside the usual people, and what is raised at once; nothing where all can be filled."""


@pytest.mark.parametrize("name", CASES)
def test_what_nobody_can_finish_is_raised_when_the_review_is_opened(desk: ReviewDesk, name: str) -> None:
    tiers, persons, sentence = CASES[name]
    change(desk, *persons)
    desk.policy(reviews=[review("ASKED", "true", *tiers)], deadlines={"calendar": "always"})

    order_id = desk.reviewed(100)  # 13,835.25

    assert missing(desk, order_id) == ([sentence] if sentence else [])
    assert desk.broken() == []


def test_the_only_manager_who_entered_the_order_is_missed_where_nobody_has_the_limit_either(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("ASKED", "true", MANAGER)], deadlines={"calendar": "always"})
    change(desk, replace(FAY_ENTRY, is_active=False), Person("rita", "Rita", "", ("sales_rep",)))

    order_id = desk.reviewed(100, by=caller("max", "support"))

    assert missing(desk, order_id) == ["This review cannot be finished: 1 of manager needed, nobody can act."]


def test_a_delegate_adds_nobody(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("ASKED", "true", TWO_DIRECTORS)], deadlines={"calendar": "always"})
    given_by_fay = Delegation("", "fay", "dan", NOON, desk.now.replace(year=2027))
    with desk.database.transaction() as session:
        people.delegate(session, given_by_fay, FAY, desk.now)

    assert "1 can act: Fay" in missing(desk, desk.reviewed(100))[0]


def test_people_who_come_resolve_it_and_people_who_go_raise_it_again(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("ASKED", "true", TWO_DIRECTORS)], deadlines={"calendar": "always"})
    order_id = desk.reviewed(100)

    change(desk, GIL)
    with_two = missing(desk, order_id)
    change(desk, replace(GIL, is_active=False))

    assert (with_two, len(missing(desk, order_id))) == ([], 1)
    assert [event.what for event in desk.events(order_id) if event.what.startswith("exception")] == [
        "exception_opened",
        "exception_resolved",
        "exception_opened",
    ]


def test_a_decision_that_uses_up_the_only_person_of_a_later_level_is_raised_at_once(desk: ReviewDesk) -> None:
    """Fay is the only director; she takes the manager's step, which Max could have taken."""
    change(desk, replace(FAY_ENTRY, positions=("finance_director", "manager")))
    desk.policy(reviews=[review("ASKED", "true", MANAGER, DIRECTOR)], deadlines={"calendar": "always"})
    order_id = desk.reviewed(100)
    before = missing(desk, order_id)

    desk.decide(order_id, FAY)

    assert before == []
    assert missing(desk, order_id) == ["This review cannot be finished: 1 of finance director needed, nobody can act."]


@pytest.mark.parametrize("end", ["reject", "approve"])
def test_the_end_of_the_review_resolves_it(desk: ReviewDesk, end: str) -> None:
    desk.policy(reviews=[review("ASKED", "true", TWO_DIRECTORS)], deadlines={"calendar": "always"})
    order_id = desk.reviewed(100)
    if end == "approve":
        change(desk, GIL)
        desk.decide(order_id, FAY)
        desk.decide(order_id, caller("gil", "approver"))
    else:
        desk.decide(order_id, FAY, "reject", note="no")

    assert (missing(desk, order_id), desk.broken()) == ([], [])


@pytest.mark.parametrize(
    ("tiers", "warnings"),
    [
        ([TWO_DIRECTORS], ["ASKED: 2 of finance director needed, 1 can act: Fay"]),
        ([{**MANAGER, "position": "chairman", "mode": "n_of", "count": 9}], ["ASKED: 9 of chairman needed, 1 of it"]),
        ([MANAGER, DIRECTOR], []),
        ([{"level": 1, "role": "sales_rep"}], []),
    ],
)
def test_a_policy_that_nobody_could_finish_is_warned_of(
    desk: ReviewDesk, tiers: list[dict[str, Any]], warnings: list[str]
) -> None:
    desk.policy(reviews=[review("ASKED", "true", *tiers)])
    with desk.database.reading() as session:
        found = enough_people.short_rows(session, versions.policy_in_force(session), desk.now)

    assert len(found) == len(warnings)
    assert all(one.startswith(said.split(",")[0]) for one, said in zip(found, warnings, strict=True))


def mine(desk: ReviewDesk, who: Caller) -> list[str]:
    with desk.database.reading() as session:
        return [row.order.order_id for row in inbox.page(session, who, "me", desk.now).rows]


@pytest.mark.parametrize(
    "lost",
    [
        replace(MAX_ENTRY, is_active=False),
        replace(MAX_ENTRY, roles=("support",)),
        replace(MAX_ENTRY, positions=()),
    ],
    ids=["deactivated", "role lost", "position lost"],
)
def test_a_step_that_asks_nobody_any_more_is_in_the_inbox_of_who_acts_and_they_can(
    desk: ReviewDesk, lost: Person
) -> None:
    change(desk, Person("rita", "Rita", "", ("sales_rep",)))
    order_id = desk.reviewed(40)  # 5,534.10: the manager alone
    before, mails = mine(desk, FAY), len(desk.mails(order_id))

    change(desk, lost)

    assert (before, mine(desk, FAY)) == ([], [order_id])
    assert desk.mails(order_id)[mails:] == ["approval_requested"]
    assert "review_reassigned" in [event.what for event in desk.events(order_id)]
    assert desk.decide(order_id, FAY).aggregate.order.phase == "accepted"


def test_a_step_whose_only_approver_has_changed_the_order_goes_to_who_acts(desk: ReviewDesk) -> None:
    change(desk, Person("rita", "Rita", "", ("sales_rep",)), replace(MAX_ENTRY, roles=("approver", "support")))
    order_id = desk.reviewed(60)
    before = mine(desk, FAY)

    # fewer units keep the review, and whoever changed the order may not decide on it
    done = propose(desk, order_id, asked(quantity("1", 50), consent=heard(desk)), caller("max", "support"))
    apply(desk, order_id, done.change.change_id)

    assert desk.open_step(order_id).position == "manager"
    assert (before, mine(desk, FAY)) == ([], [order_id])
    assert desk.decide(order_id, FAY, version=2).aggregate.order.phase == "accepted"


def test_a_delegation_that_begins_later_and_bars_the_only_approver_is_seen_at_the_reminder(desk: ReviewDesk) -> None:
    order_id = desk.reviewed(40, by=caller("rita", "sales_rep"))
    later = desk.now + timedelta(hours=2)
    with desk.database.transaction() as session:
        wanted = Delegation("", "rita", "max", later, later + timedelta(days=9))
        people.delegate(session, wanted, caller("rita", "approver"), desk.now)
        enough_people.recheck(session, CONTACTS, desk.now)
    before = mine(desk, FAY)

    desk.pass_deadline(order_id)

    assert (before, mine(desk, FAY)) == ([], [order_id])


def heard(desk: ReviewDesk) -> SpokenConsent:
    return SpokenConsent("Ann", desk.now, "by phone")


def test_a_step_of_knowledge_goes_to_the_fallback_owner(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("ASKED", "true", {"level": 1, "role": "support"})], deadlines={"calendar": "always"})
    order_id = desk.reviewed(1)

    change(desk, Person("sue", "Sue", "sue@company.example", ("support",), is_active=False))

    assert order_id in mine(desk, MAX)
    assert desk.decide(order_id, MAX).aggregate.order.phase == "accepted"
    assert SUPPORT.principal.sub == "sue"


@pytest.mark.parametrize("tier", [MANAGER, TWO_DIRECTORS], ids=["somebody can finish them", "nobody can"])
def test_a_look_at_all_reviews_asks_the_database_no_more_often_for_many_than_for_one(
    desk: ReviewDesk, tier: dict[str, Any]
) -> None:
    desk.policy(reviews=[review("ASKED", "true", tier)], deadlines={"calendar": "always"})
    change(desk, replace(FAY_ENTRY, limits={"EUR": 100_000_00}))
    desk.reviewed(40)
    with counted(desk.database) as of_one, desk.database.transaction() as session:
        enough_people.recheck(session, CONTACTS, desk.now)
    for _ in range(3):
        desk.reviewed(40)

    with counted(desk.database) as of_four, desk.database.transaction() as session:
        enough_people.recheck(session, CONTACTS, desk.now)

    assert len(of_four) == len(of_one)


def test_the_audit_names_an_exception_that_has_outlived_its_review(desk: ReviewDesk) -> None:
    desk.policy(reviews=[review("ASKED", "true", TWO_DIRECTORS)], deadlines={"calendar": "always"})
    order_id = desk.reviewed(100)
    desk.decide(order_id, FAY, "reject", note="no")
    reopened = "UPDATE business_exception SET resolved_at = NULL, resolved_by = '', note = '' WHERE kind = :kind"

    with desk.database.transaction() as session:
        session.execute(text(reopened), {"kind": "review_short_of_people"})

    assert desk.broken() == ["orders.review_short_of_people_is_open"]
