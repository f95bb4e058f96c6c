"""Reading pages of the provider: only what it says of a page ends it, and a provider that is away is asked by one of them a round."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.runtime.db import Database
from tests.billing.card_desk import POOR, Till, stripe_in
from tests.billing.desk import CONTEXT, order_of

INVOICE = order_of({"1": (10, "100.00")}, order_id="ord_2")
"""1,000.00 on terms."""


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def billed(till: Till, quantity: int = 4, shipment: str = "shp_4") -> pb.Invoice:
    """An invoice over 100.00 a unit, of an order on terms."""
    till.limit(200_000)
    return till.invoice(INVOICE, shipment, {"1": quantity})


def paid(till: Till) -> list[int]:
    found = till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments
    return [one.amount.minor_units for one in found]


def forget(till: Till) -> None:
    """The provider knows none of its pages any more."""
    for one in till.stripe.state.all("checkout.session"):
        till.stripe.state._connection.execute("DELETE FROM object WHERE id = ?", (one["id"],))


@pytest.mark.on_postgres
@pytest.mark.parametrize("refused", ["the page", "what was paid"])
def test_one_refused_read_ends_no_page_that_was_paid(till: Till, refused: str) -> None:
    page = till.open_page(invoice_id=billed(till).invoice_id)
    till.enter(page)
    if refused == "what was paid":
        till.stripe.refused_paths.add("GET /v1/payment_intents")
    else:
        till.stripe.switches.turn("refuse")
    silent = till.read_page(page)
    till.stripe.refused_paths.clear()
    said = till.read_page(page)

    assert (silent.is_away, silent.checkout.state) == (True, "open")
    assert (said.is_away, said.checkout.state) == (False, "complete")
    assert paid(till) == [40_000]
    assert till.violations() == {}


def test_an_event_whose_read_is_refused_is_read_again(till: Till) -> None:
    page = till.open_page(invoice_id=billed(till).invoice_id)
    till.enter(page)
    [event] = [one for one in till.stripe.events.all() if one["type"] == "checkout.session.completed"]
    till.hear(event)
    till.stripe.switches.turn("refuse")
    till.asker.ask_once()
    before = paid(till)
    till.asker.ask_once()

    assert (before, paid(till)) == ([], [40_000])


def test_a_page_of_a_payment_that_the_provider_knows_no_more_may_have_been_paid_and_the_audit_names_it(
    till: Till,
) -> None:
    page = till.open_page(invoice_id=billed(till).invoice_id)
    forget(till)
    till.later(timedelta(hours=2))
    found = till.read_page(page)
    till.now += timedelta(days=2)

    assert (found.is_away, found.checkout.state) == (True, "open")
    assert till.violations() == {"billing.checkouts_are_read": [page.checkout_id]}


def test_a_page_for_a_card_that_the_provider_knows_no_more_has_ended_for_nothing_is_paid_there(till: Till) -> None:
    till.commit_card(token=POOR)
    page = till.open_page(order_id="ord_1")
    forget(till)

    assert till.read_page(page).checkout.state == "expired"
    assert till.open_page(order_id="ord_1").state == "open"


def test_a_provider_that_is_away_is_asked_for_one_page_a_round_and_for_the_others_later(till: Till) -> None:
    pages = [till.open_page(invoice_id=billed(till, 1, f"shp_{each}").invoice_id) for each in range(4)]
    for page in pages:
        till.enter(page)
    till.now += timedelta(minutes=1)
    till.stripe.requests.clear()
    till.stripe.switches.turn("away", 1_000)
    asked = []
    for _ in range(2):
        till.asker.ask_once()
        asked.append(len(till.stripe.requests))
    till.stripe.switches.turn("")
    till.later(timedelta(minutes=5))

    assert asked == [1, 2]
    assert paid(till) == [10_000] * 4


def test_a_page_whose_read_is_refused_leaves_the_others_their_turn(till: Till) -> None:
    for each in range(3):
        till.enter(till.open_page(invoice_id=billed(till, 1, f"shp_{each}").invoice_id))
    till.now += timedelta(minutes=1)
    till.stripe.switches.turn("refuse")
    till.asker.ask_once()

    assert paid(till) == [10_000] * 2
