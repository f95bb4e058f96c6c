"""An invoice of an order by card is charged to that card or paid on a page, never both; and a page says nothing about the card."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.runtime.db import Database
from tests.billing.card_desk import POOR, VISA, Till, stripe_in
from tests.billing.desk import CONTEXT
from tests.billing.test_checkout_reading import forget
from tests.threads import at_once


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def shipped(till: Till) -> tuple[pb.Invoice, pb.Checkout]:
    """The first 400.00 of an order of 1,000.00 by card, and an open page on which they can be paid."""
    till.commit_card()
    invoice = till.ship("shp_1", 4)
    return invoice, till.open_page(invoice_id=invoice.invoice_id)


def payments(till: Till) -> list[pb.Payment]:
    return list(till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments)


def amounts(till: Till) -> list[int]:
    return [one.amount.minor_units for one in payments(till)]


@pytest.mark.on_postgres
def test_a_card_is_not_charged_for_what_its_page_has_paid(till: Till) -> None:
    _, page = shipped(till)
    till.enter(page)

    done = till.capture("shp_1")
    till.settle()

    assert (done.state, list(done.operation_ids)) == ("nothing", [])
    assert amounts(till) == [40_000]
    assert till.facts("card_problem") == []
    assert till.at_stripe() == {"authorized": 100_000, "captured": 40_000, "refunded": 0}
    assert till.violations() == {}


def test_a_page_is_ended_before_its_invoice_is_charged_to_the_card(till: Till) -> None:
    _, page = shipped(till)

    done = till.capture("shp_1")

    assert done.state == "captured"
    assert "This page has ended" in till.enter(page).text
    assert amounts(till) == [40_000]
    assert till.read_page(page).checkout.state == "expired"


@pytest.mark.parametrize("wrong", ["away", "refuse", "error"])
def test_a_capture_waits_until_it_is_known_what_was_paid_on_the_page(till: Till, wrong: str) -> None:
    _, page = shipped(till)
    till.enter(page)
    till.stripe.switches.turn(wrong, 3)  # ending it, what it is then, and reading it

    waits = till.capture("shp_1").state
    before = till.at_stripe()["captured"]
    till.settle()

    assert (waits, before) == ("asked", 40_000)
    assert amounts(till) == [40_000]
    assert till.without_an_answer() == []
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_of_a_capture_and_a_payment_on_the_page_at_the_same_moment_one_takes_the_money(till: Till) -> None:
    invoice, page = shipped(till)

    at_once([lambda: till.capture("shp_1"), lambda: till.enter(page), lambda: till.read_page(page)])
    till.settle()

    assert amounts(till) == [40_000]
    assert till.at_stripe()["captured"] == 40_000
    assert till.invoice_now(invoice.invoice_id).status == "paid"
    assert till.violations() == {}


def test_a_capture_that_had_to_wait_charges_what_is_open_by_then(till: Till) -> None:
    """The page of 400.00 is ended; 100.00 come otherwise while the provider is away."""
    invoice, _ = shipped(till)
    till.stripe.switches.turn("away", 2)
    waits = till.capture("shp_1").state
    till.pay(10_000, "WIRE-1", to={invoice.invoice_id: 10_000})
    till.settle()

    assert waits == "asked"
    assert sorted(amounts(till)) == [10_000, 30_000]
    assert till.violations() == {}


@pytest.mark.parametrize("is_tried", [False, True])
def test_a_capture_of_an_invoice_that_was_paid_otherwise_meanwhile_ends_and_charges_nothing(
    till: Till, is_tried: bool
) -> None:
    """Once it has been tried, the provider is first read: it has not charged anything."""
    till.commit_card()
    invoice = till.ship("shp_1", 10)
    if not is_tried:
        till.open_page(invoice_id=invoice.invoice_id)
    till.stripe.switches.turn("away", 2)
    till.capture("shp_1")
    till.pay(100_000, "WIRE-1", to={invoice.invoice_id: 100_000})
    till.settle()

    assert amounts(till) == [100_000]
    assert till.facts("card_problem") == []
    assert till.at_stripe() == {"authorized": 0, "captured": 0, "refunded": 0}
    assert till.card()["authorized"] == 0
    assert till.violations() == {}


def test_a_capture_whose_page_is_never_known_ends_once_its_invoice_is_settled_otherwise(till: Till) -> None:
    """The provider knows another key's pages no more; the card is not charged, and accounting finds out what was paid."""
    invoice, page = shipped(till)
    forget(till)
    waits = till.capture("shp_1").state
    till.pay(40_000, "WIRE-1", to={invoice.invoice_id: 40_000})
    till.settle()

    assert waits == "asked"
    assert till.without_an_answer() == []
    assert till.read_page(page).checkout.state == "open"
    assert (amounts(till), till.at_stripe()["captured"]) == ([40_000], 0)
    assert till.facts("card_problem") == []


def partly_paid(till: Till, shipment_id: str, quantity: int) -> pb.Invoice:
    """An invoice of which 100.00 are paid on a page; the rest is open."""
    invoice = till.ship(shipment_id, quantity)
    wire = till.pay(
        quantity * 10_000 - 10_000, f"WIRE {shipment_id}", to={invoice.invoice_id: quantity * 10_000 - 10_000}
    )
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.reverse(wire.payment_id)
    till.enter(page)
    till.read_page(page)
    return till.invoice_now(invoice.invoice_id)


@pytest.mark.on_postgres
def test_what_was_paid_on_a_page_of_another_invoice_does_not_make_a_capture_the_last(till: Till) -> None:
    """600.00 less the 100.00 of the page are still to be captured, from the same authorization, after the 400.00."""
    till.commit_card()
    till.ship("shp_1", 4)
    rest = partly_paid(till, "shp_2", 6)
    till.capture("shp_1", token="")
    till.settle()
    between = till.card()["authorized"]
    done = till.capture("shp_2", token="")
    till.settle()

    assert rest.open.minor_units == 50_000
    assert (between, done.state) == (60_000, "captured")
    assert till.at_stripe() == {"authorized": 0, "captured": 100_000, "refunded": 0}
    assert till.card()["authorized"] == 0
    assert till.violations() == {}


def test_a_capture_that_failed_is_made_up_for_though_some_was_paid_on_a_page_since(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.later(timedelta(days=8))
    failed = till.capture("shp_1", token="").state
    invoice = till.money("ord_1")
    wire = till.pay(30_000, "WIRE-1")
    page = till.open_page(invoice_id=invoice_of(till).invoice_id)
    till.reverse(wire.payment_id)
    till.enter(page)
    till.read_page(page)
    till.give_card(VISA)
    till.settle()

    assert (failed, int(invoice["invoiced"])) == ("failed", 40_000)
    assert invoice_of(till).status == "paid"
    assert sorted(amounts(till))[:2] == [10_000, 30_000]
    assert till.violations() == {}


def invoice_of(till: Till) -> pb.Invoice:
    [invoice] = till.billing.ListInvoices(pb.ListInvoicesRequest(order_id="ord_1"), CONTEXT).invoices
    return invoice


def test_what_was_paid_on_a_page_while_a_capture_has_no_answer_asks_for_no_second_capture(till: Till) -> None:
    """100.00 were paid on the page, which could not be read when the capture was begun; 300.00 are charged, once."""
    till.commit_card()
    invoice = till.ship("shp_1", 4)
    wire = till.pay(30_000, "WIRE-1", to={invoice.invoice_id: 30_000})
    page = till.open_page(invoice_id=invoice.invoice_id)
    till.reverse(wire.payment_id)
    till.enter(page)
    till.stripe.switches.turn("away", 1_000)
    first = till.capture("shp_1", request_id="first")
    till.stripe.switches.turn("")
    till.read_page(page)

    second = till.capture("shp_1", request_id="second")
    till.settle()

    assert list(second.operation_ids) == list(first.operation_ids)
    assert sorted(amounts(till)) == [10_000, 30_000, 30_000]
    assert till.at_stripe()["captured"] == 40_000
    assert till.invoice_now(invoice.invoice_id).status == "paid"
    assert till.violations() == {}


def test_a_poor_card_and_a_page_that_paid_leave_nothing_failed(till: Till) -> None:
    till.commit_card(token=POOR)
    invoice = till.ship("shp_1", 10)
    till.enter(till.open_page(invoice_id=invoice.invoice_id))
    done = till.capture("shp_1", token=POOR)
    till.settle()

    assert done.state == "nothing"
    assert till.facts("card_problem") == []
    assert till.violations() == {}
