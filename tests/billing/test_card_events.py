"""What the provider tells of on its own: each event read once, and what it leads to done once, however often it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.cards import events
from services.billing.cards.desk import CardDesk
from services.billing.cards.provider import ProviderRefused
from services.kernel.errors import Conflict
from services.kernel.money import Money
from services.runtime.db import Database
from tests.billing.card_desk import Till, stripe_in
from tests.billing.desk import CONTEXT
from tests.threads import at_once


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def on_account(till: Till) -> str:
    """The payment of an order of 1,000.00 that was shipped and captured; all of it lies on account."""
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    [payment] = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments
    return till.reapply(payment.payment_id, on_account=True).payment_id


def comes_back(till: Till, status: str = "failed") -> None:
    """The bank sends the last refund back."""
    [refund, *_] = till.stripe.state.all("refund")
    with till.stripe.state.transaction():
        till.stripe.intents.fail_refund(refund["id"], till.now, status)


def hear_all(till: Till) -> None:
    for event in till.stripe.events.all():
        till.hear(event)


def problems(till: Till) -> list[str]:
    return [one["kind"] for one in till.facts("card_problem")]


def test_a_refund_that_comes_back_days_later_is_taken_back_once_and_accounting_is_told(till: Till) -> None:
    payment_id = on_account(till)
    till.refund(payment_id, 30_000)
    went = till.card()["refunded"], till.balances()["unapplied_cash"]
    comes_back(till)
    for _ in range(2):
        till.now += timedelta(days=3)
        hear_all(till)
        till.settle()

    assert went == (30_000, -70_000)
    assert (till.card()["refunded"], till.balances()["unapplied_cash"]) == (0, -100_000)
    assert problems(till) == ["refund_failed"]
    assert "lost_or_stolen_card" in till.facts("card_problem")[0]["reason"]
    assert till.violations() == {}
    till.refund(payment_id, 100_000)
    assert till.at_stripe()["refunded"] == till.card()["refunded"] == 100_000
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_a_refund_that_came_back_is_taken_back_once_by_many_at_once(till: Till) -> None:
    payment_id = on_account(till)
    till.refund(payment_id, 30_000)
    comes_back(till)
    hear_all(till)

    at_once([till.asker.ask_once] * 4)
    till.settle()

    assert till.balances()["unapplied_cash"] == -100_000
    assert problems(till) == ["refund_failed"]
    assert till.violations() == {}


@pytest.mark.parametrize("status", ["failed", "canceled", "requires_action"])
def test_a_refund_whose_answer_was_lost_and_that_came_back_meanwhile_has_failed(till: Till, status: str) -> None:
    payment_id = on_account(till)
    till.stripe.switches.turn("drop")
    till.refund(payment_id, 30_000)
    comes_back(till, status)
    till.settle()

    assert till.stripe.state.count("refund") == 1
    assert till.card()["refunded"] == 0
    assert problems(till) == ["refund_failed"]
    assert till.violations() == {}


def test_what_moved_at_the_dashboard_is_told_once_and_again_when_it_is_more(till: Till) -> None:
    on_account(till)
    intent = till.stripe.state.all("payment_intent")[0]["id"]
    reasons = []
    for _ in range(2):
        till.provider.refund(f"at the dashboard {till.now}", intent, Money(2_500, "USD"))
        hear_all(till)
        till.later(timedelta(hours=1))
        till.stripe.intents.emit("charge.updated", till.stripe.state.all("charge")[0], till.now)
        hear_all(till)
        till.later(timedelta(hours=1))
        reasons.append([one["reason"].split()[0] for one in till.facts("card_problem")])

    assert problems(till) == ["card_moved_elsewhere"] * 2
    assert reasons == [["25.00"], ["25.00", "50.00"]]


@pytest.mark.on_postgres
def test_what_moved_at_the_dashboard_and_came_back_does_not_hide_what_moves_there_next(till: Till) -> None:
    payment_id = on_account(till)
    intent = till.stripe.state.all("payment_intent")[0]["id"]
    for key in ("first", "second"):
        till.provider.refund(key, intent, Money(2_500, "USD"))
        till.later(timedelta(hours=1))
        hear_all(till)
        till.later(timedelta(hours=1))
        if key == "first":
            comes_back(till)
            hear_all(till)
            till.later(timedelta(hours=1))
    till.stripe.switches.turn("away")
    till.refund(payment_id, 10_000)
    till.stripe.intents.emit("charge.updated", till.stripe.state.all("charge")[0], till.now)
    for _ in range(2):
        hear_all(till)
        till.settle()

    assert till.at_stripe()["refunded"] == 12_500
    assert problems(till) == ["card_moved_elsewhere"] * 2
    assert [one["reason"].split()[0] for one in till.facts("card_problem")] == ["25.00", "25.00"]
    assert till.violations() == {}


def test_the_refunds_of_an_authorization_are_read_once_an_event(till: Till) -> None:
    payment_id = on_account(till)
    for _ in range(3):
        till.refund(payment_id, 10_000)
    till.settle()
    before = len(till.stripe.requests)
    till.stripe.intents.emit("charge.updated", till.stripe.state.all("charge")[0], till.now)
    till.hear(till.stripe.events.all()[-1])
    till.asker.ask_once()

    assert till.stripe.requests[before:].count("GET /v1/refunds") == 1


def test_an_event_about_what_the_provider_knows_no_more_is_read_and_done_with(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.refund(on_account(till), 10_000)
    till.settle()
    hear_all(till)

    def unknown(*_: str) -> NoReturn:
        raise ProviderRefused("resource_missing", "No such payment_intent")

    for name in ("read", "refunds"):
        monkeypatch.setattr(till.provider, name, unknown)
    is_read = till.asker.ask_once()

    assert (is_read, till.asker.ask_once()) == (True, False)
    till.now += timedelta(days=2)
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_an_event_that_nobody_could_read_is_found_by_the_audit_after_a_day(till: Till) -> None:
    on_account(till)
    till.later(timedelta(hours=1))
    till.stripe.intents.emit("charge.updated", till.stripe.state.all("charge")[0], till.now)
    event = till.stripe.events.all()[-1]
    till.hear(event)
    till.now += timedelta(hours=23)
    before = till.violations()
    till.now += timedelta(hours=2)

    assert before == {}
    assert till.violations() == {"billing.provider_events_are_read": [event["id"]]}
    till.settle()
    assert till.violations() == {}


def test_an_event_hurries_the_operations_of_its_own_order_and_does_so_once(till: Till) -> None:
    till.stripe.switches.turn("drop", 2)
    for order_id in ("ord_1", "ord_2"):
        with pytest.raises(Conflict):
            till.commit_card(order_id=order_id)
    first = till.stripe.events.all()[0]
    till.stripe.switches.turn("away", 4)
    till.hear(first)
    asked = []
    for _ in range(4):
        before = len(till.stripe.requests)
        till.asker.ask_once()
        asked.append(len(till.stripe.requests) - before)
    still_asked = till.without_an_answer()
    while till.asker.ask_once():
        pass

    assert asked == [1, 1, 1, 1]  # the event alone is read again while nobody answers
    assert len(still_asked) == 2
    assert till.without_an_answer() == ["authorize/ord_2/1"]


def test_an_event_that_cannot_be_recorded_leaves_the_others_their_turn(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.stripe.switches.turn("drop", 2)
    for order_id in ("ord_1", "ord_2"):
        with pytest.raises(Conflict):
            till.commit_card(order_id=order_id)
    hear_all(till)
    broken = till.stripe.events.all()[0]["id"]
    read_event = events.read_event

    def breaking(desk: CardDesk, event_id: str, provider_id: str) -> None:
        if event_id == broken:
            raise RuntimeError("a constraint does not hold")
        read_event(desk, event_id, provider_id)

    monkeypatch.setattr("services.billing.cards.asker.read_event", breaking)
    while till.asker.ask_once():
        pass

    assert till.without_an_answer() == ["authorize/ord_1/1"]
