"""Pages of the provider on which people enter cards: shown once, read there, and what became of them recorded once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import DomainError
from services.runtime.db import Database
from tests.billing.card_desk import (
    DECLINED_CARD,
    LATER_DECLINED_CARD,
    POOR,
    VISA,
    Till,
    stripe_in,
)
from tests.billing.desk import CONTEXT, order_of
from tests.plans import recorded, scans
from tests.threads import at_once

INVOICE = order_of({"1": (10, "100.00")}, order_id="ord_2")
"""1,000.00 on terms."""


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def billed(till: Till, quantity: int = 4) -> pb.Invoice:
    """An invoice over 100.00 a unit, of an order on terms."""
    till.limit(200_000)
    return till.invoice(INVOICE, f"shp_{quantity}", {"1": quantity})


def payments(till: Till) -> list[pb.Payment]:
    return list(till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments)


def status(till: Till, invoice: pb.Invoice) -> tuple[str, int]:
    found = till.billing.GetInvoice(pb.GetInvoiceRequest(invoice_id=invoice.invoice_id), CONTEXT).invoice
    return found.status, found.open.minor_units


def test_a_card_that_is_entered_on_the_page_authorizes_the_order_that_waits_for_it(till: Till) -> None:
    till.commit_card(token=POOR)
    page = till.open_page(order_id="ord_1")
    before = till.read_page(page)

    sent = till.enter(page)
    after = till.read_page(page)
    given = till.give_card(after.card_token)

    assert (page.kind, page.state, page.amount.minor_units) == ("setup", "open", 0)
    assert (before.checkout.state, before.card_token) == ("open", "")
    assert (sent.status_code, sent.headers["location"]) == (303, f"http://shop.example/back/{page.checkout_id}")
    assert (after.checkout.state, after.checkout.url) == ("complete", "")
    assert given.card == "authorized"
    assert till.card() == {"authorized": 100_000, "captured": 0, "refunded": 0, "card": "authorized"}


def test_a_card_from_the_page_may_be_authorized_again_for_stripe_keeps_it_for_a_customer(till: Till) -> None:
    till.commit_card(token="")
    page = till.open_page(order_id="ord_1")
    till.enter(page)
    token = till.read_page(page).card_token
    till.give_card(token)
    till.ship("shp_1", 10)
    till.later(timedelta(days=8))

    assert till.capture("shp_1", token).state == "captured"
    assert till.at_stripe()["captured"] == 100_000
    assert till.stripe.state.count("customer") == 1


def test_a_page_that_is_open_serves_again_and_one_that_nobody_asked_the_card_of_too(till: Till) -> None:
    till.commit_card(token=POOR)
    first = till.open_page(order_id="ord_1")
    again = till.open_page(order_id="ord_1")
    till.enter(first, LATER_DECLINED_CARD)
    till.read_page(first)
    unused = till.open_page(order_id="ord_1")
    declined = till.give_card(till.read_page(first).card_token)
    other = till.open_page(order_id="ord_1")

    assert (again, unused.checkout_id, unused.state) == (first, first.checkout_id, "complete")
    assert declined.card == "declined"
    assert other.checkout_id != first.checkout_id
    assert other.state == "open"


def test_a_page_ends_and_then_there_is_another_one(till: Till) -> None:
    till.commit_card(token=POOR)
    page = till.open_page(order_id="ord_1")
    till.now += timedelta(hours=1)

    seen, refused = till.read_page(page), till.enter(page)
    other = till.open_page(order_id="ord_1")

    assert (seen.checkout.state, seen.card_token) == ("expired", "")
    assert "This page has ended" in refused.text
    assert other.checkout_id != page.checkout_id


@pytest.mark.parametrize("wrong", ["away", "drop", "error"])
def test_a_page_without_an_answer_is_asked_for_again_under_its_key(till: Till, wrong: str) -> None:
    till.commit_card(token=POOR)
    till.stripe.switches.turn(wrong)
    unknown = till.open_page(order_id="ord_1")
    known = till.open_page(order_id="ord_1")

    assert (unknown.state, unknown.url) == ("asked", "")
    assert (known.state, known.checkout_id) == ("open", unknown.checkout_id)
    assert till.stripe.state.count("checkout.session") == 1


def test_a_page_that_cannot_be_read_is_not_known_and_nothing_follows(till: Till) -> None:
    till.commit_card(token=POOR)
    page = till.open_page(order_id="ord_1")
    till.enter(page)
    till.stripe.switches.turn("away")

    silent, said = till.read_page(page), till.read_page(page)

    assert (silent.is_away, silent.checkout.state, silent.card_token) == (True, "open", "")
    assert (said.is_away, said.checkout.state) == (False, "complete")


@pytest.mark.parametrize("subject", ["ord_2", "inv_1"])
def test_a_page_of_another_subject_is_not_found(till: Till, subject: str) -> None:
    till.commit_card(token=POOR)
    page = till.open_page(order_id="ord_1")

    for checkout_id in (page.checkout_id, "chk_forged"):
        request = pb.ReadCheckoutRequest(checkout_id=checkout_id, subject_id=subject)
        with pytest.raises(DomainError) as refusal:
            till.billing.ReadCheckout(request, CONTEXT)
        assert refusal.value.reason == "CHECKOUT_NOT_FOUND"


def test_no_page_is_opened_for_what_needs_none(till: Till) -> None:
    till.commit_card()
    paid = billed(till)
    till.pay(40_000, "WIRE-1", to={paid.invoice_id: 40_000})

    for subject, reason in (
        ({"order_id": "ord_1"}, "ORDER_WAITS_FOR_NO_CARD"),
        ({"order_id": "ord_9"}, "ORDER_WAITS_FOR_NO_CARD"),
        ({"invoice_id": paid.invoice_id}, "INVOICE_NOT_OPEN"),
        ({"invoice_id": "inv_9"}, "INVOICE_NOT_FOUND"),
        ({}, "CHECKOUT_SUBJECT"),
    ):
        with pytest.raises(DomainError) as refusal:
            till.open_page(**subject)
        assert refusal.value.reason == reason
    assert till.stripe.state.count("checkout.session") == 0


def test_no_invoice_is_paid_on_a_page_while_its_order_s_card_is_charged(till: Till) -> None:
    till.commit_card()
    invoice = till.ship("shp_1", 4)
    till.stripe.switches.turn("away", 2)
    till.capture("shp_1")

    with pytest.raises(DomainError) as refusal:
        till.open_page(invoice_id=invoice.invoice_id)

    assert refusal.value.reason == "CAPTURE_UNDER_WAY"


def test_an_invoice_that_is_paid_on_the_page_is_paid_and_the_provider_keeps_its_fee(till: Till) -> None:
    """2.9 % of 400.00 and 30 cents are 11.90."""
    invoice = billed(till)
    page = till.open_page(invoice_id=invoice.invoice_id)
    refused = till.enter(page, DECLINED_CARD)
    till.enter(page)
    seen = till.read_page(page)

    [payment] = payments(till)
    assert (page.kind, page.amount.minor_units) == ("payment", 40_000)
    assert "Your card was declined." in refused.text
    assert (seen.checkout.state, seen.card_token) == ("complete", "")
    assert status(till, invoice) == ("paid", 0)
    assert (payment.amount.minor_units, payment.is_by_card, payment.unapplied.minor_units) == (40_000, True, 0)
    assert till.balances()["card_fees"] == 1_190
    assert till.violations() == {}


def test_no_second_page_is_shown_for_what_was_paid_on_the_first_in_the_meantime(till: Till) -> None:
    invoice = billed(till)
    first = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(first)
    till.pay(10_000, "WIRE-1", to={invoice.invoice_id: 10_000})

    second = till.open_page(invoice_id=invoice.invoice_id)

    assert (second.checkout_id, second.state, second.url) == (first.checkout_id, "complete", "")
    assert sorted(one.amount.minor_units for one in payments(till)) == [10_000, 40_000]
    assert status(till, invoice) == ("paid", 0)
    assert till.violations() == {}


def test_what_was_paid_is_recorded_once_by_whoever_comes_first(till: Till) -> None:
    """The event, twice, the asker, and the return, at the same time."""
    invoice = billed(till)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(page)
    till.now += timedelta(minutes=1)
    [event] = [one for one in till.stripe.events.all() if one["type"] == "checkout.session.completed"]
    till.hear(event)

    at_once([till.asker.ask_once, lambda: till.read_page(page), lambda: till.read_page(page), till.asker.ask_once])
    till.hear({**event, "id": "evt_other"})
    till.settle()
    till.read_page(page)

    assert [one.amount.minor_units for one in payments(till)] == [40_000]
    assert status(till, invoice) == ("paid", 0)
    assert till.violations() == {}


@pytest.mark.parametrize("by", ["event", "asker", "return"])
def test_each_of_the_three_is_enough_and_waits_for_a_provider_that_is_away(till: Till, by: str) -> None:
    invoice = billed(till)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(page)
    [event] = [one for one in till.stripe.events.all() if one["type"] == "checkout.session.completed"]
    till.now += timedelta(minutes=1 if by == "asker" else 0)
    for round_ in range(2):
        till.stripe.switches.turn("away", 1 - round_)
        if by == "event":
            till.hear(event)
        if by == "return":
            till.read_page(page)
        else:
            till.asker.ask_once()
        paid = len(payments(till))
        assert paid == round_
        till.now += timedelta(minutes=5 if by == "asker" else 0)


def test_what_comes_for_an_invoice_that_was_paid_otherwise_is_cash_left_over_and_goes_back_to_the_card(
    till: Till,
) -> None:
    invoice = billed(till)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.pay(30_000, "WIRE-1", to={invoice.invoice_id: 30_000})
    till.enter(page)
    till.read_page(page)

    _, payment = payments(till)
    before = (payment.unapplied.minor_units, status(till, invoice))
    till.refund(payment.payment_id, 30_000)
    till.settle()

    # 100.00 were open when 400.00 came
    assert before == (30_000, ("paid", 0))
    assert till.at_stripe()["refunded"] == 30_000
    assert till.violations() == {}


def test_a_page_is_for_what_is_open_now_and_one_for_another_amount_serves_no_more(till: Till) -> None:
    invoice = billed(till)
    first = till.open_page(invoice_id=invoice.invoice_id)
    till.pay(10_000, "WIRE-1", to={invoice.invoice_id: 10_000})
    second = till.open_page(invoice_id=invoice.invoice_id)

    assert (first.amount.minor_units, second.amount.minor_units) == (40_000, 30_000)
    assert till.stripe.sessions.get(first_session(till, first), till.now)["status"] == "expired"


def first_session(till: Till, page: pb.Checkout) -> str:
    found = [one for one in till.stripe.state.all("checkout.session") if one["client_reference_id"] == page.checkout_id]
    return str(found[0]["id"])


def test_a_payment_on_a_page_leaves_what_its_order_s_card_is_authorized_for(till: Till) -> None:
    """400.00 shipped whose capture failed are paid on a page; the 600.00 that follow are captured from the card."""
    till.commit_card(token=VISA)
    invoice = till.ship("shp_1", 4)
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(page)
    till.read_page(page)
    between = till.card()
    till.ship("shp_2", 6)
    till.capture("shp_2")
    till.settle()

    assert between == {"authorized": 100_000, "captured": 40_000, "refunded": 0, "card": "authorized"}
    assert till.card()["captured"] == 100_000
    assert (till.at_stripe()["captured"], till.at_stripe()["authorized"]) == (100_000, 0)
    assert till.violations() == {}


def test_a_page_that_nobody_pays_ends_and_is_not_looked_at_any_more(till: Till) -> None:
    invoice = billed(till)
    till.open_page(invoice_id=invoice.invoice_id)
    till.later(timedelta(minutes=30))
    till.later(timedelta(minutes=31))
    till.stripe.requests.clear()
    till.settle()

    assert till.stripe.requests == []
    assert status(till, invoice) == ("open", 40_000)


def test_a_page_that_the_provider_says_nothing_of_for_a_day_is_a_violation(till: Till) -> None:
    page = till.open_page(invoice_id=billed(till).invoice_id)
    till.now += timedelta(hours=24)
    before = till.violations()
    till.now += timedelta(hours=2)

    assert before == {}
    assert till.violations() == {"billing.checkouts_are_read": [page.checkout_id]}


def test_no_statement_of_a_page_reads_a_whole_table(till: Till) -> None:
    if not till.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    statements = recorded(till.database)
    till.commit_card(token=POOR)
    for page in (till.open_page(order_id="ord_1"), till.open_page(invoice_id=billed(till).invoice_id)):
        till.open_page(order_id=page.order_id if not page.invoice_id else "", invoice_id=page.invoice_id)
        till.enter(page)
        till.now += timedelta(minutes=1)
        till.asker.ask_once()
        till.give_card(till.read_page(page).card_token or VISA)

    assert len(statements) > 25
    assert scans(till.database, statements, small={"held_for_orders"}) == []
