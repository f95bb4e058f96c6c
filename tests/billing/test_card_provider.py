"""The port to Stripe against its stand-in: what each call does, what a repeat does, and what is not known afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stripe

from services.billing.cards.provider import CardDeclined, ProviderAway, ProviderRefused
from services.billing.cards.stripe_provider import StripeProvider
from services.billing.fake_stripe.events import sign
from services.billing.fake_stripe.server import FakeStripe, unfold
from services.kernel.money import Money

VISA = "pm_card_visa"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(tmp_path: Path, clock: Clock) -> Iterator[FakeStripe]:
    server = FakeStripe(tmp_path / "stripe.db", key="sk_test_1", clock=clock)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def provider(fake: FakeStripe) -> StripeProvider:
    return StripeProvider("sk_test_1", fake.url)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def test_an_authorization_is_captured_in_parts_and_the_last_one_lets_the_rest_go(provider: StripeProvider) -> None:
    made = provider.authorize("a", usd(100_000), VISA, "ord_1")
    first = provider.capture("c1", made.provider_id, usd(40_000), is_final=False)
    last = provider.capture("c2", made.provider_id, usd(50_000), is_final=True)

    assert (made.capturable, made.received, made.operation_id, made.is_open) == (100_000, 0, "a", True)
    # 2.9 % of 400.00 and 30 cents are 11.90; of 500.00 14.80
    assert (first.capturable, first.received, first.fees, first.is_open) == (60_000, 40_000, 1_190, True)
    assert (last.capturable, last.received, last.fees, last.is_open) == (0, 90_000, 2_670, False)


def test_a_repeat_under_the_same_key_is_done_once_and_changed_parameters_are_refused(provider: StripeProvider) -> None:
    made = [provider.authorize("a", usd(1_000), VISA, "ord_1") for _ in range(2)]
    captured = [provider.capture("c", made[0].provider_id, usd(400), is_final=False) for _ in range(2)]

    assert made[0] == made[1]
    assert [one.received for one in captured] == [400, 400]
    with pytest.raises(ProviderRefused):
        provider.capture("c", made[0].provider_id, usd(401), is_final=False)


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_a_decline_says_why(provider: StripeProvider, token: str, code: str) -> None:
    for _ in range(2):
        with pytest.raises(CardDeclined) as refusal:
            provider.authorize("a", usd(1_000), token, "ord_1")
        assert refusal.value.code == code


def test_nothing_is_captured_or_refunded_beyond_what_there_is(provider: StripeProvider) -> None:
    made = provider.authorize("a", usd(1_000), VISA, "ord_1")

    with pytest.raises(ProviderRefused):
        provider.capture("c1", made.provider_id, usd(1_001), is_final=True)
    provider.capture("c2", made.provider_id, usd(1_000), is_final=True)
    provider.refund("r1", made.provider_id, usd(700))
    with pytest.raises(ProviderRefused):
        provider.refund("r2", made.provider_id, usd(301))

    assert provider.read(made.provider_id).refunded == 700


def test_an_authorization_is_gone_after_seven_days(provider: StripeProvider, clock: Clock) -> None:
    made = provider.authorize("a", usd(1_000), VISA, "ord_1")
    clock.now += timedelta(days=7)

    with pytest.raises(ProviderRefused):
        provider.capture("c", made.provider_id, usd(1_000), is_final=True)

    assert not provider.read(made.provider_id).is_open


def test_a_void_of_what_is_at_its_end_is_as_wanted(provider: StripeProvider) -> None:
    made = provider.authorize("a", usd(1_000), VISA, "ord_1")

    ended = [provider.void(key, made.provider_id) for key in ("v1", "v2")]

    assert [one.is_open for one in ended] == [False, False]
    with pytest.raises(ProviderRefused):
        provider.capture("c", made.provider_id, usd(1), is_final=True)


@pytest.mark.parametrize("wrong", ["away", "drop", "error"])
def test_what_has_no_answer_is_unknown_and_asked_under_its_key_is_done_once(
    fake: FakeStripe, provider: StripeProvider, wrong: str
) -> None:
    fake.switches.turn(wrong)
    with pytest.raises(ProviderAway):
        provider.authorize("a", usd(1_000), VISA, "ord_1")
    found = provider.find_authorization("a", NOW)
    made = provider.authorize("a", usd(1_000), VISA, "ord_1")

    assert (found is not None) is (wrong == "drop")
    assert fake.state.count("charge") == 1
    assert provider.find_authorization("a", NOW) == made


def test_a_wrong_key_is_no_refusal_of_the_card(fake: FakeStripe) -> None:
    with pytest.raises(ProviderAway):
        StripeProvider("sk_test_2", fake.url).authorize("a", usd(1), VISA, "ord_1")


def test_a_killed_stand_in_forgets_nothing(tmp_path: Path, fake: FakeStripe, provider: StripeProvider) -> None:
    made = provider.authorize("a", usd(1_000), VISA, "ord_1")
    again = FakeStripe(tmp_path / "stripe.db", key="sk_test_1", clock=fake.clock)
    again.start()
    try:
        assert StripeProvider("sk_test_1", again.url).authorize("a", usd(1_000), VISA, "ord_1") == made
    finally:
        again.stop()


def test_a_refund_is_found_by_the_operation_that_made_it(provider: StripeProvider) -> None:
    made = provider.authorize("a", usd(1_000), VISA, "ord_1")
    provider.capture("c", made.provider_id, usd(1_000), is_final=True)
    refund = provider.refund("r", made.provider_id, usd(100))

    assert provider.refunds(made.provider_id).get("r") == refund
    assert provider.refunds(made.provider_id).get("other") is None


def test_an_event_is_signed_as_the_client_verifies_it(fake: FakeStripe, provider: StripeProvider) -> None:
    provider.authorize("a", usd(1_000), VISA, "ord_1")
    body = json.dumps(fake.events.all()[0]).encode()
    signed_at = int(datetime.now(UTC).timestamp())

    event = stripe.Webhook.construct_event(body, sign("whsec_x", body, signed_at), "whsec_x")

    assert event.type == "payment_intent.amount_capturable_updated"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, sign("whsec_y", body, signed_at), "whsec_x")


def test_a_form_is_read_as_clients_write_it() -> None:
    form = (
        "metadata[order]=SO-1&expand[0]=latest_charge&payment_method_options[card][request_multicapture]=if_available"
    )

    assert unfold(form) == {
        "metadata": {"order": "SO-1"},
        "expand": {"0": "latest_charge"},
        "payment_method_options": {"card": {"request_multicapture": "if_available"}},
    }


@pytest.mark.parametrize(
    ("currency", "amount", "at_stripe"),
    [
        ("JPY", 5_000, 5_000),
        ("ISK", 5_000, 500_000),
        ("UGX", 5_000, 500_000),
        ("MGA", 500_000, 5_000),
        ("KWD", 12_340, 12_340),
    ],
)
def test_amounts_go_to_stripe_and_come_back_as_each_side_counts_them(
    fake: FakeStripe, provider: StripeProvider, currency: str, amount: int, at_stripe: int
) -> None:
    made = provider.authorize("a", Money(amount, currency), VISA, "ord_1")
    captured = provider.capture("c", made.provider_id, Money(amount, currency), is_final=True)
    provider.refund("r", made.provider_id, Money(amount, currency))

    assert fake.state.all("payment_intent")[0]["amount"] == at_stripe
    assert (made.amount, made.capturable, captured.received) == (amount, amount, amount)
    assert provider.read(made.provider_id).refunded == amount


@pytest.mark.parametrize(("currency", "amount"), [("KWD", 12_345), ("MGA", 12_345)])
def test_an_amount_that_is_too_fine_for_stripe_is_refused_before_it_is_asked(
    fake: FakeStripe, provider: StripeProvider, currency: str, amount: int
) -> None:
    with pytest.raises(ProviderRefused) as refusal:
        provider.authorize("a", Money(amount, currency), VISA, "ord_1")

    assert refusal.value.code == "amount_too_fine"
    assert fake.requests == []


def test_a_fee_in_the_currency_of_the_payout_is_told_in_that_of_the_payment(
    fake: FakeStripe, provider: StripeProvider
) -> None:
    """2.9 % of 400.00 and 30 cents are 11.90 in euros, 13.09 in dollars at 1.10, and 11.90 of what was paid again."""
    fake.intents.payout = ("usd", 1.1)
    made = provider.authorize("a", Money(100_000, "EUR"), VISA, "ord_1")
    first = provider.capture("c1", made.provider_id, Money(40_000, "EUR"), is_final=False)
    second = provider.capture("c2", made.provider_id, Money(60_000, "EUR"), is_final=True)

    assert [row["fee"] for row in fake.state.all("balance_transaction")] == [1_947, 1_309]
    assert (first.fees, second.fees) == (1_190, 2_960)


def test_a_fee_of_few_decimals_is_told_in_the_minor_units_of_the_payment(
    fake: FakeStripe, provider: StripeProvider
) -> None:
    """5,000 yen are paid out as 33.50 dollars; of those 1.17 is kept, which are 175 yen."""
    fake.intents.payout = ("usd", 0.67)
    made = provider.authorize("a", Money(5_000, "JPY"), VISA, "ord_1")
    captured = provider.capture("c", made.provider_id, Money(5_000, "JPY"), is_final=True)

    [row] = fake.state.all("balance_transaction")
    assert (row["amount"], row["fee"]) == (3_350, 117)
    assert captured.fees == 175
