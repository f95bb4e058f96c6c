"""Deposit invoices: numbered and taxed when the cash comes, deducted by the order's invoices, credited when the cash goes elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing.invoice_runner import InvoiceRunner
from services.kernel.errors import NotFound
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd
from tests.threads import at_once

PUMPS = {"1": (10, "100.00")}
ACCOUNTS = ("customer_deposits", "tax_on_deposits", "tax_payable", "accounts_receivable", "unapplied_cash")


def with_deposit(
    desk: Desk, lines: Mapping[str, tuple[int, str]] = PUMPS, *, percent: int = 30, **of: Any
) -> orders_pb2.Order:
    """An order with a deposit that waits for its cash; its customer has credit for the rest."""
    order = order_of(lines, payment_method="deposit", **of)
    desk.orders[order.order_id] = order
    desk.limit(10_000_000, order.customer_id)
    total = order.total.minor_units
    deposit = total * percent // 100
    answer = desk.commit(order.order_id, total, customer_id=order.customer_id, method="deposit", deposit=deposit)
    assert not answer.is_granted
    return order


def make(desk: Desk) -> int:
    """Make what is due of deposits; how many deposit invoices that are."""
    return InvoiceRunner(desk.database, desk.orders.__getitem__, lambda: desk.now).issue_deposits()


def listed(desk: Desk, **of: Any) -> list[pb.DepositInvoice]:
    return list(desk.billing.ListDepositInvoices(pb.ListDepositInvoicesRequest(**of), CONTEXT).deposit_invoices)


def figures(desk: Desk) -> list[tuple[str, int, int, int]]:
    """Number, total, tax and what is open."""
    return [(one.number, one.total.minor_units, one.tax.minor_units, one.open.minor_units) for one in listed(desk)]


def balances(desk: Desk) -> dict[str, int]:
    """Balances of the accounts that deposits touch, of those that are not zero."""
    return {name: minor for name in ACCOUNTS if (minor := desk.balances().get(name, 0))}


@pytest.mark.on_postgres
def test_a11_a_deposit_is_invoiced_when_it_comes_and_deducted_from_the_invoice(desk: Desk) -> None:
    """1,000.00 and 10 % tax, 1,100.00: 330.00 of it has 30.00 of tax in it, and the invoice owes the other 70.00."""
    c = with_deposit(desk, tax_rate="0.1")
    assert make(desk) == 0

    desk.pay(33_000, "WIRE-C", orders={c.order_id: 33_000})
    assert make(desk) == 1

    assert figures(desk) == [("DI-1001", 33_000, 3000, 33_000)]
    assert balances(desk) == {"customer_deposits": -33_000, "tax_on_deposits": 3000, "tax_payable": -3000}
    [fact] = desk.facts("deposit_invoiced")
    assert (fact["number"], fact["amount_minor"], fact["tax_minor"], fact["currency"]) == (
        "DI-1001",
        33_000,
        3000,
        "USD",
    )
    assert desk.violations() == {}

    bill = desk.invoice_now(desk.invoice(c, "shp_c", {"1": 10}).invoice_id)

    assert (bill.total.minor_units, bill.tax.minor_units, bill.open.minor_units) == (110_000, 10_000, 77_000)
    [deducted] = bill.deposits
    assert (deducted.deposit_invoice_number, deducted.amount.minor_units, deducted.tax.minor_units) == (
        "DI-1001",
        33_000,
        3000,
    )
    assert figures(desk) == [("DI-1001", 33_000, 3000, 0)]
    assert [one.invoice_number for one in listed(desk)[0].deductions] == ["INV-000001"]
    assert balances(desk) == {"tax_payable": -10_000, "accounts_receivable": 77_000}
    assert make(desk) == 0
    assert desk.violations() == {}


def test_each_receipt_has_a_deposit_invoice_of_its_own(desk: Desk) -> None:
    """The tax of an advance payment is owed when it comes, whole or not."""
    c = with_deposit(desk, tax_rate="0.1")

    desk.pay(10_000, "WIRE-1", orders={c.order_id: 10_000})
    make(desk)
    desk.pay(23_000, "WIRE-2", orders={c.order_id: 23_000})
    make(desk)

    # 10,000 × 10,000 / 110,000 = 909.09; 23,000 × 10,000 / 110,000 = 2,090.91
    assert figures(desk) == [("DI-1001", 10_000, 909, 10_000), ("DI-1002", 23_000, 2091, 23_000)]
    assert desk.violations() == {}


def test_cash_beyond_the_order_is_no_deposit(desk: Desk) -> None:
    c = with_deposit(desk)

    desk.pay(120_000, "WIRE-1", orders={c.order_id: 120_000})

    assert make(desk) == 1
    assert make(desk) == 0
    assert figures(desk) == [("DI-1001", 100_000, 0, 100_000)]
    assert desk.violations() == {}


@pytest.mark.parametrize("method", ["prepaid", "terms"])
def test_only_an_order_with_a_deposit_has_deposit_invoices(desk: Desk, method: str) -> None:
    order = order_of(PUMPS, payment_method=method)
    desk.orders[order.order_id] = order
    desk.commit(order.order_id, 100_000, method=method)

    desk.pay(100_000, "WIRE-1", orders={order.order_id: 100_000})

    assert (make(desk), figures(desk)) == (0, [])


def test_a_deposit_is_deducted_from_the_first_invoices_that_bear_it(desk: Desk) -> None:
    """400.00 of 1,000.00: the first invoice, of 300.00, takes three quarters of it and of its tax."""
    c = with_deposit(desk, tax_rate="0.25", percent=40)  # 1,250.00; the deposit is 500.00, 100.00 of it tax
    desk.pay(50_000, "WIRE-1", orders={c.order_id: 50_000})
    make(desk)

    first = desk.invoice_now(desk.invoice(c, "shp_1", {"1": 3}).invoice_id)  # 375.00
    second = desk.invoice_now(desk.invoice(c, "shp_2", {"1": 7}).invoice_id)  # 875.00

    taken = [(one.amount.minor_units, one.tax.minor_units) for bill in (first, second) for one in bill.deposits]
    assert taken == [(37_500, 7500), (12_500, 2500)]
    assert (first.status, second.open.minor_units) == ("paid", 75_000)
    assert balances(desk) == {"tax_payable": -25_000, "accounts_receivable": 75_000}
    assert desk.violations() == {}


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("reversed", "The payment was returned: check bounced"),
        ("refunded", "The deposit is refunded."),
        ("reapplied", "The payment was put to another use."),
        ("freed", "Units of the order were canceled."),
    ],
)
def test_a_deposit_that_is_given_back_is_credited(desk: Desk, cause: str, reason: str) -> None:
    c = with_deposit(desk, tax_rate="0.1")
    payment = desk.pay(33_000, "WIRE-C", orders={c.order_id: 33_000})
    make(desk)

    match cause:
        case "reversed":
            desk.reverse(payment.payment_id)
        case "refunded":
            desk.refund(payment.payment_id, 33_000, c.order_id)
        case "reapplied":
            desk.reapply(payment.payment_id, on_account=True)
        case _:
            asked = pb.FreeOrderMoneyRequest(request_id="free", order_id=c.order_id, amount=usd(0))
            desk.billing.FreeOrderMoney(asked, CONTEXT)

    assert figures(desk) == [("DI-1001", 33_000, 3000, 0), ("DC-1001", 33_000, 3000, 0)]
    note = listed(desk)[1]
    assert (note.is_credit_note, note.corrects, note.reason) == (True, "DI-1001", reason)
    assert [one["number"] for one in desk.facts("deposit_invoiced")] == ["DI-1001", "DC-1001"]
    assert "tax_payable" not in balances(desk)
    assert "tax_on_deposits" not in balances(desk)
    assert make(desk) == 0
    assert desk.violations() == {}


def test_a_part_that_is_refunded_is_credited_of_the_newest_deposit_invoice(desk: Desk) -> None:
    c = with_deposit(desk, tax_rate="0.1")
    desk.pay(11_000, "WIRE-1", orders={c.order_id: 11_000})
    make(desk)
    newest = desk.pay(22_000, "WIRE-2", orders={c.order_id: 22_000})
    make(desk)

    desk.refund(newest.payment_id, 5500, c.order_id)

    assert figures(desk) == [
        ("DI-1001", 11_000, 1000, 11_000), ("DI-1002", 22_000, 2000, 16_500), ("DC-1001", 5500, 500, 0)
    ]  # fmt: skip
    assert balances(desk) == {"customer_deposits": -27_500, "tax_on_deposits": 2500, "tax_payable": -2500}
    assert desk.violations() == {}


def test_a_deposit_that_is_put_to_its_own_order_again_stays_invoiced(desk: Desk) -> None:
    c = with_deposit(desk, tax_rate="0.1")
    payment = desk.pay(33_000, "WIRE-C", orders={c.order_id: 33_000})
    make(desk)

    desk.reapply(payment.payment_id, orders={c.order_id: 33_000})

    assert (make(desk), figures(desk)) == (0, [("DI-1001", 33_000, 3000, 33_000)])
    assert desk.violations() == {}


def test_a_deposit_that_bounces_after_its_invoice_is_owed_on_the_invoice(desk: Desk) -> None:
    """The goods have left, so all of the tax stays owed; the deposit invoice stays deducted."""
    c = with_deposit(desk, tax_rate="0.1")
    payment = desk.pay(33_000, "CHECK", orders={c.order_id: 33_000})
    make(desk)
    bill = desk.invoice(c, "shp_c", {"1": 10})

    desk.reverse(payment.payment_id)

    assert desk.invoice_now(bill.invoice_id).open.minor_units == 110_000
    assert figures(desk) == [("DI-1001", 33_000, 3000, 0)]
    assert balances(desk) == {"tax_payable": -10_000, "accounts_receivable": 110_000}
    assert desk.violations() == {}


def test_what_was_invoiced_before_its_deposit_could_be_has_no_deposit_invoice(desk: Desk) -> None:
    c = with_deposit(desk)
    desk.pay(30_000, "WIRE-C", orders={c.order_id: 30_000})

    bill = desk.invoice(c, "shp_c", {"1": 10})

    assert (make(desk), figures(desk), bill.open.minor_units) == (0, [], 70_000)
    assert desk.violations() == {}


def test_a_credit_note_of_the_invoice_takes_back_all_of_the_tax(desk: Desk) -> None:
    c = with_deposit(desk, tax_rate="0.1")
    desk.pay(33_000, "WIRE-C", orders={c.order_id: 33_000})
    make(desk)
    bill = desk.invoice(c, "shp_c", {"1": 10})

    desk.credit(bill.number, everything=True)

    assert balances(desk) == {"unapplied_cash": -33_000}
    assert desk.violations() == {}


def test_a_deposit_of_an_order_that_is_invoiced_at_order_is_deducted_from_that(desk: Desk) -> None:
    c = with_deposit(desk, tax_rate="0.1", invoicing="at_order")
    desk.pay(33_000, "WIRE-C", orders={c.order_id: 33_000})
    make(desk)

    desk.billing.InvoiceOrder(pb.InvoiceOrderRequest(order=c), CONTEXT)
    InvoiceRunner(desk.database, desk.orders.__getitem__, lambda: desk.now).issue_orders()

    assert figures(desk) == [("DI-1001", 33_000, 3000, 0)]
    assert balances(desk) == {"tax_payable": -10_000, "accounts_receivable": 77_000}
    assert desk.violations() == {}


def test_mixed_rates_are_split_in_the_shares_of_the_order(desk: Desk) -> None:
    """200.00 at 10 % and 20.00 free of tax, 240.00: half of it has 110.00 with 10.00 of tax, and 10.00 without any."""
    c = order_of({"1": (5, "40.00"), "2": (1, "20.00")}, payment_method="deposit")
    for key, line in zip(("S 0.1", "Z 0"), c.lines, strict=True):
        line.tax_key = key
    parts = (("S 0.1", "S", "0.1", 20_000, 2000), ("Z 0", "Z", "0", 2000, 0))
    for key, code, rate, goods, tax in parts:
        c.tax_parts.add(key=key, code=code, rate=rate, merchandise_minor=goods, tax_minor=tax)
    c.tax.CopyFrom(usd(2000))
    c.total.CopyFrom(usd(24_000))
    desk.orders[c.order_id] = c
    desk.limit(100_000)
    desk.commit(c.order_id, 24_000, method="deposit", deposit=12_000)

    desk.pay(12_000, "WIRE-1", orders={c.order_id: 12_000})
    make(desk)

    [posted] = listed(desk)
    assert [(one.code, one.merchandise_minor, one.tax_minor) for one in posted.tax_parts] == [
        ("S", 10_000, 1000),
        ("Z", 1000, 0),
    ]
    assert desk.violations() == {}


def test_a_deposit_invoice_is_found_by_number_and_identity_by_its_customer_alone(desk: Desk) -> None:
    c = with_deposit(desk)
    desk.pay(30_000, "WIRE-C", orders={c.order_id: 30_000})
    make(desk)
    [posted] = listed(desk, order_id=c.order_id, customer_id="cus_acme")

    for named in ("DI-1001", "di-1001", posted.deposit_invoice_id):
        found = desk.billing.GetDepositInvoice(
            pb.GetDepositInvoiceRequest(deposit_invoice=named, customer_id="cus_acme"), CONTEXT
        )
        assert found.deposit_invoice == posted

    assert listed(desk, customer_id="cus_rival") == []
    for number, customer_id in (("DI-1001", "cus_rival"), ("DI-1002", "")):
        asked = pb.GetDepositInvoiceRequest(deposit_invoice=number, customer_id=customer_id)
        with pytest.raises(NotFound) as refusal:
            desk.billing.GetDepositInvoice(asked, CONTEXT)
        assert refusal.value.reason == "DEPOSIT_INVOICE_NOT_FOUND"


def test_a_deposit_that_nobody_invoices_for_a_day_is_a_finding(desk: Desk) -> None:
    c = with_deposit(desk)
    desk.pay(30_000, "WIRE-C", orders={c.order_id: 30_000})
    assert desk.violations() == {}

    desk.now += timedelta(days=1, minutes=1)

    assert desk.violations() == {"billing.deposits_are_invoiced": [c.order_id]}


@pytest.mark.on_postgres
def test_runners_that_meet_invoice_a_deposit_once(desk: Desk) -> None:
    c = with_deposit(desk, tax_rate="0.1")
    desk.pay(33_000, "WIRE-C", orders={c.order_id: 33_000})

    made = at_once([partial(make, desk) for _ in range(4)])

    assert sorted(made) == [0, 0, 0, 1]
    assert figures(desk) == [("DI-1001", 33_000, 3000, 33_000)]
    assert desk.violations() == {}
