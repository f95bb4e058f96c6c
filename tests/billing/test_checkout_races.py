"""Pages of the provider under races: one open page an order's card or an invoice, one payment a page, and no event that is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.cards.desk import CardDesk
from services.billing.cards.stripe_provider import StripeProvider
from services.billing.servicer import BillingServicer
from services.billing.store import credit, waits
from services.kernel.errors import DomainError
from services.kernel.money import Money
from services.runtime.db import Database
from tests.billing.card_desk import POOR, Till, stripe_in
from tests.billing.desk import CONTEXT, order_of
from tests.plans import counted
from tests.threads import Crew, at_once, until

INVOICE = order_of({"1": (10, "100.00")}, order_id="ord_2")
"""1,000.00 on terms."""


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def billed(till: Till, quantity: int = 4) -> pb.Invoice:
    """An invoice over 100.00 a unit, of an order on terms."""
    till.limit(200_000)
    return till.invoice(INVOICE, "shp_1", {"1": quantity})


def payments(till: Till) -> list[pb.Payment]:
    return list(till.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments)


def problems(till: Till) -> list[str]:
    return sorted(one["kind"] for one in till.facts("card_problem"))


def open_at_provider(till: Till) -> list[str]:
    """Pages that are open there, by our id of them."""
    sessions = till.stripe.state.all("checkout.session")
    return [one["client_reference_id"] for one in sessions if one["status"] == "open"]


def events_of(till: Till, *kinds: str) -> list[dict[str, Any]]:
    return [one for one in till.stripe.events.all() if one["type"] in kinds]


class Between(StripeProvider):
    """A provider during whose answer to one request something else happens: `happens`, once, after it has opened a page."""

    def __init__(self, url: str, happens: Callable[[], object]) -> None:
        super().__init__("sk_test_1", url)
        self._happens: list[Callable[[], object]] = [happens]

    def open_page(self, *terms: Any) -> Any:
        """Open it, and then let the other thing happen."""
        page = super().open_page(*terms)
        if self._happens:
            self._happens.pop()()
        return page


def elsewhere(till: Till, happens: Callable[[], object]) -> BillingServicer:
    """Another process at the same database and provider, in which that happens while it is answered."""
    desk = CardDesk(till.database, Between(till.stripe.url, happens), till.clock)
    return BillingServicer(till.database, till.clock, desk)


def opened_by(billing: BillingServicer, invoice: pb.Invoice, request_id: str = "elsewhere") -> pb.Checkout:
    request = pb.OpenCheckoutRequest(
        request_id=request_id, invoice_id=invoice.invoice_id, return_url="http://shop.example/{checkout_id}"
    )
    return billing.OpenCheckout(request, CONTEXT).checkout


@pytest.mark.on_postgres
def test_of_many_who_press_at_the_same_moment_all_are_led_to_one_page(till: Till) -> None:
    invoice = billed(till)
    desks = [
        BillingServicer(till.database, till.clock, CardDesk(till.database, till.provider, till.clock)) for _ in "12"
    ]

    pages = at_once([partial(opened_by, desks[n % 2], invoice, f"press {n}") for n in range(6)])

    assert len({one.checkout_id for one in pages}) == 1
    assert open_at_provider(till) == [pages[0].checkout_id]
    at_once([lambda: till.enter(pages[0])] * 2)
    at_once([lambda: till.read_page(pages[0])] * 3)
    assert [one.amount.minor_units for one in payments(till)] == [40_000]
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_a_page_that_is_opened_while_another_takes_its_place_is_not_shown_and_ended(till: Till) -> None:
    """The amount changes and somebody else asks for a page, between the answer of the provider and its recording."""
    invoice, others = billed(till), list[pb.Checkout]()

    def meanwhile() -> None:
        till.pay(10_000, "WIRE-1", to={invoice.invoice_id: 10_000})
        others.append(till.open_page(invoice_id=invoice.invoice_id))

    with pytest.raises(DomainError) as refusal:
        opened_by(elsewhere(till, meanwhile), invoice)

    assert refusal.value.reason == "PAGE_REFUSED"
    assert others[0].amount.minor_units == 30_000
    assert open_at_provider(till) == [others[0].checkout_id]


def test_the_newer_of_two_pages_is_shown_though_another_process_has_a_slower_clock(till: Till) -> None:
    invoice = billed(till)
    till.open_page(invoice_id=invoice.invoice_id)
    till.pay(10_000, "WIRE-1", to={invoice.invoice_id: 10_000})
    till.now -= timedelta(minutes=1)

    second = till.open_page(invoice_id=invoice.invoice_id)

    assert (second.state, second.amount.minor_units) == ("open", 30_000)
    assert open_at_provider(till) == [second.checkout_id]


@pytest.mark.parametrize("by", ["cash", "card"])
def test_a_page_that_is_opened_while_its_invoice_is_settled_otherwise_is_not_shown_and_ended(
    till: Till, by: str
) -> None:
    till.commit_card()
    invoice = till.ship("shp_1", 4)

    def meanwhile() -> None:
        if by == "cash":
            till.pay(40_000, "WIRE-1", to={invoice.invoice_id: 40_000})
        else:
            till.capture("shp_1")

    with pytest.raises(DomainError) as refusal:
        opened_by(elsewhere(till, meanwhile), invoice)

    assert refusal.value.reason == "PAGE_REFUSED"
    assert open_at_provider(till) == []
    assert [one.unapplied.minor_units for one in payments(till)] == [0]


@pytest.mark.on_postgres
def test_when_two_pages_were_paid_both_are_recorded_and_the_surplus_is_on_account(till: Till) -> None:
    """The first page was shown before a release that ended pages; nobody recorded its end but us."""
    invoice = billed(till)
    first = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(first)
    with till.database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE checkout SET state = 'expired', url = ''")
    second = till.open_page(invoice_id=invoice.invoice_id)
    till.enter(second)
    events = events_of(till, "payment_intent.succeeded")

    def deliver() -> None:
        for event in events:
            till.hear(event)
        till.asker.ask_once()

    at_once([deliver, deliver, lambda: till.read_page(second)])
    till.settle()

    assert [one.amount.minor_units for one in payments(till)] == [40_000] * 2
    assert sorted(one.unapplied.minor_units for one in payments(till)) == [0, 40_000]
    assert till.invoice_now(invoice.invoice_id).status == "paid"
    assert till.violations() == {}


@pytest.mark.parametrize("what", ["dispute", "refund"])
def test_what_happens_to_a_payment_before_it_is_recorded_is_notified_of(till: Till, what: str) -> None:
    page = till.open_page(invoice_id=billed(till).invoice_id)
    till.enter(page)
    intent = till.stripe.state.all("payment_intent")[0]["id"]
    if what == "dispute":
        with till.stripe.state.transaction():
            till.stripe.intents.dispute(intent, till.now)
    else:
        till.provider.refund("at the dashboard", intent, Money(2_500, "USD"))
    [event] = events_of(till, "charge.dispute.created", "charge.refunded")
    till.hear(event)
    till.asker.ask_once()
    for late in till.stripe.events.all():
        till.hear(late)
    till.settle()

    assert problems(till) == [{"dispute": "card_disputed", "refund": "card_moved_elsewhere"}[what]]
    assert [one.amount.minor_units for one in payments(till)] == [40_000]
    assert till.violations() == {}


def test_a_dispute_that_stands_when_the_payment_is_recorded_from_its_page_is_notified_of(till: Till) -> None:
    page = till.open_page(invoice_id=billed(till).invoice_id)
    till.enter(page)
    with till.stripe.state.transaction():
        till.stripe.intents.dispute(till.stripe.state.all("payment_intent")[0]["id"], till.now)
    till.read_page(page)

    assert problems(till) == ["card_disputed"]


def test_an_event_about_a_payment_that_cannot_be_read_yet_waits(till: Till) -> None:
    page = till.open_page(invoice_id=billed(till).invoice_id)
    till.enter(page)
    with till.stripe.state.transaction():
        till.stripe.intents.dispute(till.stripe.state.all("payment_intent")[0]["id"], till.now)
    [event] = events_of(till, "charge.dispute.created")
    till.hear(event)
    for wrong in ("refuse", "away"):
        till.stripe.switches.turn(wrong)
        till.asker.ask_once()
    before = problems(till)
    till.asker.ask_once()

    assert (before, problems(till)) == ([], ["card_disputed"])


@pytest.mark.parametrize("subject", ["order", "invoice"])
def test_the_account_is_taken_once_and_before_what_decides_is_read(till: Till, subject: str) -> None:
    till.commit_card(token=POOR)
    asked = {"order_id": "ord_1"} if subject == "order" else {"invoice_id": billed(till).invoice_id}
    with counted(till.database) as statements:
        till.open_page(**asked)
    begun = statements[: next(n for n, one in enumerate(statements) if one.startswith("INSERT INTO checkout")) + 1]
    taken = [n for n, one in enumerate(begun) if one.startswith("UPDATE credit_account")]
    table = "FROM credit_wait" if subject == "order" else "FROM provider_operation"
    deciding = [n for n, one in enumerate(begun) if table in one]

    assert len(taken) == 1
    assert deciding[-1] > taken[0]


@pytest.mark.on_postgres
def test_an_order_that_goes_on_while_the_account_is_waited_for_gets_no_page(till: Till) -> None:
    till.commit_card(token=POOR)
    if till.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time: nothing is read before the account is taken")

    def is_waited_for() -> bool:
        with till.database.reading() as session:
            wanted = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            return session.connection().exec_driver_sql(wanted).first() is not None

    with Crew(1) as crew:
        with till.database.transaction() as session:
            credit.take(session, "cus_acme", "USD")
            waits.remove(session, "ord_1")
            page = crew.submit(lambda: till.open_page(order_id="ord_1"))
            until(is_waited_for)
        with pytest.raises(DomainError) as refusal:
            page.result()

    assert refusal.value.reason == "ORDER_WAITS_FOR_NO_CARD"
    assert till.stripe.state.count("checkout.session") == 0


def test_a_card_that_was_entered_on_a_page_about_to_end_is_given_by_that_page(till: Till) -> None:
    till.commit_card(token=POOR)
    first = till.open_page(order_id="ord_1")
    till.enter(first)
    till.now += timedelta(minutes=57)

    again = till.open_page(order_id="ord_1")

    assert (again.checkout_id, again.state) == (first.checkout_id, "complete")
    assert till.stripe.state.count("checkout.session") == 1
    assert till.give_card(till.read_page(again).card_token).card == "authorized"


def test_a_page_that_nobody_was_shown_takes_no_payment_and_the_next_one_serves(till: Till) -> None:
    """The provider's answer was lost; by the next time it is asked, the amount is another."""
    invoice = billed(till)
    till.stripe.switches.turn("drop")
    unseen = till.open_page(invoice_id=invoice.invoice_id, request_id="lost")
    till.pay(10_000, "WIRE-1", to={invoice.invoice_id: 10_000})
    page = till.open_page(invoice_id=invoice.invoice_id)
    with pytest.raises(DomainError) as refusal:
        till.open_page(invoice_id=invoice.invoice_id, request_id="lost")
    till.now += timedelta(minutes=1)
    till.enter(page)
    till.settle()

    assert (unseen.state, page.amount.minor_units, refusal.value.reason) == ("asked", 30_000, "PAGE_REFUSED")
    assert sorted(one.amount.minor_units for one in payments(till)) == [10_000, 30_000]
    assert till.violations() == {}
