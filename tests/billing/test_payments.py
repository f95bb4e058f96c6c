"""Recording cash through the service, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import text

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import AlreadyExists, NotFound, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.threads import at_once


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


@pytest.mark.on_postgres
def test_the_same_bank_notice_sent_in_parallel_is_one_payment(desk: Desk) -> None:
    invoice(desk, 1, 10_000)

    payments = at_once([partial(desk.pay, 6000, "BANK-1", request_id=f"r{n}") for n in range(16)], threads=8)

    assert len({each.payment_id for each in payments}) == 1
    assert desk.account() == (0, 4000)
    assert desk.violations() == {}


@pytest.mark.parametrize("typed", ["bank-1", " BANK-1 ", "BANK\u20111", "BANK\u200b-1"])
def test_a_bank_reference_is_one_payment_in_every_spelling(desk: Desk, typed: str) -> None:
    first = desk.pay(6000, "BANK-1")

    assert desk.pay(6000, typed).payment_id == first.payment_id
    assert desk.violations() == {}


def test_a_reference_for_another_invoice_is_refused(desk: Desk) -> None:
    bill = invoice(desk, 1, 10_000)
    desk.pay(6000, "BANK-1")

    with pytest.raises(Refused) as refusal:
        desk.pay(6000, "BANK-1", to={bill: 6000})

    assert refusal.value.reason == "PAYMENT_REFERENCE_REUSED"


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


@pytest.mark.on_postgres
def test_a_remittance_pays_what_it_names_first_and_its_rest_what_is_open_oldest_first(desk: Desk) -> None:
    later, earlier, named = (
        invoice(desk, 1, 10_000, day=20),
        invoice(desk, 2, 5000, day=1),
        invoice(desk, 3, 4000, day=9),
    )
    invoice(desk, 4, 9000, customer_id="cus_other", day=1)

    payment = desk.pay(12_000, "BANK-1", to={named: 4000, later: 1000})  # 7,000 are left: 5,000 and 2,000

    applied = {each.invoice_id: each.amount.minor_units for each in payment.applications}
    assert applied == {named: 4000, later: 3000, earlier: 5000}
    assert payment.unapplied.minor_units == 0
    assert desk.balances()["cash"] == 12_000
    assert "unapplied_cash" not in desk.balances()
    notified = {each["invoices"][0]["shipment_id"]: each["amount_minor"] for each in desk.facts("payment_received")}
    assert notified == {"shp_1": 3000, "shp_2": 5000, "shp_3": 4000}
    assert desk.account() == (0, 7000)
    assert desk.violations() == {}


def test_what_exceeds_all_that_is_open_stays_unapplied_and_pays_the_next_invoice(desk: Desk) -> None:
    first, second = invoice(desk, 1, 1000), invoice(desk, 2, 500)

    payment = desk.pay(2000, "BANK-1", to={second: 500})
    third = invoice(desk, 3, 800)

    assert payment.unapplied.minor_units == 500
    assert [desk.invoice_now(each).paid.minor_units for each in (first, second, third)] == [1000, 500, 500]
    assert desk.balances()["unapplied_cash"] == 0
    assert desk.violations() == {}


def test_a_repeated_remittance_applies_its_rest_once(desk: Desk) -> None:
    first, second = invoice(desk, 1, 1000), invoice(desk, 2, 500)

    answers = [desk.pay(900, "BANK-1", to={second: 500}, request_id=request) for request in ("r1", "r1", "r2")]

    assert answers[0] == answers[1]
    assert {each.payment_id for each in answers} == {answers[0].payment_id}
    assert desk.invoice_now(first).paid.minor_units == 400
    assert len(desk.facts("payment_received")) == 2
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_cash_that_an_older_release_left_beside_open_invoices_is_used_up_by_the_next_invoice(desk: Desk) -> None:
    """It kept the rest of a remittance, although it had paid a part of the very invoice."""
    first = invoice(desk, 1, 1000)
    desk.pay(900, "BANK-1", to={first: 900})
    with desk.database.transaction() as session:
        for statement in (
            "UPDATE payment SET unapplied_minor = 700",
            "UPDATE payment_application SET amount_minor = 200",
            "UPDATE invoice SET paid_minor = 200",
            "UPDATE journal_entry SET amount_minor = 200 WHERE source_type = 'payment'",
            (
                "INSERT INTO journal_entry (debit, credit, amount_minor, currency, source_type, source_id, event, order_id, "
                "memo, posted_at) SELECT 'cash', 'unapplied_cash', 700, currency, source_type, source_id, 'unapplied', '', "
                "memo, posted_at FROM journal_entry WHERE source_type = 'payment'"
            ),
        ):
            session.execute(text(statement))
    assert list(desk.violations()) == ["billing.no_cash_beside_open_invoices"]

    second = invoice(desk, 2, 300, day=20)

    assert desk.invoice_now(first).paid.minor_units == 900
    assert desk.invoice_now(second).paid.minor_units == 0
    assert desk.violations() == {}


@pytest.mark.parametrize("seed", range(6))
def test_cash_is_left_over_or_invoices_are_open_but_never_both_and_no_cent_is_lost(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    issued: list[str] = []
    billed = paid = 0
    for step in range(30):
        minor = chance.randint(1, 9999)
        if chance.random() < 0.5:
            issued.append(invoice(desk, step, minor, day=chance.randint(1, 28)))
            billed += minor
        else:
            named = some_of(chance, minor, [desk.invoice_now(each) for each in issued])
            payment = desk.pay(minor, f"BANK-{step}", to=named)
            applied = {each.invoice_id: each.amount.minor_units for each in payment.applications}
            assert all(applied[each] >= part for each, part in named.items())
            assert sum(applied.values()) + payment.unapplied.minor_units == minor
            paid += minor

        balances = desk.balances()
        assert balances.get("unapplied_cash", 0) == -max(paid - billed, 0)
        assert balances.get("accounts_receivable", 0) == max(billed - paid, 0)
    assert sum(each["amount_minor"] for each in desk.facts("payment_received")) == min(paid, billed)
    assert sum(desk.invoice_now(each).paid.minor_units for each in issued) == min(paid, billed)
    assert desk.violations() == {}


def some_of(chance: random.Random, minor: int, issued: list[pb.Invoice]) -> dict[str, int]:
    """A remittance over at most two open invoices: invoice id → what it names of the amount."""
    wanted = [each for each in issued if each.status != "paid"]
    named: dict[str, int] = {}
    for each in chance.sample(wanted, min(len(wanted), chance.randint(0, 2))):
        most = min(each.total.minor_units - each.paid.minor_units, minor - sum(named.values()))
        if most > 0:
            named[each.invoice_id] = chance.randint(1, most)
    return named


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


@pytest.mark.on_postgres
def test_parallel_payments_never_pay_an_invoice_twice(desk: Desk) -> None:
    only = invoice(desk, 1, 10_000)

    at_once([partial(desk.pay, 3000, f"BANK-{n}", request_id=f"r{n}") for n in range(8)])

    assert desk.invoice_now(only).paid.minor_units == 10_000
    assert desk.balances()["unapplied_cash"] == -14_000
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_invoices_and_payments_of_one_customer_in_parallel_do_not_deadlock(desk: Desk) -> None:
    def act(number: int) -> None:
        if number % 2:
            desk.pay(700, f"BANK-{number}", request_id=f"p{number}")
        else:
            order = order_of({"1": (1, "10.00")}, order_id=f"ord_{number}")
            desk.adjust(order.order_id, 1000, request_id=f"c{number}", is_forced=True)
            desk.invoice(order, f"shp_{number}", {"1": 1}, request_id=f"i{number}")

    at_once([partial(act, number) for number in range(40)], threads=8)

    assert desk.account() == (0, 20 * 1000 - 20 * 700)
    assert desk.violations() == {}


def test_each_order_that_a_payment_pays_is_told_once(desk: Desk) -> None:
    order = order_of({"1": (2, "10.00")}, order_id="ord_a")
    desk.invoice(order, "shp_a1", {"1": 1})
    desk.invoice(order, "shp_a2", {"1": 1})
    invoice(desk, 9, 500)

    payment = desk.pay(2500, "BANK-1")

    notified = {each["invoices"][0]["shipment_id"]: each for each in desk.facts("payment_received")}
    assert set(notified) == {"shp_a1", "shp_9"}
    assert notified["shp_a1"]["amount_minor"] == 2000
    assert notified["shp_a1"]["payment_id"] == payment.payment_id
    assert [each["status"] for each in notified["shp_a1"]["invoices"]] == ["paid", "paid"]
    assert [each["paid_minor"] for each in notified["shp_9"]["invoices"]] == [500]


@pytest.mark.on_postgres
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


@pytest.mark.on_postgres
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
