"""What a page asks for, and when it is shown: what settles its invoice today, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import DomainError
from services.runtime.db import Database
from tests.billing.card_desk import POOR, Till, stripe_in
from tests.billing.desk import CONTEXT, order_of

EARLY = order_of({"1": (1, "1000.00")}, order_id="ord_2", terms="2/10 net 30")
"""1,000.00 of 2 March 2026: 980.00 settle it until the 12th, a day that ends in UTC."""


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def billed(till: Till) -> pb.Invoice:
    till.limit(200_000)
    return till.invoice(EARLY, "shp_1", {"1": 1})


def standing(till: Till, invoice: pb.Invoice) -> tuple[str, int, int]:
    """Status, discount taken and open."""
    now = till.invoice_now(invoice.invoice_id)
    return now.status, now.discount_taken.minor_units, now.open.minor_units


def at(till: Till, day: int, hour: int = 16, minute: int = 0) -> None:
    till.now = datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def refused(till: Till, **asked: str) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        till.open_page(**asked)
    return refusal.value


@pytest.mark.on_postgres
def test_within_the_window_the_page_asks_for_the_total_less_the_discount_and_that_settles_the_invoice(
    till: Till,
) -> None:
    invoice = billed(till)
    at(till, 12)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(page)
    till.read_page(page)

    assert page.amount.minor_units == 98_000
    assert standing(till, invoice) == ("paid", 2_000, 0)
    assert till.balances()["sales_discounts"] == 2_000
    assert till.violations() == {}


def test_after_the_window_the_page_asks_for_all_of_it(till: Till) -> None:
    invoice = billed(till)
    at(till, 13)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(page)
    till.read_page(page)

    assert page.amount.minor_units == 100_000
    assert standing(till, invoice) == ("paid", 0, 0)


def test_a_payment_made_within_the_window_and_recorded_after_it_has_its_discount(till: Till) -> None:
    invoice = billed(till)
    at(till, 12, 23, 50)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(page)
    at(till, 13, 0, 10)
    till.read_page(page)

    assert standing(till, invoice) == ("paid", 2_000, 0)
    assert till.violations() == {}


@pytest.mark.parametrize("by", ["its person", "the asker"])
def test_a_page_from_before_the_end_of_the_window_is_shown_no_more_after_it(till: Till, by: str) -> None:
    invoice = billed(till)
    at(till, 12, 23, 58)
    page = till.open_page(invoice_id=invoice.invoice_id, request_id="opened")
    for _ in range(3):
        till.later(timedelta(seconds=35))  # what is due is read, at 23:59:45 for the last time
    at(till, 13)
    till.now = till.now.replace(hour=0)
    if by == "the asker":
        till.asker.ask_once()
        refusal = till.enter(page)
        assert "This page has ended" in refusal.text
    seen = till.read_page(page).checkout
    again = till.open_page(invoice_id=invoice.invoice_id)

    assert (seen.state, seen.url) == ("expired", "")
    assert refused(till, invoice_id=invoice.invoice_id, request_id="opened").reason == "PAGE_REFUSED"
    assert again.amount.minor_units == 100_000


def test_a_page_that_could_not_be_ended_is_not_shown_again_under_its_request(till: Till) -> None:
    invoice = billed(till)
    at(till, 12, 23, 58)
    till.open_page(invoice_id=invoice.invoice_id, request_id="opened")
    at(till, 13)
    till.now = till.now.replace(hour=0)
    till.stripe.switches.turn("away", 100)

    assert refused(till, invoice_id=invoice.invoice_id, request_id="opened").reason == "PAGE_REFUSED"


@pytest.mark.parametrize("subject", ["order", "invoice"])
def test_a_page_that_the_provider_refuses_is_a_refusal_that_says_what_to_do(till: Till, subject: str) -> None:
    till.commit_card(token=POOR)
    asked = {"order_id": "ord_1"} if subject == "order" else {"invoice_id": billed(till).invoice_id}
    till.stripe.switches.turn("refuse")
    first = refused(till, **asked, request_id="refused")
    repeated = refused(till, **asked, request_id="refused")
    other = till.open_page(**asked)

    assert [first.reason, repeated.reason] == ["PAGE_REFUSED"] * 2
    assert "start again, or pay another way" in str(first)
    assert other.state == "open"


@pytest.mark.on_postgres
def test_an_open_page_of_an_invoice_that_is_paid_otherwise_is_ended_at_once(till: Till) -> None:
    invoice = billed(till)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.pay(98_000, "WIRE-1", to={invoice.invoice_id: 98_000})
    till.asker.ask_once()
    late = till.enter(page)

    assert "This page has ended" in late.text
    assert till.stripe.state.count("charge") == 0
    assert till.read_page(page).checkout.state == "expired"


def test_an_open_page_of_an_invoice_that_is_paid_otherwise_is_ended_by_whoever_reads_it(till: Till) -> None:
    invoice = billed(till)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.pay(98_000, "WIRE-1", to={invoice.invoice_id: 98_000})
    seen = till.read_page(page)

    assert (seen.checkout.state, seen.checkout.url) == ("expired", "")
    assert "This page has ended" in till.enter(page).text


def test_a_page_that_is_not_ended_is_read_all_the_same(till: Till) -> None:
    """What is paid on it meanwhile is recorded: it waits on account."""
    invoice = billed(till)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.pay(98_000, "WIRE-1", to={invoice.invoice_id: 98_000})
    till.enter(page)
    till.stripe.refused_paths.add("POST /v1/checkout/sessions")
    till.read_page(page)

    payments = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments
    assert [one.unapplied.minor_units for one in payments] == [0, 98_000]
    assert till.violations() == {}
