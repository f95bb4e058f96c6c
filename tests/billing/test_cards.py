"""Orders by card: authorized before they are committed, captured invoice by invoice, let go at their end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.cards.provider import CardDeclined
from services.billing.domain.cards import Operation
from services.billing.servicer import BillingServicer
from services.kernel.errors import Conflict, InvalidArgument, NotFound, Refused
from services.kernel.money import Money
from services.runtime.db import Database
from tests.billing.card_desk import POOR, VISA, Till, stripe_in
from tests.billing.desk import CONTEXT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def test_an_order_by_card_is_authorized_and_takes_no_credit(till: Till) -> None:
    granted = till.commit_card()

    assert (granted.is_granted, granted.card) == (True, "authorized")
    assert till.account() == (0, 0)
    assert till.card() == {"authorized": 100_000, "captured": 0, "refunded": 0, "card": "authorized"}
    assert till.violations() == {}


def test_two_shipments_are_captured_and_paid_and_the_fee_is_an_expense(till: Till) -> None:
    """400.00 + 600.00; fees 2.9 % + 0.30: 11.90 + 17.70 = 29.60; cash 970.40."""
    till.commit_card()
    invoices = [till.ship("shp_1", 4)]
    states = [till.capture("shp_1").state]
    invoices.append(till.ship("shp_2", 6))
    states.append(till.capture("shp_2").state)

    assert states == ["captured", "captured"]
    assert [till.invoice_now(one.invoice_id).status for one in invoices] == ["paid", "paid"]
    assert till.card() == {"authorized": 0, "captured": 100_000, "refunded": 0, "card": "authorized"}
    balances = till.balances()
    assert (balances["cash"], balances["card_fees"], balances["accounts_receivable"]) == (97_040, 2_960, 0)
    assert till.account() == (0, 0)
    assert [one["amount_minor"] for one in till.facts("payment_received")] == [40_000, 60_000]
    assert till.at_stripe() == {"authorized": 0, "captured": 100_000, "refunded": 0}
    assert till.violations() == {}


def test_a_capture_asked_for_again_is_done_once(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)

    states = [till.capture("shp_1", request_id=key).state for key in ("a", "a", "b")]

    assert states == ["captured", "captured", "nothing"]
    assert till.at_stripe()["captured"] == 40_000


def test_an_invoice_whose_capture_was_put_to_another_use_is_captured_again_from_the_same_card(till: Till) -> None:
    """Its payment was taken off it: what is captured then is another payment, and both are in the books."""
    till.commit_card()
    invoice = till.ship("shp_1", 4)
    till.capture("shp_1")
    [first] = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments
    till.reapply(first.payment_id, on_account=True)

    again = till.capture("shp_1", request_id="again").state

    payments = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments
    intent = till.stripe.state.all("payment_intent")[0]["id"]
    assert again == "captured"
    assert [one.reference for one in payments] == [f"{intent}/INV-000001", f"{intent}/INV-000001/2"]
    assert till.invoice_now(invoice.invoice_id).status == "paid"
    assert till.at_stripe()["captured"] == till.card()["captured"] == 80_000
    assert till.violations() == {}


@pytest.mark.parametrize(("token", "card"), [(POOR, "declined"), ("", "missing")])
def test_without_a_good_card_the_order_waits_and_another_one_makes_it_go(till: Till, token: str, card: str) -> None:
    refused = till.commit_card(token=token)
    waiting = till.money("ord_1")["waiting_on"]
    declined = till.give_card(POOR)
    given = till.give_card(VISA)

    assert (refused.is_granted, refused.card, waiting) == (False, card, "card")
    assert (declined.card, declined.decline_reason) == ("declined", "insufficient_funds")
    assert given.card == "authorized"
    assert [one["payment_method"] for one in till.facts("credit_granted")] == ["card"]
    assert till.money("ord_1")["waiting_on"] == ""
    assert till.commit_card(token=VISA).is_granted
    assert till.at_stripe()["authorized"] == 100_000
    assert till.violations() == {}


def test_a_card_that_was_declined_is_not_tried_again_by_a_repeat(till: Till) -> None:
    for _ in range(3):
        assert not till.commit_card(token=POOR).is_granted

    assert till.stripe.requests.count("POST /v1/payment_intents") == 1


def test_what_was_cut_off_is_asked_in_the_background_and_lets_the_order_go(till: Till) -> None:
    till.commit_card(token="")
    till.stripe.switches.turn("drop")
    asked = till.give_card(VISA).card
    till.settle()

    assert asked == "asked"
    assert len(till.facts("credit_granted")) == 1
    assert till.stripe.state.count("charge") == 1
    assert till.violations() == {}


def test_an_authorization_older_than_seven_days_is_renewed_before_the_capture(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.now += 7 * DAY

    assert till.capture("shp_1").state == "captured"

    assert till.stripe.state.count("charge") == 2
    assert till.card() == {"authorized": 60_000, "captured": 40_000, "refunded": 0, "card": "authorized"}
    till.settle()
    assert till.at_stripe() == {"authorized": 60_000, "captured": 40_000, "refunded": 0}
    assert till.violations() == {}


def test_a_failed_capture_leaves_the_invoice_open_tells_accounting_and_is_made_up_for_by_another_card(
    till: Till,
) -> None:
    till.commit_card()
    invoice = till.ship("shp_1", 4)
    till.now += 8 * DAY

    failed = till.capture("shp_1", token=POOR)
    still_open = till.invoice_now(invoice.invoice_id).status
    problems = till.facts("card_problem")
    till.give_card(VISA)
    till.settle()

    assert (failed.state, still_open) == ("failed", "open")
    assert [(one["kind"], one["subject_id"]) for one in problems] == [("capture_failed", invoice.invoice_id)]
    assert "INV-000001" in problems[0]["reason"]
    assert "insufficient_funds" in problems[0]["reason"]
    assert till.invoice_now(invoice.invoice_id).status == "paid"
    assert till.at_stripe()["captured"] == 40_000
    assert till.violations() == {}


def test_people_may_ask_for_a_failed_capture_again(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.now += 8 * DAY
    till.capture("shp_1", token="")

    assert till.capture("", request_id="again").state == "captured"
    assert till.violations() == {}


def test_a_cancelled_order_lets_its_authorization_go_though_the_provider_is_away(till: Till) -> None:
    till.commit_card()
    till.stripe.switches.turn("away", 3)

    assert till.release("ord_1") == 100_000
    held_back = till.at_stripe()["authorized"]
    till.settle()

    assert (held_back, till.at_stripe()["authorized"]) == (100_000, 0)
    assert till.card()["authorized"] == 0
    assert till.violations() == {}


def test_what_is_not_delivered_any_more_is_let_go_after_the_last_capture(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.adjust_card(40_000)
    till.capture("shp_1")
    till.settle()

    assert till.at_stripe() == {"authorized": 0, "captured": 40_000, "refunded": 0}
    assert till.violations() == {}


def test_an_order_that_grows_is_authorized_anew_and_one_that_shrinks_keeps_what_it_has(till: Till) -> None:
    till.commit_card()

    assert not till.adjust_card(150_000, POOR).is_granted
    assert till.adjust_card(150_000).is_granted
    assert till.adjust_card(120_000).is_granted
    till.settle()

    assert till.at_stripe()["authorized"] == 150_000
    assert till.account() == (0, 0)
    assert till.violations() == {}


def test_an_authorization_that_comes_after_the_order_ended_is_let_go(till: Till) -> None:
    till.stripe.switches.turn("drop")
    with pytest.raises(Conflict):
        till.commit_card()
    till.release("ord_1")
    till.settle()

    assert till.at_stripe()["authorized"] == 0
    assert till.violations() == {}


def test_a_payment_by_card_goes_back_to_its_card_and_is_not_reversed(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    [payment] = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments

    with pytest.raises(Refused) as refusal:
        till.reverse(payment.payment_id)
    till.reapply(payment.payment_id, on_account=True)
    till.refund(payment.payment_id, 30_000)

    assert payment.is_by_card
    assert refusal.value.reason == "PAYMENT_BY_CARD"
    assert till.at_stripe()["refunded"] == 30_000
    assert till.card()["refunded"] == 30_000
    assert till.violations() == {}


def test_a_refund_that_the_provider_refuses_is_taken_back_in_the_books(till: Till) -> None:
    """The dashboard gave all of it back before: the books say again that the cash is here, and accounting is told."""
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    [payment] = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments
    intent = till.stripe.state.all("payment_intent")[0]["id"]
    till.provider.refund("at the dashboard", intent, Money(100_000, "USD"))
    till.reapply(payment.payment_id, on_account=True)

    till.refund(payment.payment_id, 30_000)

    assert [one["kind"] for one in till.facts("card_problem")] == ["refund_failed"]
    assert till.card()["refunded"] == 0
    assert till.violations() == {}


def test_what_is_no_token_is_refused_and_not_repeated(till: Till) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        till.commit_card(token="4242424242424242")

    assert "4242" not in str(refusal.value)


def test_only_an_invoice_of_the_order_is_captured(till: Till) -> None:
    with pytest.raises(NotFound):
        till.capture("shp_9")


def test_an_operation_without_an_answer_is_found_by_the_audit_after_a_day(till: Till) -> None:
    till.stripe.switches.turn("away", 1_000)
    with pytest.raises(Conflict):
        till.commit_card()
    before = till.violations()
    till.now += DAY + HOUR

    assert before == {}
    assert list(till.violations()) == ["billing.operations_are_answered"]


def test_a_capture_that_the_bank_declines_has_failed_and_accounting_is_told(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.commit_card()
    invoice = till.ship("shp_1", 4)

    def declined(*_: object, **__: object) -> None:
        raise CardDeclined("card_declined", "Your card was declined.")

    monkeypatch.setattr(till.provider, "capture", declined)
    answer = till.capture("shp_1")

    assert (answer.state, answer.reason) == ("failed", "card_declined")
    assert [(one["kind"], one["subject_id"]) for one in till.facts("card_problem")] == [
        ("capture_failed", invoice.invoice_id)
    ]
    assert till.card()["authorized"] == 100_000
    assert till.violations() == {}


def test_a_decline_that_comes_late_leaves_a_capture_that_another_card_pays_meanwhile(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.now += 8 * DAY
    ask = till.cards._ask

    def overtaken(operation: Operation) -> Operation:
        answered = ask(operation)
        if answered.state == "declined":
            monkeypatch.undo()
            till.give_card(VISA)
            till.stripe.switches.turn("drop")
            [capture] = [one for one in till.without_an_answer() if one.startswith("capture")]
            till.cards.ask(capture)
        return answered

    monkeypatch.setattr(till.cards, "_ask", overtaken)
    state = till.capture("shp_1", token=POOR).state
    till.settle()

    assert state == "asked"
    assert till.facts("card_problem") == []
    assert till.at_stripe()["captured"] == till.card()["captured"] == 40_000
    assert till.violations() == {}


def test_without_a_provider_no_card_is_taken_and_a_capture_waits_until_there_is_one(till: Till) -> None:
    till.commit_card()
    invoice = till.ship("shp_1", 4)
    with_provider = till.billing
    till.billing = BillingServicer(till.database, till.clock)

    with pytest.raises(Refused) as refusal:
        till.give_card(VISA)
    asked = till.capture("shp_1")
    written = till.without_an_answer()
    till.now += DAY + HOUR
    overdue = till.violations()
    till.billing = with_provider
    till.settle()

    assert refusal.value.reason == "CARDS_NOT_TAKEN"
    assert asked.state == "asked"
    assert written == list(asked.operation_ids) == [f"capture/{invoice.invoice_id}/1"]
    assert overdue == {"billing.operations_are_answered": written}
    assert till.invoice_now(invoice.invoice_id).status == "paid"
    assert till.at_stripe()["captured"] == 40_000
    assert till.violations() == {}


def test_another_card_leaves_a_capture_without_an_answer_its_authorization_until_it_has_one(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.stripe.switches.turn("away")
    asked = till.capture("shp_1").state
    till.give_card("pm_card_mastercard")
    between = till.at_stripe()["authorized"]
    till.settle()

    assert (asked, between) == ("asked", 200_000)
    intents = till.stripe.state.all("payment_intent")
    assert [(one["amount_received"], one["amount_capturable"]) for one in intents] == [(0, 100_000), (40_000, 0)]
    assert till.stripe.requests.count("POST /v1/payment_intents") == 2
    assert till.violations() == {}


def test_a_card_that_is_captured_once_only_is_authorized_again_for_the_next_shipment(till: Till) -> None:
    till.stripe.intents.has_multicapture = False
    till.commit_card()
    till.ship("shp_1", 4)
    states = [till.capture("shp_1").state]
    till.ship("shp_2", 6)
    states.append(till.capture("shp_2").state)
    till.settle()

    assert states == ["captured", "captured"]
    assert till.at_stripe() == {"authorized": 0, "captured": 100_000, "refunded": 0}
    assert till.violations() == {}


def test_an_order_that_people_let_go_without_a_card_is_captured_from_the_one_that_comes(till: Till) -> None:
    till.commit_card(token="")
    assert till.adjust_card(100_000, token="", is_forced=True).is_granted
    invoice = till.ship("shp_1", 10)
    failed = till.capture("shp_1", token="")
    till.give_card(VISA)
    till.settle()

    assert (failed.state, till.account()) == ("failed", (0, 0))
    assert till.invoice_now(invoice.invoice_id).status == "paid"
    assert till.at_stripe() == {"authorized": 0, "captured": 100_000, "refunded": 0}
    assert till.violations() == {}
