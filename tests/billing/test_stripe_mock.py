"""What our client asks of Stripe is what Stripe's own description of its API takes, where stripe-mock is at hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import stripe

from bench.ports import free_port
from services.billing.cards.provider import CardDeclined, PageTerms
from services.billing.cards.stripe_provider import StripeProvider
from services.kernel.money import Money
from tests.processes import ended
from tests.threads import until

MOCK = shutil.which("stripe-mock")
USD_10 = Money(1000, "USD")
SINCE = datetime(2026, 3, 2, tzinfo=UTC)
RECEIVED = {
    "id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_capturable": 0, "amount_received": 1000,
    "currency": "usd", "latest_charge": "ch_1", "metadata": {}, "status": "succeeded",
}  # fmt: skip
"""An intent with a charge: those that stripe-mock makes up have received nothing."""
PAGE = PageTerms("chk_1", "ord_1", "Invoice INV-000001", "https://shop.example/back/chk_1", SINCE)
CALLS: dict[str, tuple[Callable[[StripeProvider], object], list[str]]] = {
    "authorize": (
        lambda provider: provider.authorize("a", USD_10, "pm_card_visa", "ord_1"),
        ["post /v1/payment_intents"],
    ),
    "capture": (
        lambda provider: provider.capture("c", "pi_1", USD_10, is_final=False),
        ["post /v1/payment_intents/pi_1/capture"],
    ),
    "void": (
        lambda provider: provider.void("v", "pi_1"),
        ["post /v1/payment_intents/pi_1/cancel", "get /v1/payment_intents/pi_1"],
    ),
    "refund": (lambda provider: provider.refund("r", "pi_1", USD_10), ["post /v1/refunds"]),
    "read": (lambda provider: provider.read("pi_1"), ["get /v1/payment_intents/pi_1"]),
    "read what was received": (
        lambda provider: provider._intent(stripe.PaymentIntent.construct_from(RECEIVED, "sk_test_123")),
        ["get /v1/charges/ch_1", "get /v1/balance_transactions"],
    ),
    "find_authorization": (lambda provider: provider.find_authorization("a", SINCE), ["get /v1/payment_intents"]),
    "refunds": (lambda provider: provider.refunds("pi_1"), ["get /v1/refunds"]),
    "whose card it is": (lambda provider: provider._owner("pm_1"), ["get /v1/payment_methods/pm_1"]),
    "a page for a card": (
        lambda provider: provider.open_page(PAGE, Money.zero("USD")),
        ["post /v1/checkout/sessions"],
    ),
    "a page for a payment": (lambda provider: provider.open_page(PAGE, USD_10), ["post /v1/checkout/sessions"]),
    "read a page": (lambda provider: provider.read_page("cs_1"), ["get /v1/checkout/sessions/cs_1"]),
    "end a page": (lambda provider: provider.end_page("cs_1"), ["post /v1/checkout/sessions/cs_1/expire"]),
}
"""Call → how it is made, and what it asks."""


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    if MOCK is None:
        pytest.skip("there is no stripe-mock here: go install github.com/stripe/stripe-mock@latest")
    port = free_port()
    command = [MOCK, "-http-port", str(port)]
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)):
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url))
        yield url


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code > 0
    except httpx.HTTPError:
        return False


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is asked, "get /v1/…", with the status of its answer."""
    heard: list[tuple[str, int]] = []
    original = stripe.RequestsClient.request

    def request(self: stripe.RequestsClient, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        # the newest stripe-mock describes the API of August 2026, in which this parameter has its former name
        body = post_data.replace("allowed_payment_method_types", "payment_method_types") if post_data else None
        answer = original(self, method, url, headers, body)
        heard.append((f"{method} {urlsplit(url).path}", answer[1]))
        return answer

    monkeypatch.setattr(stripe.RequestsClient, "request", request)
    return heard


@pytest.mark.parametrize("call", sorted(CALLS))
def test_every_request_of_the_client_is_accepted(mock: str, answers: list[tuple[str, int]], call: str) -> None:
    act, requests = CALLS[call]

    # the intent that it makes up is not confirmed
    with suppress(CardDeclined) if call == "authorize" else nullcontext():
        act(StripeProvider("sk_test_123", mock))

    assert answers == [(request, 200) for request in requests]
