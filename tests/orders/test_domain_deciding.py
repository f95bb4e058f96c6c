from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.kernel.errors import DomainError, Refused
from services.kernel.money import Money
from services.orders.domain.cases import Case, Decider, Parties
from services.orders.domain.changes import ChangeOrder, ChangeRequest
from services.orders.domain.clearance import next_deadline
from services.orders.domain.holds import Hold
from services.orders.domain.people import Delegation, Person
from services.orders.domain.projection import Progress
from services.orders.domain.review_plan import still_suffices
from services.orders.domain.reviews import OPEN, SELLER, Decision, Step, move_review
from services.orders.domain.segregation_of_duties import check_releaser, obstacle
from services.orders.domain.status import derive, keep_since
from services.orders.domain.waiting import Asked, WaitingFor
from tests.orders.test_domain_projection import order
from tests.orders.test_domain_reviews import NOW, REVIEW

STEP = Step("s", "rev", "ord", 1, SELLER, 1, "approver", "manager", "any", 1, "final", ("AA",), ("why",), OPEN)
MAX = Person("max", "Max", "", ("approver",), ("manager",), limits={"USD": 100})
DECIDER = Decider("max", frozenset({"approver"}), person=MAX)
NEXT_DAY = NOW + timedelta(days=1)


def case(step: Step = STEP, **changes: Any) -> Case:
    """A step of an order in review that comes to 100 minor units, asked at NOW."""
    review = replace(REVIEW, steps=(step,))
    return replace(Case(order(phase="in_review"), review, step, None, Parties("ann"), (), NOW), **changes)


def why_not(asked: Case, decider: Decider = DECIDER) -> str:
    refusal = obstacle(asked, decider)
    return refusal.reason if refusal else ""


def test_a_decision_is_taken_on_the_version_and_the_change_that_were_asked_about() -> None:
    change = ChangeOrder(
        "chg", "ord", 1, 2, "in_review", "ann", "customer", NOW, ChangeRequest("fewer"), (),
        Money(100, "USD"), Money(90, "USD"), is_material=True, needs_consent=False,
    )  # fmt: skip
    of_change = replace(STEP, order_version=2)
    about = {"review": replace(REVIEW, change_id="chg", order_version=2, steps=(of_change,)), "change": change}

    assert why_not(case()) == ""
    assert why_not(case(order=replace(order(phase="in_review"), version=2))) == "VERSION_STALE"
    assert why_not(case(order=order(phase="accepted"))) == "VERSION_STALE"
    assert why_not(case(review=replace(REVIEW, state="approved", steps=(STEP,)))) == "STEP_NOT_OPEN"
    assert why_not(case(change=replace(change, state="awaiting_customer"))) == "CHANGE_AWAITS_CUSTOMER"
    assert why_not(case(of_change, **about)) == ""
    for other in ({"change_id": "chg_2"}, {"state": "agreed"}, {"to_version": 3}):
        assert why_not(case(of_change, **about | {"change": replace(change, **other)})) == "VERSION_STALE"


@pytest.mark.parametrize(
    ("limit", "step", "refusal"),
    [
        (100, {}, ""),
        (99, {}, "OVER_LIMIT"),
        (99, {"limit": "none"}, ""),
        (99, {"limit": "always"}, "OVER_LIMIT"),
        (99, {"limit": "none", "escalated_to": ("max",)}, "OVER_LIMIT"),
        (99, {"limit": "none", "escalated_to": ("fay",)}, ""),
    ],
)
def test_a_limit_reaches_to_its_last_unit(limit: int, step: dict[str, Any], refusal: str) -> None:
    limited = replace(DECIDER, person=replace(MAX, limits={"USD": limit}))

    assert why_not(case(replace(STEP, **step)), limited) == refusal


@pytest.mark.parametrize(
    ("members", "refusal"),
    [
        ({"valid_from": NOW}, ""),
        ({"valid_from": NOW + timedelta(microseconds=1)}, "DELEGATION_NOT_IN_FORCE"),
        ({"valid_to": NOW}, "DELEGATION_NOT_IN_FORCE"),
        ({"revoked_at": NOW}, "DELEGATION_NOT_IN_FORCE"),
        ({"max_minor": 100, "currency": "USD"}, ""),
        ({"max_minor": 99, "currency": "USD"}, "OVER_LIMIT"),
        ({"max_minor": 100, "currency": "EUR"}, "OVER_LIMIT"),
        ({"positions": ("manager",)}, ""),
        ({"positions": ("finance_director",)}, "NOT_ASKED"),
    ],
)
def test_a_delegation_counts_from_its_first_instant_to_before_its_last_and_to_its_last_unit(
    members: dict[str, Any], refusal: str
) -> None:
    assert why_not(case(), dan_for_max(**members)) == refusal


def dan_for_max(**members: Any) -> Decider:
    given_out = replace(Delegation("d", "max", "dan", NOW - timedelta(days=1), NEXT_DAY), **members)
    return Decider(
        "dan", frozenset({"approver"}), "", Person("dan", "Dan", "", ("approver",)), (given_out,), {"max": MAX}
    )


def test_what_a_delegation_goes_up_to_counts_where_no_limit_is_asked_for_too() -> None:
    unlimited = replace(STEP, limit="none")

    assert why_not(case(unlimited), dan_for_max(max_minor=100, currency="USD")) == ""
    assert why_not(case(unlimited), dan_for_max(max_minor=99, currency="USD")) == "OVER_LIMIT"


def test_a_review_moves_by_its_table_alone() -> None:
    assert move_review("open", "approve") == "approved"
    with pytest.raises(Refused) as refusal:
        move_review("withdrawn", "approve")

    assert refusal.value.reason == "REVIEW_HAS_ENDED"


def test_the_earliest_of_what_is_due_comes_next_and_nobody_is_reminded_of_what_was_escalated() -> None:
    hours = [NOW + timedelta(hours=count) for count in range(4)]
    step = replace(STEP, remind_at=hours[1], escalate_at=hours[2], expires_at=hours[3])

    def due(*steps: Step) -> tuple[datetime, str, str]:
        found = next_deadline([replace(REVIEW, steps=steps)], None)
        assert found is not None
        return found.at, found.what, found.subject_id

    assert due(step) == (hours[1], "remind", "s")
    assert due(replace(step, reminded_at=hours[1])) == (hours[2], "escalate", "s")
    assert due(replace(step, escalated_at=hours[1])) == (hours[3], "expire_review", "s")
    assert due(replace(step, remind_at=hours[2]), replace(step, step_id="z")) == (hours[1], "remind", "z")
    assert due(replace(step, step_id="z"), step) == (hours[1], "remind", "s")
    assert next_deadline([replace(REVIEW, state="withdrawn", steps=(step,))], None) is None


@pytest.mark.parametrize("hours", [0, 2])
def test_what_is_waited_for_at_once_is_waited_for_since_the_earlier_began(hours: int) -> None:
    asked_at = NOW + timedelta(hours=1)
    review = replace(REVIEW, steps=(replace(STEP, opened_at=asked_at, expires_at=NEXT_DAY),))
    placed_at = NOW + timedelta(hours=hours)
    hold = Hold("hold", "ord", 1, "CREDIT", "credit", "accounting", "over the limit", placed_at)

    waiting = derive(order(phase="in_review"), Progress(), [hold], NOW, Asked((review,))).waiting_for

    assert waiting is not None
    assert (waiting.who, waiting.since, waiting.due) == ("accounting, approver", min(placed_at, asked_at), NEXT_DAY)


def test_an_approval_suffices_up_to_the_last_unit_of_its_limit_and_void_ones_are_not_asked() -> None:
    approval = Decision("d", "s", "ord", 1, "max", "", "approver", "approve", "seen", NOW)
    approved = replace(STEP, decisions=(approval,))

    assert still_suffices(approved, [STEP], {"max": 100}, 100)
    assert not still_suffices(approved, [STEP], {"max": 100}, 101)
    assert not still_suffices(approved, [STEP], {}, 1)
    assert still_suffices(replace(STEP, decisions=(replace(approval, is_void=True),)), [STEP], {}, 100)
    assert still_suffices(approved, [STEP, replace(STEP, level=2)], {}, 100)


def test_since_when_is_kept_only_while_the_same_is_waited_for() -> None:
    now = WaitingFor("support", "release of ship to hold", NEXT_DAY)
    standing = replace(derive(order(), Progress(), (), NOW), waiting_for=now)

    for earlier, since in (
        (replace(now, since=NOW), NOW),
        (replace(now, since=NOW, what="release of price hold"), NEXT_DAY),
    ):
        kept = keep_since(standing, earlier).waiting_for
        assert kept is not None
        assert kept.since == since


NEW = replace(MAX, authority_by="root", authority_at=NOW + timedelta(minutes=1))
OLD = replace(MAX, sub="mia")


@pytest.mark.parametrize(
    ("person", "others", "parties", "refusal"),
    [
        (NEW, (NEW, OLD), Parties("ann"), "AUTHORITY_TOO_NEW"),
        (NEW, (NEW,), Parties("ann"), ""),
        (NEW, (NEW, replace(OLD, limits={"USD": 99})), Parties("ann"), ""),
        (NEW, (NEW, replace(NEW, sub="mia")), Parties("ann"), ""),
        (NEW, (NEW,), Parties("root"), "OWN_ORDER"),
        (replace(NEW, authority_at=NOW), (OLD,), Parties("root"), ""),
        (MAX, (MAX, OLD), Parties("ann"), ""),
    ],
    ids=["another could", "nobody else", "too small a limit", "all are new", "a party gave it", "given before", "old"],
)
def test_a_right_given_while_an_order_waits_approves_it_only_where_nobody_else_could(
    person: Person, others: tuple[Person, ...], parties: Parties, refusal: str
) -> None:
    decider = replace(DECIDER, person=person)

    assert why_not(case(parties=parties, asked=others), decider) == refusal


@pytest.mark.parametrize(("by", "refusal"), [("root", "AUTHORITY_TOO_NEW"), ("max", ""), ("", "")])
def test_so_it_is_with_a_delegation_that_an_administrator_makes_while_it_waits(by: str, refusal: str) -> None:
    handed = Delegation(
        "del", "max", "dan", NOW, NEXT_DAY + timedelta(days=9), created_by=by, created_at=NOW + timedelta(minutes=1)
    )
    dan = Person("dan", "Dan", "", ("approver",))
    decider = Decider("dan", frozenset({"approver"}), person=dan, delegated=(handed,), delegators={"max": MAX})

    assert why_not(case(asked=(MAX, OLD), delegations=(handed,), now=NEXT_DAY), decider) == refusal


@pytest.mark.parametrize(("giver", "after", "refusal"), [("ann", 1, "OWN_ORDER"), ("ann", -1, ""), ("root", 1, "")])
def test_a_hold_is_not_released_by_a_right_that_a_party_gave_while_it_stood(
    giver: str, after: int, refusal: str
) -> None:
    hold = Hold("hld", "ord", 1, "CODE", "price", "approver", "why", placed_at=NOW)
    person = replace(MAX, authority_by=giver, authority_at=NOW + timedelta(minutes=after))

    try:
        check_releaser(hold, ("approver",), replace(DECIDER, person=person), Parties("ann"), (), NEXT_DAY, {})
        found = ""
    except DomainError as refused:
        found = refused.reason

    assert found == refusal
