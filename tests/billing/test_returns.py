"""Returns credited and refunded: the fee is kept, an unpaid invoice falls without cash, cash that was paid goes back once."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.billing.domain.credit_notes import (
    Credited,
    CreditedTax,
    CreditFigures,
    RestockingFee,
    restocking_fee,
)
from services.billing.domain.invoices import InvoiceLine
from services.kernel.errors import Refused
from services.kernel.money import Money, UnitPrice
from services.kernel.tax import UNTAXED
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.test_reversals import reverse

_KEYS = count(1)


def _line(
    quantity: int, fee: str = "", shipment: str = "", of_unit: int = 0, *, is_ours: bool = False
) -> pb.ReturnedLine:
    line = pb.ReturnedLine(line_id="1", quantity=quantity, fee_percent=fee, shipment_id=shipment, is_ours=is_ours)
    if of_unit:
        line.fee_of_unit.CopyFrom(types_pb2.Money(minor_units=of_unit, currency="USD"))
    return line


def _credit(desk: Desk, *lines: pb.ReturnedLine, key: str = "") -> list[pb.CreditNote]:
    request = pb.CreditReturnRequest(
        request_id=key or f"insp/{next(_KEYS)}", order_id="ord_1", return_id="rma_1", number="RMA-1001", lines=lines,
        reason="return RMA-1001",
    )  # fmt: skip
    return list(desk.billing.CreditReturn(request, CONTEXT).credit_notes)


def _refund(desk: Desk, key: str) -> list[int]:
    request = pb.RefundReturnRequest(request_id=key, return_id="rma_1")
    return [one.amount.minor_units for one in desk.billing.RefundReturn(request, CONTEXT).refunded]


def _billed(desk: Desk) -> pb.Invoice:
    """A8: 10 at 80.00, tax 10 %."""
    desk.limit(100_000)
    return desk.invoice(order_of({"1": (10, "80.00")}, tax_rate="0.10"), "shp_1", {"1": 10})


@pytest.mark.on_postgres
def test_a_return_of_an_unpaid_invoice_lowers_what_is_owed_by_the_credit_less_the_fee(desk: Desk) -> None:
    invoice = _billed(desk)

    [note] = _credit(desk, _line(2, "15"), _line(1))

    # 240.00 + 24.00 tax; the fee is 15 % of 160.00, untaxed
    assert (note.total.minor_units, note.tax.minor_units, note.fee.minor_units) == (26_400, 2_400, 2_400)
    assert (note.reason_code, note.return_id, list(note.left_over)) == ("returned", "rma_1", [])
    after = desk.invoice_now(invoice.invoice_id)
    assert (after.open.minor_units, after.credited.minor_units, after.status) == (64_000, 24_000, "open")
    assert desk.account() == (0, 64_000)
    balances = desk.balances()
    assert (balances["sales_returns"], balances["fee_income"], balances["tax_payable"]) == (24_000, -2_400, -5_600)
    assert balances["accounts_receivable"] == 64_000
    assert _refund(desk, "click/1") == []
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_return_of_a_paid_invoice_leaves_cash_that_goes_back_once(desk: Desk) -> None:
    invoice = _billed(desk)
    desk.pay(88_000, "BANK-1")

    [note] = _credit(desk, _line(2, "15"), _line(1))
    first, same, second = _refund(desk, "click/1"), _refund(desk, "click/1"), _refund(desk, "click/2")

    assert [one.amount.minor_units for one in note.left_over] == [24_000]
    assert (first, same, second) == ([24_000], [24_000], [])
    after = desk.invoice_now(invoice.invoice_id)
    assert (after.open.minor_units, after.paid.minor_units, after.status) == (0, 64_000, "paid")
    balances = desk.balances()
    assert (balances["cash"], balances["revenue"], balances["sales_returns"]) == (64_000, -80_000, 24_000)
    assert (balances["fee_income"], balances["tax_payable"]) == (-2_400, -5_600)
    assert {"accounts_receivable", "unapplied_cash"} & {name for name, minor in balances.items() if minor} == set()
    assert desk.violations() == {}


def test_a_part_paid_invoice_keeps_the_fee_of_cash_first(desk: Desk) -> None:
    """70.00 of 880.00 are open: 70.00 of 264.00 fall, 194.00 were paid, and of those 24.00 are kept."""
    invoice = _billed(desk)
    desk.pay(81_000, "BANK-1")

    [note] = _credit(desk, _line(2, "15"), _line(1))

    after = desk.invoice_now(invoice.invoice_id)
    assert [one.amount.minor_units for one in note.left_over] == [17_000]
    assert (after.open.minor_units, after.paid.minor_units, after.credited.minor_units) == (0, 64_000, 24_000)
    assert desk.violations() == {}


def test_a9_the_second_of_three_units_is_credited_at_what_its_own_invoice_billed(desk: Desk) -> None:
    desk.limit(100_000)
    order = order_of({"1": (3, "33.33")}, discount=1_000, tax_rate="0.0725")
    bills = [desk.invoice(order, f"shp_{n}", {"1": 1}).total.minor_units for n in (1, 2, 3)]

    [note] = _credit(desk, _line(1, shipment="shp_2"))

    assert bills == [3_218, 3_217, 3_216]
    assert (note.invoice_number, note.total.minor_units) == ("INV-000002", 3_217)
    assert desk.violations() == {}


def test_units_on_several_invoices_are_credited_oldest_first_and_never_beyond_them(desk: Desk) -> None:
    desk.limit(100_000)
    order = order_of({"1": (3, "10.00")})
    for n in (1, 2, 3):
        desk.invoice(order, f"shp_{n}", {"1": 1})

    notes = _credit(desk, _line(2, of_unit=100))
    with pytest.raises(Refused) as refused:
        _credit(desk, _line(2))
    [rest] = _credit(desk, _line(1))

    assert [(one.invoice_number, one.total.minor_units, one.fee.minor_units) for one in notes] == [
        ("INV-000001", 1_000, 100),
        ("INV-000002", 1_000, 100),
    ]
    assert refused.value.reason == "RETURN_NOT_INVOICED"
    assert rest.invoice_number == "INV-000003"
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_units_that_somebody_credited_before_they_came_are_not_credited_again(desk: Desk) -> None:
    invoice = _billed(desk)
    desk.credit(invoice.invoice_id, {"1": 4})

    [note] = _credit(desk, _line(8))
    rest = _credit(desk, _line(2))

    assert (note.total.minor_units, rest) == (52_800, [])  # the 6 that were left
    with pytest.raises(Refused, match="5 units of line 1"):
        _credit(desk, _line(5))
    assert desk.invoice_now(invoice.invoice_id).open.minor_units == 0
    assert desk.violations() == {}


def test_a_return_of_which_the_price_was_allowed_before_is_credited_what_is_left(desk: Desk) -> None:
    invoice = _billed(desk)
    desk.credit(invoice.invoice_id, allowance=50_000)

    notes = _credit(desk, _line(10))

    assert [one.total.minor_units for one in notes] == [desk.invoice_now(invoice.invoice_id).total.minor_units - 55_000]
    assert desk.violations() == {}


@pytest.mark.parametrize("discount", [0, 10_000])
def test_goods_that_cost_nothing_come_back_without_a_credit_note(desk: Desk, discount: int) -> None:
    desk.limit(100_000)
    desk.invoice(order_of({"1": (10, "10.00" if discount else "0.00")}, discount=discount), "shp_1", {"1": 10})

    assert _credit(desk, _line(2)) == []
    assert desk.violations() == {}


def test_the_same_inspection_is_credited_once(desk: Desk) -> None:
    _billed(desk)

    first, again = (_credit(desk, _line(4), key="insp_1") for _ in range(2))

    assert first == again
    assert len(desk.facts("invoice_credited")) == 1


def _figures(merchandise: int, discount: int, units: int) -> CreditFigures:
    """A note of one line."""
    usd = Money(merchandise, "USD")
    zero = Money.zero("USD")
    parts = Credited(usd, Money(discount, "USD"), zero, zero, zero)
    line = InvoiceLine("1", "PUMP", "a pump", units, UnitPrice(Decimal(1), "USD"), usd, "")
    return CreditFigures((line,), parts, (CreditedTax("", UNTAXED, parts),))


@pytest.mark.parametrize(
    ("fee", "minor"),
    [
        (RestockingFee("1", 2, Decimal(15)), 1_800),  # 15 % of two thirds of 180.00
        (RestockingFee("1", 1, Decimal("0.0001")), 0),
        (RestockingFee("1", 3, Decimal(100)), 18_000),
        (RestockingFee("1", 3, of_unit=Money(700, "USD")), 2_100),
        (RestockingFee("1", 3, of_unit=Money(70_000, "USD")), 18_000),  # never more than what is credited
    ],
)
def test_a_fee_is_of_what_the_units_are_credited_at_net_of_discount(fee: RestockingFee, minor: int) -> None:
    assert restocking_fee(_figures(20_000, 2_000, 3), [fee]) == Money(minor, "USD")


def test_a_shipment_is_reversed_whose_invoice_bore_a_return_less_a_fee(desk: Desk) -> None:
    """What came back of the first shipment was credited by hand, so the second one's invoice bears it; that one never left."""
    desk.limit(100_000)
    order = order_of({"1": (10, "80.00")}, tax_rate="0.10")
    desk.commit("ord_1", 88_000)
    first, second = (desk.invoice(order, f"shp_{n}", {"1": 5}) for n in (1, 2))
    desk.credit(first.invoice_id, everything=True)
    _credit(desk, _line(5, "15", "shp_1"))

    done = reverse(desk, "shp_2")
    again = desk.invoice(order, "shp_3", {"1": 5})

    # all of it was credited, but for the fee of 60.00
    assert (done.outcome, done.credit_note_number, done.amount.minor_units) == ("credited", "", 0)
    assert desk.invoice_now(second.invoice_id).open.minor_units == 6_000
    assert again.total.minor_units == 44_000
    assert desk.account() == (0, 50_000)
    assert desk.violations() == {}
