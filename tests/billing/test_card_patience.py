"""Who asks about cards and gets no answer in time: what was asked for goes on without them, and is done once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from services.billing.cards import patience
from services.billing.cards.patience import Patience
from services.billing.cards.recording import Answer
from services.billing.domain.cards import Operation
from services.kernel.errors import Conflict
from services.runtime.db import Database
from tests.billing.card_desk import VISA, Till, stripe_in
from tests.threads import until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


@contextmanager
def hanging(till: Till) -> Iterator[None]:
    """The next call of the provider gets its answer after the block, and who asks has little patience meanwhile."""
    till.cards.patience = Patience(waited_s=0.1)
    till.stripe.switches.turn("slow")
    try:
        yield
    finally:
        till.cards.patience = Patience()
        till.stripe.switches.released.set()


def test_an_operation_that_cannot_be_recorded_leaves_the_others_their_turn(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    for order_id in ("ord_1", "ord_2"):
        till.commit_card(order_id=order_id)
        till.release(order_id)
    record = till.cards._record

    def broken(operation: Operation, answer: Answer) -> Operation:
        if operation.order_id == "ord_1":
            raise RuntimeError("a constraint does not hold")
        return record(operation, answer)

    monkeypatch.setattr(till.cards, "_record", broken)
    till.settle()
    left = till.without_an_answer()
    monkeypatch.undo()
    till.settle()

    assert [operation_id.split("/")[2] for operation_id in left] == ["ord_1"]
    assert till.without_an_answer() == []
    assert till.violations() == {}


@pytest.mark.parametrize("wrong", ["away", "drop", "error"])
def test_while_nobody_knows_whether_it_is_authorized_the_commitment_is_asked_again(till: Till, wrong: str) -> None:
    till.stripe.switches.turn(wrong)
    with pytest.raises(Conflict) as away:
        till.commit_card(request_id="credit/1")

    granted = till.commit_card(request_id="credit/1")

    assert away.value.reason == "PROVIDER_AWAY"
    assert granted.is_granted
    assert till.stripe.state.count("charge") == 1
    assert till.commit_card(request_id="credit/1") == granted


def test_a_provider_that_hangs_leaves_threads_to_others(till: Till) -> None:
    """As many callers as may have something under way wait for an answer; one more is asked later and says so at once."""
    hold = threading.Event()
    till.cards.patience = Patience(waited_s=0.01)
    for _ in range(6):
        assert till.cards.patience.wait(lambda: hold.wait(60)) is None
    with pytest.raises(Conflict):
        till.commit_card()
    asked_meanwhile = list(till.stripe.requests)
    hold.set()
    till.cards.patience = Patience()

    assert asked_meanwhile == []
    assert till.commit_card().is_granted
    assert till.stripe.state.count("charge") == 1


def test_a_commitment_waits_a_while_for_a_provider_that_hangs_and_finds_the_card_authorized_later(till: Till) -> None:
    with hanging(till):
        with pytest.raises(Conflict) as away:
            till.commit_card(request_id="credit/1")
        charges_meanwhile = till.stripe.state.count("charge")
    until(lambda: till.card()["card"] == "authorized")

    assert (away.value.reason, charges_meanwhile) == ("PROVIDER_AWAY", 0)
    assert till.commit_card(request_id="credit/1").is_granted
    assert till.stripe.requests.count("POST /v1/payment_intents") == 1
    assert till.violations() == {}


def test_another_card_that_hangs_is_asked_and_lets_the_order_go_by_itself(till: Till) -> None:
    till.commit_card(token="")
    with hanging(till):
        asked = till.give_card(VISA).card
        charges_meanwhile = till.stripe.state.count("charge")
    until(lambda: till.facts("credit_granted"))

    assert (asked, charges_meanwhile) == ("asked", 0)
    assert len(till.facts("credit_granted")) == 1
    assert till.stripe.requests.count("POST /v1/payment_intents") == 1
    assert till.violations() == {}


def test_a_capture_that_hangs_is_asked_and_booked_once_by_itself(till: Till) -> None:
    till.commit_card()
    invoice = till.ship("shp_1", 4)
    with hanging(till):
        asked = till.capture("shp_1").state
        captured_meanwhile = till.at_stripe()["captured"]
    until(lambda: till.invoice_now(invoice.invoice_id).status == "paid")
    till.settle()

    assert (asked, captured_meanwhile) == ("asked", 0)
    assert till.capture("shp_1").state == "captured"
    assert till.at_stripe()["captured"] == till.card()["captured"] == 40_000
    assert till.violations() == {}


def test_captures_of_an_order_stop_at_the_first_that_has_no_answer(till: Till) -> None:
    till.commit_card()
    for shipment_id in ("shp_1", "shp_2", "shp_3"):
        till.ship(shipment_id, 2)
    asked_before = len(till.stripe.requests)
    till.stripe.switches.turn("away", 1_000)
    answer = till.capture("", request_id="all")
    asked = till.stripe.requests[asked_before:]
    till.stripe.switches.turn("", 0)
    till.settle()

    assert (answer.state, len(answer.operation_ids), len(asked)) == ("asked", 3, 1)
    assert till.at_stripe()["captured"] == till.card()["captured"] == 60_000
    assert till.violations() == {}


def test_a_capture_whose_older_one_has_no_answer_is_itself_what_is_told(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 2)
    till.ship("shp_2", 2)
    till.stripe.switches.turn("away", 1_000)
    older = till.capture("shp_1").operation_ids
    answer = till.capture("shp_2")
    known = till.cards.pursue(answer.operation_ids[0])

    assert (answer.state, known.operation_id, known.state) == ("asked", answer.operation_ids[0], "asked")
    assert known.operation_id not in older


def test_the_end_of_the_process_does_not_wait_for_a_provider_that_hangs(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_ENDED_S", 0.05)
    till.commit_card()
    till.ship("shp_1", 4)
    with hanging(till):
        till.capture("shp_1")
        under_way = [one for one in threading.enumerate() if one.name == patience.NAME]
        till.asker.stop()

        assert till.at_stripe()["captured"] == 0
        assert under_way
        assert all(one.daemon for one in under_way)
