"""Payment terms in the books: due dates, installments, deliveries, and discounts for paying early, to the cent."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument
from tests.billing.desk import Desk, order_of
from tests.threads import at_once


def invoiced(desk: Desk, terms: str, price: str = "1000.00", order: str = "ord_1", calendar: str = "") -> pb.Invoice:
    """An invoice of 2 March 2026, a Monday."""
    desk.now = datetime(2026, 3, 2, 16, tzinfo=UTC)
    bought = order_of({"1": (1, price)}, order_id=order, terms=terms, calendar=calendar)
    return desk.invoice(bought, f"shp_{order}", {"1": 1})


def on(desk: Desk, day: int, month: int = 3) -> Desk:
    desk.now = datetime(2026, month, day, 16, tzinfo=UTC)
    return desk


def standing(desk: Desk, invoice: pb.Invoice) -> tuple[str, int, int, int]:
    """Status, paid, discount taken and open."""
    now = desk.invoice_now(invoice.invoice_id)
    return now.status, now.paid.minor_units, now.discount_taken.minor_units, now.open.minor_units


def offer(desk: Desk, invoice: pb.Invoice) -> tuple[int, str, int] | None:
    now = desk.invoice_now(invoice.invoice_id)
    early = now.early_discount
    is_offered = now.HasField("early_discount")
    return (early.amount.minor_units, early.until, early.pays.minor_units) if is_offered else None


@pytest.mark.on_postgres
def test_an_invoice_is_settled_by_its_total_less_the_discount_on_the_last_day_of_the_window(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")
    assert (invoice.due_on, invoice.terms) == ("2026-04-01", "2/10 net 30")
    assert offer(desk, invoice) == (2_000, "2026-03-12", 98_000)

    on(desk, 12).pay(98_000, "BANK-1")

    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)
    assert offer(desk, invoice) is None
    balances = desk.balances()
    assert (balances["accounts_receivable"], balances["sales_discounts"], balances["cash"]) == (0, 2_000, 98_000)
    assert desk.account() == (0, 0)
    money = desk.money("ord_1")
    assert (money["invoiced"], money["paid"], money["discount_taken"]) == (100_000, 98_000, 2_000)
    assert desk.violations() == {}


def test_a_day_after_the_window_the_same_payment_leaves_the_discount_open(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")

    on(desk, 13).pay(98_000, "BANK-1")

    assert standing(desk, invoice) == ("part_paid", 98_000, 0, 2_000)
    assert offer(desk, invoice) is None
    assert desk.violations() == {}


def test_half_paid_within_the_window_leaves_what_the_discount_leaves_of_the_rest(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")
    on(desk, 7).pay(50_000, "BANK-1")
    assert offer(desk, invoice) == (2_000, "2026-03-12", 48_000)

    on(desk, 11).pay(48_000, "BANK-2")

    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)
    assert desk.violations() == {}


def test_half_paid_within_the_window_owes_the_whole_other_half_after_it(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")
    on(desk, 7).pay(50_000, "BANK-1")

    on(desk, 20).pay(48_000, "BANK-2")

    assert standing(desk, invoice) == ("part_paid", 98_000, 0, 2_000)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_what_came_late_loses_the_discount_even_when_the_rest_is_typed_with_an_early_day(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")
    on(desk, 20).pay(50_000, "BANK-1")

    desk.pay(48_000, "BANK-2", received_on="2026-03-05")

    assert standing(desk, invoice) == ("part_paid", 98_000, 0, 2_000)
    assert desk.violations() == {}


def test_a_payment_typed_later_counts_by_the_day_its_cash_came(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")

    payment = on(desk, 30).pay(98_000, "BANK-1", received_on="2026-03-12")

    assert payment.received_on == "2026-03-12"
    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)


def test_a_day_in_the_future_is_refused(desk: Desk) -> None:
    invoiced(desk, "2/10 net 30")

    with pytest.raises(InvalidArgument) as refusal:
        on(desk, 20).pay(98_000, "BANK-1", received_on="2026-03-21")

    assert refusal.value.reason == "RECEIVED_ON_INVALID"


def test_an_end_of_the_window_on_a_free_day_moves_to_the_next_business_day(desk: Desk) -> None:
    # 12 days after Monday 2 March is Saturday 14; 30 days after it is Wednesday 1 April
    invoice = invoiced(desk, "2/12 net 30", calendar="US")
    assert (offer(desk, invoice), invoice.due_on) == ((2_000, "2026-03-16", 98_000), "2026-04-01")

    on(desk, 16).pay(98_000, "BANK-1")

    assert standing(desk, invoice)[0] == "paid"


def test_one_payment_settles_several_invoices_with_their_discounts_and_keeps_what_is_left(desk: Desk) -> None:
    first = invoiced(desk, "2/10 net 30")
    second = invoiced(desk, "2/10 net 30", "500.00", "ord_2")

    payment = on(desk, 5).pay(98_000 + 49_000 + 100, "BANK-1")

    assert (standing(desk, first)[0], standing(desk, second)[0]) == ("paid", "paid")
    assert payment.unapplied.minor_units == 100
    assert desk.account() == (0, -100)
    assert desk.violations() == {}


def test_a_named_invoice_takes_its_discount_and_the_rest_of_its_part_is_left(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")

    payment = on(desk, 5).pay(100_000, "BANK-1", to={invoice.invoice_id: 100_000})

    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)
    assert payment.unapplied.minor_units == 2_000


def test_cash_that_lay_there_before_takes_the_discount_when_the_invoice_comes(desk: Desk) -> None:
    desk.now = datetime(2026, 3, 1, 16, tzinfo=UTC)
    desk.pay(98_000, "BANK-1")

    invoice = invoiced(desk, "2/10 net 30")

    assert (invoice.status, invoice.discount_taken.minor_units) == ("paid", 2_000)
    assert desk.violations() == {}


def test_cash_held_for_the_order_takes_the_discount_when_the_invoice_comes(desk: Desk) -> None:
    desk.now = datetime(2026, 3, 1, 16, tzinfo=UTC)
    desk.pay(98_000, "BANK-1", orders={"ord_1": 98_000})

    invoice = invoiced(desk, "2/10 net 30")

    assert (invoice.status, invoice.discount_taken.minor_units) == ("paid", 2_000)
    assert desk.balances()["customer_deposits"] == 0
    assert desk.violations() == {}


@pytest.mark.parametrize("taken", [0, 1])
def test_taking_either_half_back_takes_the_discount_back_too(desk: Desk, taken: int) -> None:
    invoice = invoiced(desk, "2/10 net 30")
    halves = [on(desk, 7).pay(50_000, "BANK-1"), on(desk, 11).pay(48_000, "BANK-2")]

    desk.reverse(halves[taken].payment_id)

    left = (48_000, 50_000)[taken]
    assert standing(desk, invoice) == ("part_paid", left, 0, 100_000 - left)
    assert (desk.balances()["sales_discounts"], desk.account()) == (0, (0, 100_000 - left))
    assert desk.violations() == {}
    on(desk, 12).pay(98_000 - left, "BANK-3")
    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_payment_moved_to_its_own_invoice_again_keeps_its_discount_by_the_day_it_came(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")
    payment = on(desk, 7).pay(98_000, "BANK-1")

    on(desk, 30).reapply(payment.payment_id, to={invoice.invoice_id: 98_000})

    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)
    assert desk.balances()["sales_discounts"] == 2_000
    assert desk.violations() == {}


def test_a_discount_taken_lost_and_taken_again_by_the_same_cash_is_posted_each_time(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")
    half = on(desk, 5).pay(50_000, "BANK-1")
    # settles what the half left, and keeps enough to stand in for it
    desk.pay(98_000, "BANK-2")
    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)

    desk.reverse(half.payment_id)

    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)
    assert desk.balances()["sales_discounts"] == 2_000
    assert desk.violations() == {}


def test_ageing_shows_one_receivable_of_the_whole_invoice(desk: Desk) -> None:
    invoiced(desk, "2/10 net 30")

    assert desk.receivables() == {"current_minor": 100_000}
    on(desk, 2, 4)
    assert desk.receivables() == {"days_30_minor": 100_000, "overdue_since": "2026-04-01"}


@pytest.mark.on_postgres
def test_installments_fall_due_one_after_the_other(desk: Desk) -> None:
    invoice = invoiced(desk, "30%@10 30%@40 40%@70", "100.01")
    days, amounts = ["2026-03-12", "2026-04-11", "2026-05-11"], [3_000, 3_000, 4_001]
    assert [one.due_on for one in invoice.installments] == days
    assert [one.amount.minor_units for one in invoice.installments] == amounts
    assert invoice.due_on == days[0]

    on(desk, 15)
    assert desk.receivables() == {"current_minor": 7_001, "days_30_minor": 3_000, "overdue_since": days[0]}
    desk.pay(3_500, "BANK-1")

    now = desk.invoice_now(invoice.invoice_id)
    assert [one.open.minor_units for one in now.installments] == [0, 2_500, 4_001]
    assert (now.due_on, now.status) == (days[1], "part_paid")
    assert desk.receivables() == {"current_minor": 6_501}
    ((after,),) = [one["invoices"] for one in desk.facts("payment_received")]
    assert (after["due_on"], [one["open_minor"] for one in after["installments"]]) == (days[1], [0, 2_500, 4_001])
    assert desk.violations() == {}


def test_cash_pays_the_oldest_installment_of_all_invoices_first(desk: Desk) -> None:
    parted = invoiced(desk, "50%@10 50%@40", "100.00")
    plain = invoiced(desk, "net 20", "100.00", "ord_2")

    desk.pay(16_000, "BANK-1")

    assert standing(desk, parted)[1:] == (6_000, 0, 4_000)
    assert standing(desk, plain)[0] == "paid"


@pytest.mark.on_postgres
def test_an_invoice_due_on_delivery_is_not_due_before_it_and_by_its_day_after_it(desk: Desk) -> None:
    invoice = invoiced(desk, "delivery 10")
    assert (invoice.due_on, invoice.installments[0].due_on) == ("", "")
    on(desk, 1, 9)
    assert desk.receivables() == {"current_minor": 100_000}

    first = desk.deliver("shp_ord_1", datetime(2026, 3, 5, 12, tzinfo=UTC))
    again = desk.deliver("shp_ord_1", datetime(2026, 3, 6, 12, tzinfo=UTC), "fact_2")

    assert (first, again) == (["fact_1"], ["fact_2"])
    assert desk.invoice_now(invoice.invoice_id).due_on == "2026-03-15"
    assert desk.receivables() == {"older_minor": 100_000, "overdue_since": "2026-03-15"}
    assert [one["invoice"]["due_on"] for one in desk.facts("due_date_set")] == ["2026-03-15"]
    assert desk.violations() == {}


def test_a_delivery_heard_of_before_its_invoice_dates_it_at_once(desk: Desk) -> None:
    desk.deliver("shp_ord_1", datetime(2026, 3, 5, 12, tzinfo=UTC))

    invoice = invoiced(desk, "delivery 10")

    assert invoice.due_on == "2026-03-15"
    assert desk.facts("due_date_set") == []


def test_what_waits_for_its_delivery_is_paid_last(desk: Desk) -> None:
    waits = invoiced(desk, "delivery 0", "100.00")
    plain = invoiced(desk, "net 90", "100.00", "ord_2")

    desk.pay(10_000, "BANK-1")

    assert (standing(desk, waits)[0], standing(desk, plain)[0]) == ("open", "paid")


@pytest.mark.parametrize(
    ("terms", "calendar", "reason"),
    [("net", "", "TERMS_INVALID"), ("net 30", "XX", "CALENDAR_UNKNOWN"), ("net 30", "US-QQ", "CALENDAR_UNKNOWN")],
)
def test_terms_that_nobody_can_read_are_refused(desk: Desk, terms: str, calendar: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        invoiced(desk, terms, calendar=calendar)

    assert refusal.value.reason == reason


@pytest.mark.on_postgres
def test_a_delivery_told_while_its_invoice_is_issued_is_not_missed(desk: Desk) -> None:
    numbers = range(12)
    orders = [order_of({"1": (1, "10.00")}, order_id=f"ord_{number}", terms="delivery 5") for number in numbers]
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)

    at_once(
        [
            act
            for number in numbers
            for act in (
                partial(desk.invoice, orders[number], f"shp_{number}", {"1": 1}),
                partial(desk.deliver, f"shp_{number}", at, f"fact_{number}"),
            )
        ],
        threads=2,
    )

    assert desk.violations() == {}
    assert {one.due_on for one in desk.listed()} == {"2026-03-10"}


@pytest.mark.on_postgres
def test_two_payments_at_once_take_one_discount(desk: Desk) -> None:
    invoice = invoiced(desk, "2/10 net 30")

    at_once([partial(desk.pay, 98_000, f"BANK-{number}") for number in range(2)])

    assert standing(desk, invoice) == ("paid", 98_000, 2_000, 0)
    assert desk.account() == (0, -98_000)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_the_last_that_is_told_of_an_invoice_paid_while_its_goods_arrive_is_how_it_stands(desk: Desk) -> None:
    numbers = range(12)
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    for number in numbers:
        desk.invoice(
            order_of({"1": (1, "10.00")}, order_id=f"ord_{number}", terms="delivery 5"), f"shp_{number}", {"1": 1}
        )

    at_once(
        [
            act
            for number in numbers
            for act in (
                partial(desk.pay, 1_000, f"BANK-{number}", orders={f"ord_{number}": 1_000}),
                partial(desk.deliver, f"shp_{number}", at, f"fact_{number}"),
            )
        ],
        threads=4,
    )

    last: dict[str, tuple[str, str]] = {}
    for fact in desk.facts("due_date_set", "payment_received"):
        for invoice in fact.get("invoices") or [fact["invoice"]]:
            last[invoice["number"]] = (invoice["due_on"], invoice["status"])
    assert set(last.values()) == {("2026-03-10", "paid")}
    assert len(last) == len(numbers)
