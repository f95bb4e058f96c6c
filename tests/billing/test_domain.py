"""Credit, payments, postings and ageing, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain import ledger
from services.billing.domain.charging import Charges
from services.billing.domain.credit import Account, Commitment, amount_to_commit, moved_by_invoice
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import (
    Application,
    Deposit,
    ForOrder,
    Instruction,
    allocate,
    check_instruction,
    oldest_first,
)
from services.billing.domain.receivables import DueAmount, UnappliedCash, ageing
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money

TODAY = date(2026, 3, 2)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def invoice_of(
    number: int, total: int, *, paid: int = 0, due: date = date(2026, 4, 1), customer_id: str = "cus_1"
) -> Invoice:
    charges = Charges(usd(total), usd(0), usd(0), usd(0))
    return Invoice(
        f"inv_{number}",
        f"INV-{number:06d}",
        "ord_1",
        "SO-1",
        customer_id,
        f"shp_{number}",
        date(2026, 3, 1),
        due,
        (),
        charges,
        usd(paid),
        usd(0),
    )


def movement_of(kind: str, value: int) -> ledger.Movement:
    return ledger.Movement("fact_1", kind, "", "wh_1", "A", 3, usd(value))


def test_exposure_is_what_is_committed_and_owed() -> None:
    account = Account("cus_1", usd(1_000_000), usd(250_000), usd(620_000), usd(0))

    assert (account.exposure, account.headroom) == (usd(870_000), usd(130_000))


def test_cash_held_for_orders_beyond_what_they_commit_is_no_headroom() -> None:
    account = Account("cus_1", usd(1_000_000), usd(250_000), usd(-50_000), usd(80_000))

    assert (account.exposure, account.headroom) == (usd(280_000), usd(720_000))


def test_an_active_commitment_commits_no_more_and_a_reopened_order_only_what_was_not_invoiced() -> None:
    active = Commitment(
        "ord_1",
        "cus_1",
        usd(1000),
        usd(600),
        usd(400),
        usd(0),
        is_released=False,
        payment_method="terms",
        deposit=usd(0),
    )
    released = Commitment(
        "ord_1",
        "cus_1",
        usd(1000),
        usd(0),
        usd(400),
        usd(600),
        is_released=True,
        payment_method="terms",
        deposit=usd(0),
    )

    assert amount_to_commit(usd(1000), None) == usd(1000)
    assert amount_to_commit(usd(1000), active) is None
    assert amount_to_commit(usd(1000), released) == usd(600)
    assert amount_to_commit(usd(300), released) == usd(0)


def test_an_invoice_moves_no_more_than_what_is_committed() -> None:
    commitment = Commitment(
        "ord_1",
        "cus_1",
        usd(1000),
        usd(600),
        usd(400),
        usd(0),
        is_released=False,
        payment_method="terms",
        deposit=usd(0),
    )

    assert moved_by_invoice(commitment, usd(500)) == usd(500)
    assert moved_by_invoice(commitment, usd(700)) == usd(600)
    assert moved_by_invoice(None, usd(700)) == usd(0)


@pytest.mark.parametrize(("paid", "status"), [(0, "open"), (1, "part_paid"), (100, "paid")])
def test_an_invoice_is_open_until_something_and_part_paid_until_everything_is_paid(paid: int, status: str) -> None:
    assert invoice_of(1, 100, paid=paid).status == status


def test_an_invoice_of_nothing_is_paid_at_once() -> None:
    assert invoice_of(1, 0).status == "paid"


def test_cash_pays_the_oldest_due_first_then_the_lowest_number() -> None:
    later = invoice_of(1, 100, due=date(2026, 5, 1))
    first, second = invoice_of(2, 100, paid=40), invoice_of(3, 100)

    applications = oldest_first(usd(161), [later, second, first], TODAY)

    assert applications == (
        Application("inv_2", usd(60)),
        Application("inv_3", usd(100)),
        Application("inv_1", usd(1)),  # the last cent is not left over
    )


@given(st.integers(1, 10_000), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 28)), max_size=8))
def test_applications_never_exceed_what_was_paid_or_what_is_open(amount: int, opens: list[tuple[int, int]]) -> None:
    invoices = [
        invoice_of(number, total, due=date(2026, 4, 1 + day)) for number, (total, day) in enumerate(opens, start=1)
    ]

    applied = {each.invoice_id: each.amount.minor for each in oldest_first(usd(amount), invoices, TODAY)}

    assert sum(applied.values()) == min(amount, sum(total for total, _ in opens))
    assert all(0 < applied.get(each.invoice_id, 1) <= max(each.open.minor, 1) for each in invoices)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ([("inv_1", 101)], "INVOICE_OVERPAID"),
        ([("inv_1", 60), ("inv_1", 60)], "INVOICE_OVERPAID"),
        ([("inv_1", 100), ("inv_2", 100)], "PAYMENT_OVERAPPLIED"),
        ([("inv_9", 10)], "INVOICE_OF_ANOTHER_CUSTOMER"),
        ([("inv_8", 10)], "INVOICE_CURRENCY_DIFFERS"),
    ],
)
def test_an_application_that_cannot_be_is_refused(asked: list[tuple[str, int]], reason: str) -> None:
    invoices = {
        "inv_1": invoice_of(1, 100),
        "inv_2": invoice_of(2, 100),
        "inv_8": replace(invoice_of(8, 0), charges=Charges.none("EUR"), paid=Money.zero("EUR")),
        "inv_9": invoice_of(9, 100, customer_id="cus_9"),
    }

    named = Instruction(tuple(Application(name, usd(minor)) for name, minor in asked))

    with pytest.raises(Refused) as refusal:
        check_instruction("cus_1", usd(150), named, invoices)

    assert refusal.value.reason == reason


def test_the_rest_of_a_remittance_pays_oldest_first_and_an_invoice_has_one_application() -> None:
    invoices = {f"inv_{number}": invoice_of(number, 100, due=date(2026, 4, 9 - number)) for number in (1, 2, 3)}

    applications = allocate(usd(260), Instruction((Application("inv_1", usd(30)),)), invoices, TODAY).applications

    # 230 are left: inv_3 fell due first, then inv_2, then 30 more of inv_1
    assert applications == (
        Application("inv_1", usd(60)),
        Application("inv_3", usd(100)),
        Application("inv_2", usd(100)),
    )
    everything = allocate(usd(999), Instruction(), invoices, TODAY)
    assert sum(each.amount.minor for each in everything.applications) == 300
    assert everything.unapplied == usd(699)


def test_what_names_an_order_pays_its_invoices_and_the_rest_is_held_for_it() -> None:
    other = replace(invoice_of(2, 100, due=date(2026, 3, 9)), order_id="ord_2")
    invoices = {"inv_1": invoice_of(1, 100), "inv_2": other}
    orders = (ForOrder("ord_1", usd(130)), ForOrder("ord_new", usd(50)))

    used = allocate(usd(200), Instruction((), orders, is_on_account=True), invoices, TODAY)

    assert used.applications == (Application("inv_1", usd(100)),)
    assert used.deposits == (Deposit("ord_1", usd(30), usd(30)), Deposit("ord_new", usd(50), usd(50)))
    assert used.unapplied == usd(20)


def test_cash_on_account_pays_nothing_by_itself() -> None:
    invoices = {"inv_1": invoice_of(1, 100)}

    assert allocate(usd(60), Instruction(is_on_account=True), invoices, TODAY).unapplied == usd(60)


@pytest.mark.parametrize(
    ("kind", "value", "debit", "credit", "amount"),
    [
        ("stock_received", 500, "inventory", "goods_received_not_invoiced", 500),
        ("stock_issued", 1, "cost_of_goods_sold", "inventory", 1),
        ("stock_adjusted", -500, "shrinkage", "inventory", 500),
        ("stock_adjusted", 500, "inventory", "shrinkage", 500),
        ("stock_returned", 500, "inventory", "cost_of_goods_sold", 500),
        ("stock_scrapped", 500, "inventory_write_offs", "cost_of_goods_sold", 500),
        ("damage_quarantined", 500, "inventory_in_quarantine", "shrinkage", 500),
        ("stock_quarantined", 500, "inventory_in_quarantine", "cost_of_goods_sold", 500),
        ("stock_returned_to_vendor", 500, "vendor_claims", "cost_of_goods_sold", 500),
        ("quarantine_released", 500, "inventory", "inventory_in_quarantine", 500),
        ("quarantine_scrapped", 500, "inventory_write_offs", "inventory_in_quarantine", 500),
        ("quarantine_returned_to_vendor", 500, "vendor_claims", "inventory_in_quarantine", 500),
    ],
)
def test_a_stock_movement_posts_its_value(kind: str, value: int, debit: str, credit: str, amount: int) -> None:
    posting = ledger.movement_posting(movement_of(kind, value))

    assert posting is not None
    assert (posting.debit, posting.credit, posting.amount) == (debit, credit, usd(amount))


def test_a_stock_movement_without_value_posts_nothing() -> None:
    assert ledger.movement_posting(movement_of("stock_issued", 0)) is None


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("stock_issued", -1, "MOVEMENT_VALUE_NEGATIVE"),
        ("stock_received", -1, "MOVEMENT_VALUE_NEGATIVE"),
        ("stock_reserved", 1, "MOVEMENT_KIND_UNKNOWN"),
    ],
)
def test_a_movement_that_cannot_be_is_refused(kind: str, value: int, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        ledger.movement_posting(movement_of(kind, value))

    assert refusal.value.reason == reason


def test_receivables_age_by_days_past_the_due_date() -> None:
    today = date(2026, 6, 30)
    due = [
        DueAmount("cus_1", date(2026, 7, 1), usd(1)),
        DueAmount("cus_1", date(2026, 6, 30), usd(10)),  # due today is not over
        DueAmount("cus_1", date(2026, 6, 29), usd(100)),  # 1 day
        DueAmount("cus_1", date(2026, 5, 31), usd(1000)),  # 30 days
        DueAmount("cus_1", date(2026, 5, 30), usd(10_000)),  # 31 days
        DueAmount("cus_1", date(2026, 5, 1), usd(100_000)),  # 60 days
        DueAmount("cus_1", date(2026, 4, 30), usd(1_000_000)),  # 61 days
    ]

    first, second = ageing(today, due, [UnappliedCash("cus_0", usd(7))])

    assert (second.current, second.days_30, second.days_60, second.older, second.unapplied) == (
        11,
        1100,
        110_000,
        1_000_000,
        0,
    )
    assert (first.customer_id, first.unapplied, first.current) == ("cus_0", 7, 0)


@pytest.mark.parametrize(
    ("due_days", "since"),
    [
        ((), None),
        ((date(2026, 3, 31),), None),
        ((date(2026, 3, 30), date(2026, 1, 5), date(2026, 4, 9)), date(2026, 1, 5)),
    ],
    ids=["nothing owed", "due today is not overdue", "the oldest that is over"],
)
def test_receivables_say_since_when_something_is_overdue(due_days: tuple[date, ...], since: date | None) -> None:
    due = [DueAmount("cus_1", day, usd(100)) for day in due_days]

    [found] = ageing(date(2026, 3, 31), due, [UnappliedCash("cus_1", usd(1))])

    assert found.overdue_since == since
