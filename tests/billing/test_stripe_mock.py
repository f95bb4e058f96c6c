"""What our client asks of Stripe is what Stripe's own description of its API takes, where stripe-mock is at hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest

from bench.ports import free_port
from services.billing.cards.provider import CardDeclined
from services.billing.cards.stripe_provider import StripeProvider
from services.kernel.money import Money
from tests.processes import ended
from tests.threads import until

MOCK = shutil.which("stripe-mock")
USD_10 = Money(1000, "USD")
SINCE = datetime(2026, 3, 2, tzinfo=UTC)
CALLS: dict[str, Callable[[StripeProvider], object]] = {
    "authorize": lambda provider: provider.authorize("a", USD_10, "pm_card_visa", "ord_1"),
    "capture": lambda provider: provider.capture("c", "pi_1", USD_10, is_final=False),
    "void": lambda provider: provider.void("v", "pi_1"),
    "refund": lambda provider: provider.refund("r", "pi_1", USD_10),
    "read": lambda provider: provider.read("pi_1"),
    "find_authorization": lambda provider: provider.find_authorization("a", SINCE),
    "find_refund": lambda provider: provider.find_refund("r", "pi_1"),
}


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


@pytest.mark.parametrize("call", sorted(CALLS))
def test_every_request_of_the_client_is_accepted(mock: str, call: str) -> None:
    with suppress(CardDeclined):  # the intent that it makes up is not confirmed
        CALLS[call](StripeProvider("sk_test_123", mock))
