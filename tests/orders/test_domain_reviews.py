from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.calendars import ALWAYS, Calendar, after_hours, after_working_days
from services.kernel.errors import InvalidArgument, Refused
from services.orders.domain.matrix import LIMITS, MODES, Hit, ReviewRule, Tier
from services.orders.domain.people import Delegation, Person, check_delegation
from services.orders.domain.policies import PlannedHold, parse_policy
from services.orders.domain.review_plan import due_to_open, is_candidate, opened, plan_steps
from services.orders.domain.reviews import APPROVED, BUYER, OPEN, SELLER, Review, Step
from services.orders.domain.segregation_of_duties import barred
from services.orders.policies import calendars, engine

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REVIEW = Review("rev", "ord", 1, 1, OPEN, NOW, 100, "USD")
RULE = {"code": "RULE", "when": "false", "severity": "WARN", "message": "never"}
CHICAGO = Calendar(
    "plant",
    "America/Chicago",
    frozenset(range(5)),
    time(8),
    time(17),
    frozenset({date(2026, 11, 26), date(2026, 12, 25)}),
)
NIGHT = Calendar("night", "Europe/Berlin", frozenset({0, 2, 4}), time(22), time(6))

tiers = st.builds(
    Tier,
    level=st.integers(1, 3),
    role=st.sampled_from(["approver", "support", "manufacturing"]),
    position=st.sampled_from(["", "manager", "director"]),
    mode=st.sampled_from(MODES),
    count=st.integers(1, 3),
    limit=st.sampled_from(LIMITS),
)
hits = st.lists(
    st.tuples(
        st.sampled_from("ABCDEF"),
        st.sampled_from([SELLER, BUYER]),
        st.lists(tiers, min_size=1, max_size=3),
        st.sampled_from(["", "1", "2"]),
    ).map(lambda row: Hit(ReviewRule(row[0], "header", "true", f"{row[0]} asks", row[1], tuple(row[2])), row[3])),
    max_size=8,
    unique_by=lambda hit: hit.rule.code,
)


def planned(asked: list[Hit]) -> tuple[Step, ...]:
    numbers = count(1)
    return plan_steps(asked, REVIEW, lambda: f"step_{next(numbers)}")


@given(hits, st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_the_rows(asked: list[Hit], chance: object) -> None:
    shuffled = list(asked)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random

    assert planned(shuffled) == planned(asked)


@given(hits)
def test_each_who_is_asked_has_one_step_that_is_as_strict_as_the_strictest(asked: list[Hit]) -> None:
    steps = planned(asked)

    keys = [(step.chain, step.level, step.role, step.position, step.line_id) for step in steps]
    assert len(keys) == len(set(keys))
    wanted = {
        (hit.rule.chain, tier.level, tier.role, tier.position, hit.line_id if tier.role == "manufacturing" else "")
        for hit in asked
        for tier in hit.rule.tiers
    }
    assert set(keys) == wanted
    for hit in asked:
        for tier in hit.rule.tiers:
            line_id = hit.line_id if tier.role == "manufacturing" else ""
            step = steps[keys.index((hit.rule.chain, tier.level, tier.role, tier.position, line_id))]
            assert MODES.index(step.mode) >= MODES.index(tier.mode)
            assert LIMITS.index(step.limit) >= LIMITS.index(tier.limit)
            assert hit.rule.code in step.codes


@given(hits)
def test_levels_open_in_order_and_all_steps_open_in_the_end(asked: list[Hit]) -> None:
    steps = list(planned(asked))
    last: dict[str, int] = {}
    for _ in range(len(steps)):
        for step in due_to_open(steps):
            assert step.level >= last.get(step.chain, 0)
            last[step.chain] = step.level
            steps[steps.index(step)] = opened(step, [], ALWAYS, engine.built_in().deadlines, NOW)
        passed = next((step for step in steps if step.state == OPEN), None)
        if passed is not None:
            steps[steps.index(passed)] = passed_by(passed)

    assert all(step.state == APPROVED for step in steps)


def passed_by(step: Step) -> Step:
    return replace(step, state=APPROVED)


def test_a_hold_that_a_change_calls_for_asks_its_owner() -> None:
    steps = plan_steps([], REVIEW, lambda: "step_1", [PlannedHold("MARGIN", "margin", "accounting", "too thin")])

    assert [(step.role, step.level, step.limit, step.reasons) for step in steps] == [
        ("accounting", 1, "none", ("too thin",))
    ]


def test_a_buyers_chain_asks_its_own_people_and_sales_who_sells() -> None:
    buyer = Step("s", "r", "o", 1, BUYER, 1, "customer", "", "any", 1, "final", (), ())
    sales = Step("s", "r", "o", 1, SELLER, 1, "sales_rep", "", "any", 1, "none", (), ())
    peg, bea = (
        Person(sub, sub, "", ("customer",), company=company) for sub, company in (("peg", "cus"), ("bea", "else"))
    )
    rita, ron = (Person(sub, sub, "", ("sales_rep",)) for sub in ("rita", "ron"))

    assert [is_candidate(one, buyer, "cus", "rita") for one in (peg, bea, rita)] == [True, False, False]
    assert [is_candidate(one, sales, "cus", "rita") for one in (rita, ron, peg)] == [True, False, False]


@settings(max_examples=60)
@given(
    st.sampled_from([CHICAGO, NIGHT]),
    st.integers(0, 2 * 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_business_hours_add_up_and_end_within_opening_times(
    calendar: Calendar, start: datetime, one: int, two: int
) -> None:
    end = after_hours(calendar, start, one)

    assert end >= start
    assert after_hours(calendar, end, two) == after_hours(calendar, start, one + two)
    assert after_hours(calendar, start, one + 1) - end >= timedelta(hours=1)
    if one:
        assert is_open_until(calendar, end)


def is_open_until(calendar: Calendar, moment: datetime) -> bool:
    """Whether the calendar is open in the minute before, by looking at the wall clock."""
    local = (moment - timedelta(minutes=1)).astimezone(ZoneInfo(calendar.time_zone))
    day, clock = local.date(), local.time()
    if calendar.opens < calendar.closes:
        return calendar.is_working_day(day) and calendar.opens <= clock < calendar.closes
    started = day if clock >= calendar.opens else day - timedelta(days=1)
    return calendar.is_working_day(started) and (clock >= calendar.opens or clock < calendar.closes)


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 40), st.integers(0, 40))
def test_working_days_add_up_and_are_working_days(start: date, one: int, two: int) -> None:
    end = after_working_days(CHICAGO, start, one)

    assert after_working_days(CHICAGO, end, two) == after_working_days(CHICAGO, start, one + two)
    assert end == start or CHICAGO.is_working_day(end)
    assert (
        sum(CHICAGO.is_working_day(start + timedelta(days=ahead)) for ahead in range(1, (end - start).days + 1)) == one
    )


def test_a_day_over_thanksgiving_by_hand() -> None:
    """Wednesday 25 November 16:00 in Chicago is 22:00 UTC; one hour left that day, Thursday is free, two hours of Friday."""
    assert after_hours(CHICAGO, datetime(2026, 11, 25, 22, tzinfo=UTC), 3) == datetime(2026, 11, 27, 16, tzinfo=UTC)


people = st.sampled_from(["ann", "bob", "cyd", "dan", "eve"])
delegations = st.lists(
    st.tuples(people, people, st.integers(0, 48), st.integers(1, 48)).map(
        lambda row: Delegation(
            "d", row[0], row[1], NOW + timedelta(hours=row[2]), NOW + timedelta(hours=row[2] + row[3])
        )
    ),
    max_size=12,
)


@given(delegations)
def test_delegations_that_are_let_in_never_close_a_ring(wanted: list[Delegation]) -> None:
    kept: list[Delegation] = []
    for one in wanted:
        try:
            giver, taker = (Person(sub, sub, "", ("approver",)) for sub in (one.from_sub, one.to_sub))
            check_delegation(one, giver, taker, kept)
        except (InvalidArgument, Refused):
            continue
        kept.append(one)

    for hours in range(97):
        now = NOW + timedelta(hours=hours)
        for sub in ("ann", "bob", "cyd", "dan", "eve"):
            assert sub not in stand_ins(sub, [one for one in kept if one.is_in_force(now)], set())


def stand_ins(sub: str, in_force: list[Delegation], seen: set[str]) -> set[str]:
    for one in in_force:
        if one.from_sub == sub and one.to_sub not in seen:
            seen.add(one.to_sub)
            stand_ins(one.to_sub, in_force, seen)
    return seen


@given(delegations)
def test_whoever_stands_in_for_a_party_is_barred_too(given_out: list[Delegation]) -> None:
    found = barred({"ann": "entered the order"}, given_out, NOW)

    in_force = [one for one in given_out if one.is_in_force(NOW)]
    assert set(found) == {"ann"} | stand_ins("ann", in_force, set())
    assert all("entered the order" in why for why in found.values())


BROKEN = [
    ({"reviews": [{"code": "AA"}]}, "review AA: tiers"),
    ({"reviews": [{"code": "AA", "tiers": []}]}, "review AA: at least one tier"),
    ({"reviews": [{"code": "a", "tiers": []}]}, "review 1: a code"),
    (
        {"reviews": [{"code": "AA", "when": "true", "message": "m", "tiers": [{"role": "king"}]}]},
        "review AA: tier 1: role",
    ),
    (
        {"reviews": [{"code": "AA", "when": "true", "message": "m", "tiers": [{"role": "customer"}]}]},
        "review AA: tier 1: role",
    ),
    (
        {"reviews": [{"code": "AA", "when": "true", "message": "m", "tiers": [{"role": "support", "mode": "n_of"}]}]},
        "n_of",
    ),
    (
        {"reviews": [{"code": "AA", "when": "true", "message": "m", "tiers": [{"role": "support", "who": 1}]}]},
        "unknown members: who",
    ),
    ({"reviews": [{"code": "RULE", "when": "true", "message": "m", "tiers": [{"role": "support"}]}]}, "used twice"),
    ({"deadlines": {"remind_after_hours": 9, "escalate_after_hours": 8}}, "deadlines: people are reminded first"),
    ({"deadlines": {"expire_after_hours": 0}}, "deadlines: expire_after_hours"),
    ({"deadlines": {"calendar": "moon"}}, "there is no calendar moon"),
    ({"deadlines": {"on_expiry": "approve"}}, "on_expiry: must be one of reject, hold"),
    ({"consent": {"on_expiry": "apply"}}, "consent: on_expiry"),
    ({"changes": {"hold_release_hours": -1}}, "changes: hold_release_hours"),
    ({"changes": {"hours": 4}}, "changes: unknown members"),
    ({"calendars": {"always": {}}}, "calendar always"),
    ({"calendars": {"plant": {"days": []}}}, "calendar plant: at least one day"),
    ({"calendars": {"plant": {"time_zone": "Mars/Base"}}}, "calendar plant: time_zone"),
    ({"calendars": {"plant": {"opens": "9"}}}, "calendar plant: opens"),
    ({"calendars": {"plant": {"subdivision": "TX"}}}, "calendar plant: country"),
    ({"window_hours": -1}, "window_hours"),
    ({"window": 1}, "unknown members: window"),
]


@pytest.mark.parametrize(("members", "why"), BROKEN)
def test_a_policy_that_is_not_sound_is_refused_with_the_place(members: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidArgument, match=why) as refusal:
        parse_policy({"rules": [RULE], **members}, 1)

    assert refusal.value.reason == "POLICY_INVALID"


def test_a_predicate_of_the_matrix_or_of_consent_that_does_not_compile_is_refused() -> None:
    row = {"code": "AA", "when": "order.(", "message": "m", "tiers": [{"role": "support"}]}
    for members, why in (({"reviews": [row]}, "rule AA"), ({"consent": {"when": "change.("}}, "rule consent")):
        with pytest.raises(InvalidArgument, match=why):
            engine.check_compiles(parse_policy({"rules": [RULE], **members}, 1))


def test_a_country_without_known_holidays_is_refused() -> None:
    policy = parse_policy({"rules": [RULE], "calendars": {"plant": {"country": "XX"}}}, 1)

    with pytest.raises(InvalidArgument, match="calendar plant: the public holidays of XX"):
        calendars.check_calendars(policy)


def test_a_policy_of_rules_alone_asks_nobody_and_has_sound_deadlines() -> None:
    policy = parse_policy({"rules": [RULE]}, 1)

    assert policy.reviews == ()
    assert (policy.deadlines.remind_after_hours, policy.deadlines.escalate_after_hours) == (4, 24)
    assert (policy.deadlines.expire_after_hours, policy.deadlines.on_expiry) == (120, "hold")
    assert (policy.consent.expires_after_hours, policy.consent.on_expiry) == (48, "review")
    assert policy.changes.hold_release_hours == 24
    assert calendars.named(policy, "business").time_zone == "UTC"
    assert calendars.named(policy, "nobody's").name == "business"


def test_public_holidays_of_a_country_are_free_and_the_plants_own_too() -> None:
    plant = {"time_zone": "America/Chicago", "country": "US", "subdivision": "TX", "holidays": ["2026-12-24"]}
    made = calendars.of_plant(parse_policy({"rules": [RULE], "calendars": {"plant": plant}}, 1))

    working = [made.is_working_day(date(2026, month, day)) for month, day in ((7, 3), (11, 26), (12, 24), (12, 23))]
    assert working == [False, False, False, True]  # the 4th of July of 2026 is a Saturday


def test_a_consent_predicate_that_fails_asks_the_customer() -> None:
    policy = parse_policy({"rules": [RULE], "consent": {"when": "change.total_delta_minor > 0"}}, 1)

    assert engine.is_consent_needed(policy, {"total_delta_minor": 1})
    assert not engine.is_consent_needed(policy, {"total_delta_minor": 0})
    assert engine.is_consent_needed(policy, {})
