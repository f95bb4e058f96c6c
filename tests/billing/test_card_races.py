"""Cards under kills, races and absence: whatever happens between the steps, the provider does each thing once and the books say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.billing.v1 import billing_pb2 as pb
from services import billing
from services.billing.cards.provider import Provider
from services.billing.models import Table
from services.kernel.errors import Conflict, DomainError
from services.runtime.db import Database
from tests.billing.card_desk import POOR, VISA, Till, stripe_in
from tests.billing.desk import CONTEXT
from tests.databases import migrated_url
from tests.threads import at_once

MIGRATIONS = Path(billing.__file__).parent / "migrations"


class Killed(BaseException):
    """The process is gone."""


class Killing:
    """A provider whose process dies before or after it has done what it is asked; reading goes well."""

    def __init__(self, provider: Provider, call: str, *, is_after: bool) -> None:
        self._provider = provider
        self._call = call
        self._is_after = is_after

    def __getattr__(self, name: str) -> Any:
        act: Callable[..., Any] = getattr(self._provider, name)
        if name != self._call:
            return act

        def killed(*args: Any, **kwargs: Any) -> None:
            if self._is_after:
                act(*args, **kwargs)
            raise Killed

        return killed


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def payment_of(till: Till) -> pb.Payment:
    [payment] = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments
    return payment


def captured(till: Till) -> pb.Payment:
    """An order of 1,000.00 that was shipped, captured, and whose payment lies on account."""
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    return till.reapply(payment_of(till).payment_id, on_account=True)


ACTS: dict[str, tuple[Callable[[Till], object], Callable[[Till], object], dict[str, int]]] = {
    "authorize": (
        lambda till: till.limit(0),
        lambda till: till.commit_card(request_id="credit/1"),
        {"authorized": 100_000, "captured": 0, "refunded": 0},
    ),
    "capture": (
        lambda till: (till.commit_card(), till.ship("shp_1", 4)),
        lambda till: till.capture("shp_1"),
        {"authorized": 60_000, "captured": 40_000, "refunded": 0},
    ),
    "void": (
        lambda till: (till.commit_card(), till.release("ord_1")),
        lambda till: till.asker.ask_once(),
        {"authorized": 0, "captured": 0, "refunded": 0},
    ),
    "refund": (
        captured,
        lambda till: till.refund(payment_of(till).payment_id, 30_000),
        {"authorized": 0, "captured": 100_000, "refunded": 30_000},
    ),
}
"""Call of the provider → what comes before, what makes it, and what the provider has afterwards."""


@pytest.mark.parametrize("point", ["written down", "done", "recorded"])
@pytest.mark.parametrize("call", sorted(ACTS))
def test_a_kill_between_two_steps_leaves_one_effect(
    till: Till, call: str, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, act, afterwards = ACTS[call]
    before(till)
    cards = till.cards
    if point == "recorded":
        recorded = cards._record

        def dying(*args: Any) -> None:
            recorded(*args)
            raise Killed

        monkeypatch.setattr(cards, "_record", dying)
    else:
        cards.provider = Killing(till.provider, call, is_after=point == "done")
    with pytest.raises(Killed):
        act(till)

    monkeypatch.undo()
    cards.provider = till.provider
    till.settle()
    if call == "authorize":
        assert act(till)

    assert till.at_stripe() == afterwards
    assert {name: till.card()[name] for name in afterwards} == afterwards
    assert till.violations() == {}


def test_a_provider_that_is_away_for_an_hour_loses_nothing(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.stripe.switches.turn("away", 1_000_000)
    states = [till.capture("shp_1").state]
    till.ship("shp_2", 3)
    states.append(till.capture("shp_2").state)
    for _ in range(30):
        till.later(timedelta(minutes=2))
    while_away = till.violations(), till.at_stripe()["captured"]
    till.adjust_card(70_000)
    till.stripe.switches.turn("", 0)
    till.settle()

    assert states == ["asked", "asked"]
    assert while_away == ({}, 0)
    assert till.at_stripe() == {"authorized": 0, "captured": 70_000, "refunded": 0}
    assert till.card()["captured"] == 70_000
    assert till.account() == (0, 0)
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_of_200_refunds_of_a_tenth_at_once_exactly_10_go_back(till: Till) -> None:
    payment = captured(till)

    def refund() -> bool:
        try:
            till.refund(payment.payment_id, 10_000)
        except DomainError:
            return False
        return True

    done = sum(sum(at_once([refund] * 20)) for _ in range(10))
    till.settle()

    assert done == 10
    assert till.at_stripe()["refunded"] == 100_000
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_a_capture_and_a_release_at_once_are_each_done_once(till: Till) -> None:
    """The invoice is captured whatever happens; the rest is let go, or what was let go is authorized again."""
    till.commit_card()
    till.ship("shp_1", 4)

    at_once([lambda: till.capture("shp_1"), lambda: till.release("ord_1")] * 3)
    till.settle()

    assert till.at_stripe() == {"authorized": 0, "captured": 40_000, "refunded": 0}
    assert till.invoice_now(payment_of(till).applications[0].invoice_id).status == "paid"
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_events_twice_late_and_beside_the_capture_change_nothing(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)

    def deliver() -> None:
        for event in till.stripe.events.all():
            till.hear(event)
        till.asker.ask_once()

    at_once([lambda: till.capture("shp_1"), deliver, deliver, lambda: till.capture("shp_1")])
    for event in [*till.stripe.events.all(), *till.stripe.events.all()]:
        till.hear(event)
    till.settle()

    assert till.at_stripe()["captured"] == 40_000
    assert payment_of(till).amount.minor_units == 40_000
    assert till.facts("card_problem") == []
    assert till.violations() == {}


def test_an_event_before_our_own_commit_has_the_answer_recorded_once(till: Till) -> None:
    till.commit_card(token="")
    till.stripe.switches.turn("drop")
    till.give_card(VISA)
    news = [till.hear(event) for event in [*till.stripe.events.all(), *till.stripe.events.all()]]
    till.asker.ask_once()

    assert news == [True, False]
    assert till.card()["card"] == "authorized"
    assert len(till.facts("credit_granted")) == 1


def test_what_was_done_at_the_dashboard_is_told_to_accounting(till: Till) -> None:
    payment = captured(till)
    intent = till.stripe.state.all("payment_intent")[0]["id"]
    with till.stripe.state.transaction():
        till.stripe.intents.refund({"payment_intent": intent, "amount": "2500"}, till.now)
        till.stripe.intents.dispute(intent, till.now)
    for event in till.stripe.events.all():
        till.hear(event)
    till.settle()

    assert sorted(one["kind"] for one in till.facts("card_problem"))[:2] == ["card_disputed", "card_moved_elsewhere"]
    assert payment.returned.minor_units == 0
    assert till.violations() == {}


def database_in(folder: Path) -> Database:
    """A new one: each example has its own."""
    return Database(migrated_url("sqlite", "billing", folder), Table.metadata, MIGRATIONS)


STEPS = st.lists(
    st.sampled_from(["ship", "capture", "away", "drop", "week", "later", "grow", "shrink", "card", "poor", "release"]),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_in_whatever_order_the_provider_and_the_books_agree_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("stripe")
    with stripe_in(folder) as stripe, closing(database_in(folder)) as database:
        till = Till(database, stripe)
        begin(till)
        for step in steps:
            act(till, step)
            # after a week away the audit rightly asks for an answer
            assert set(till.violations()) <= {"billing.operations_are_answered"}, step
        stripe.switches.turn("", 0)
        till.settle()
        known, there = till.card(), till.at_stripe()

        assert {name: known[name] for name in there} == there
        assert till.violations() == {}


def begin(till: Till) -> None:
    """An order by card; a busy machine may have no answer of the provider yet, and the same is asked again, as it says."""
    for _ in range(10):
        try:
            till.commit_card(request_id="credit/begin")
        except Conflict as refusal:
            if refusal.reason != "PROVIDER_AWAY":
                raise
        else:
            return
    pytest.fail("the provider never answered")


def act(till: Till, step: str) -> None:
    """One thing that happens; what is refused or has no answer yet changes nothing that is not written down."""
    shipped = till.money("ord_1")["invoiced"]
    try:
        match step:
            case "ship" if int(shipped) < 60_000:
                till.ship(f"shp_{shipped}", 2)
            case "capture":
                till.capture("", request_id=f"capture/{till.now.isoformat()}/{shipped}")
            case "away" | "drop":
                till.stripe.switches.turn(step, 2)
            case "week":
                till.later(timedelta(days=8))
            case "later":
                till.later(timedelta(minutes=2))
            case "grow":
                till.adjust_card(120_000)
            case "shrink":
                till.adjust_card(max(int(shipped), 60_000))
            case "card" | "poor":
                till.give_card(VISA if step == "card" else POOR)
            case "release":
                till.release("ord_1")
    except Conflict as refusal:
        if refusal.reason != "PROVIDER_AWAY":
            raise
