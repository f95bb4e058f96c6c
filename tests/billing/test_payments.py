"""Recording cash through the service, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import AlreadyExists, NotFound, Refused
from tests.billing.desk import CONTEXT, Desk, order_of


def invoice(desk: Desk, number: int, minor: int, *, customer_id: str = "cus_acme", day: int = 2) -> str:
    order = order_of({"1": (1, f"{minor / 100:.2f}")}, order_id=f"ord_{number}", customer_id=customer_id)
    shipped_at = datetime(2026, 3, day, tzinfo=UTC)
    return desk.invoice(order, f"shp_{number}", {"1": 1}, shipped_at=shipped_at).invoice_id


def test_a_repeated_payment_is_one_payment_by_request_id_and_by_reference(desk: Desk) -> None:
    invoice(desk, 1, 10_000)

    first = desk.pay(6000, "BANK-1", request_id="r1")
    again = desk.pay(6000, "BANK-1", request_id="r1")
    other = desk.pay(6000, "BANK-1", request_id="r2")

    assert first == again == other
    assert desk.balances()["cash"] == 6000
    assert len(desk.facts("payment_received")) == 1
    assert desk.violations() == {}


def test_the_same_bank_notice_sent_in_parallel_is_one_payment(desk: Desk) -> None:
    invoice(desk, 1, 10_000)

    with ThreadPoolExecutor(8) as pool:
        payments = list(pool.map(lambda number: desk.pay(6000, "BANK-1", request_id=f"r{number}"), range(16)))

    assert len({each.payment_id for each in payments}) == 1
    assert desk.account() == (0, 4000)
    assert desk.violations() == {}


def test_a_reference_with_another_amount_is_refused(desk: Desk) -> None:
    desk.pay(6000, "BANK-1")

    with pytest.raises(Refused) as refusal:
        desk.pay(6001, "BANK-1")

    assert refusal.value.reason == "PAYMENT_REFERENCE_REUSED"
    assert desk.pay(6001, "BANK-1", customer_id="cus_other").amount.minor_units == 6001


def test_a_request_id_with_another_amount_is_refused(desk: Desk) -> None:
    desk.pay(6000, "BANK-1", request_id="r1")

    with pytest.raises(AlreadyExists):
        desk.pay(7000, "BANK-1", request_id="r1")


def test_cash_pays_the_oldest_due_first_and_the_rest_stays_unapplied(desk: Desk) -> None:
    later, earlier = invoice(desk, 1, 10_000, day=20), invoice(desk, 2, 5000, day=1)
    invoice(desk, 3, 9000, customer_id="cus_other", day=1)

    payment = desk.pay(16_000, "BANK-1")

    applied = [(each.invoice_id, each.amount.minor_units) for each in payment.applications]
    assert applied == [(earlier, 5000), (later, 10_000)]
    assert payment.unapplied.minor_units == 1000
    balances = desk.balances()
    assert (balances["cash"], balances["unapplied_cash"], balances["accounts_receivable"]) == (16_000, -1000, 9000)
    assert desk.account() == (0, -1000)
    assert desk.violations() == {}


def test_a_remittance_says_which_invoices_and_the_rest_stays_unapplied(desk: Desk) -> None:
    first, second = invoice(desk, 1, 10_000), invoice(desk, 2, 5000)

    payment = desk.pay(8000, "BANK-1", to={second: 5000, first: 1000})

    assert payment.unapplied.minor_units == 2000
    assert desk.invoice_now(first).paid.minor_units == 1000
    assert desk.invoice_now(second).status == "paid"
    assert desk.violations() == {}


def test_a_remittance_that_cannot_be_is_refused_and_leaves_nothing(desk: Desk) -> None:
    own, foreign = invoice(desk, 1, 10_000), invoice(desk, 2, 5000, customer_id="cus_other")

    for to, reason in (
        ({own: 10_001}, "INVOICE_OVERPAID"),
        ({foreign: 100}, "INVOICE_OF_ANOTHER_CUSTOMER"),
        ({own: 9000}, "PAYMENT_OVERAPPLIED"),
    ):
        with pytest.raises(Refused) as refusal:
            desk.pay(8000, "BANK-1", to=to)
        assert refusal.value.reason == reason
    with pytest.raises(NotFound):
        desk.pay(8000, "BANK-1", to={"inv_none": 1})

    assert "cash" not in desk.balances()
    assert desk.violations() == {}


def test_parallel_payments_never_pay_an_invoice_twice(desk: Desk) -> None:
    only = invoice(desk, 1, 10_000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: desk.pay(3000, f"BANK-{number}", request_id=f"r{number}"), range(8)))

    assert desk.invoice_now(only).paid.minor_units == 10_000
    assert desk.balances()["unapplied_cash"] == -14_000
    assert desk.violations() == {}


def test_invoices_and_payments_of_one_customer_in_parallel_do_not_deadlock(desk: Desk) -> None:
    def act(number: int) -> None:
        if number % 2:
            desk.pay(700, f"BANK-{number}", request_id=f"p{number}")
        else:
            order = order_of({"1": (1, "10.00")}, order_id=f"ord_{number}")
            desk.commit(order.order_id, 1000, request_id=f"c{number}", is_forced=True)
            desk.invoice(order, f"shp_{number}", {"1": 1}, request_id=f"i{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(40)))

    assert desk.account() == (0, 20 * 1000 - 20 * 700)
    assert desk.violations() == {}


def test_each_order_that_a_payment_pays_is_told_once(desk: Desk) -> None:
    order = order_of({"1": (2, "10.00")}, order_id="ord_a")
    desk.invoice(order, "shp_a1", {"1": 1})
    desk.invoice(order, "shp_a2", {"1": 1})
    invoice(desk, 9, 500)

    payment = desk.pay(2500, "BANK-1")

    told = {each["invoices"][0]["shipment_id"]: each for each in desk.facts("payment_received")}
    assert set(told) == {"shp_a1", "shp_9"}
    assert told["shp_a1"]["amount_minor"] == 2000
    assert told["shp_a1"]["payment_id"] == payment.payment_id
    assert [each["status"] for each in told["shp_a1"]["invoices"]] == ["paid", "paid"]
    assert [each["paid_minor"] for each in told["shp_9"]["invoices"]] == [500]


def test_payments_are_listed_oldest_first_in_pages(desk: Desk) -> None:
    for number in range(3):
        desk.pay(100 + number, f"BANK-{number}")
    desk.pay(999, "BANK-X", customer_id="cus_other")

    page = desk.billing.ListPayments(pb.ListPaymentsRequest(customer_id="cus_acme", limit=2), CONTEXT)
    rest = desk.billing.ListPayments(
        pb.ListPaymentsRequest(customer_id="cus_acme", limit=2, cursor=page.next_cursor), CONTEXT
    )

    assert [each.reference for each in page.payments] == ["BANK-0", "BANK-1"]
    assert [each.reference for each in rest.payments] == ["BANK-2"]
    assert rest.next_cursor == ""


def test_receivables_age_against_today(desk: Desk) -> None:
    invoice(desk, 1, 10_000)  # due 1 April
    desk.pay(4000, "BANK-1")
    desk.pay(300, "BANK-2", customer_id="cus_other")

    def rows() -> list[pb.Receivable]:
        return list(desk.billing.ListReceivables(pb.ListReceivablesRequest(), CONTEXT).receivables)

    acme, other = rows()
    assert (acme.current_minor, acme.days_30_minor, other.unapplied_minor) == (6000, 0, 300)
    desk.now = datetime(2026, 4, 2, tzinfo=UTC)
    assert rows()[0].days_30_minor == 6000
    desk.now = datetime(2026, 7, 1, tzinfo=UTC)
    assert rows()[0].older_minor == 6000
