"""Shares of freight and discount over the invoices of an order: one rule, its figures worked by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.domain.charging import BilledSoFar, Charges, OrderLine
from services.billing.domain.invoices import BillableOrder, bill
from services.kernel.money import Money, UnitPrice, extend
from tests.billing.test_changed_orders import Ledgers
from tests.billing.test_invoices import bill_all, order_of, parts_at, usd


class Case(NamedTuple):
    """A charge in minor units, what each shipment is worth in major units, and what each then bears of the charge."""

    says: str
    charge: int
    worth: tuple[str, ...]
    shares: list[int]
    currency: str = "USD"


CASES = [
    # 19.99 × 1,000 ÷ 2,000 = 9.995 → 10.00; × 600 = 5.997 → 6.00, 16.00 = ceiling of 15.992; rest 3.99
    Case("half up, no cut", 1999, ("1000", "600", "400"), [1000, 600, 399]),
    # the other way round: 3.998 → 4.00, 5.997 → 6.00 (10.00 = ceiling of 9.995), rest 9.99
    Case("small ones first", 1999, ("400", "600", "1000"), [400, 600, 999]),
    # 3.333 each: 3.33, 6.66 = floor of 6.667, rest
    Case("thirds", 1000, ("50", "50", "50"), [333, 333, 334]),
    # 166.67 → 167, 334 = ceiling of 333.33, rest
    Case("thirds of yen", 500, ("1000", "1000", "1000"), [167, 167, 166], "JPY"),
    # three decimals: 0.333 each
    Case("thirds of dinars", 1000, ("5", "5", "5"), [333, 333, 334], "KWD"),
    # 0.5 each: 1, then ceiling of 1.0 keeps the second at 0, 1, rest 0
    Case("half cents", 2, ("1", "1", "1", "1"), [1, 0, 1, 0]),
    # 1/6 each: 0 until the floor of the running share is the whole
    Case("one cent over six", 1, ("1",) * 6, [0, 0, 0, 0, 0, 1]),
    # 4/6 each: 1, 1 (ceiling of 1.33 is 2), 0 (running exactly 2), 1, 1, 0
    Case("four cents over six", 4, ("1",) * 6, [1, 1, 0, 1, 1, 0]),
    Case("nothing to share", 0, ("1", "2"), [0, 0]),
    Case("free goods beside priced ones bear nothing", 1000, ("0", "75", "0", "25"), [0, 750, 0, 250]),
    Case("one shipment", 1999, ("2000",), [1999]),
]


def order_worth(case: Case, *, discount: int = 0, freight: int = 0) -> BillableOrder:
    lines = tuple(
        OrderLine(str(number), f"SKU-{number}", "", 1, UnitPrice.parse(worth, case.currency))
        for number, worth in enumerate(case.worth)
    )
    merchandise = Money.total((extend(line.unit_price, 1) for line in lines), case.currency)
    zero = Money.zero(case.currency)
    charges = Charges(merchandise, Money(discount, case.currency), Money(freight, case.currency), zero)
    return replace(order_of([(1, "1")]), lines=lines, charges=charges, parts=parts_at(charges, Decimal(0)))


def one_by_one(order: BillableOrder) -> list[Charges]:
    """The invoices of an order whose lines ship one after the other."""
    so_far, bills = BilledSoFar({}, Charges.none(order.currency)), []
    for line in order.lines:
        bills.append(bill(order, {line.line_id: 1}, so_far).charges)
        parts = zip(*((one.merchandise, one.discount, one.freight, one.tax) for one in bills), strict=True)
        sums = Charges(*(Money.total(part, order.currency) for part in parts))
        so_far = BilledSoFar({**so_far.quantities, line.line_id: 1}, sums)
    return bills


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_freight_is_shared_half_up_within_the_running_share(case: Case) -> None:
    bills = one_by_one(order_worth(case, freight=case.charge))

    assert [each.freight.minor for each in bills] == case.shares


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_a_discount_is_shared_as_freight_is(case: Case) -> None:
    bills = one_by_one(order_worth(case, discount=case.charge))

    assert [each.discount.minor for each in bills] == case.shares


def test_ten_dollars_over_seven_hundred_parts_are_never_more_than_two_cents_each() -> None:
    bills = bill_all(order_of([(700, "3.00")], freight=1000), [{"1": 1}] * 700)

    shares = [each.freight.minor for each in bills]
    assert sum(shares) == 1000
    assert set(shares) == {1, 2}


def test_tax_stays_on_the_running_net() -> None:
    # A9: nets 30.00, 30.00, 29.99; 7.25 % of 30.00, 60.00 and the whole are 2.175 → 2.18, 4.35, 6.524 → 6.52
    bills = bill_all(order_of([(3, "33.33")], discount=1000, rate="0.0725"), [{"1": 1}] * 3)

    assert [(each.discount.minor, each.tax.minor) for each in bills] == [(333, 218), (333, 217), (334, 217)]


def test_after_a_change_the_value_is_the_current_orders_what_is_billed_included() -> None:
    ledgers = Ledgers(order_of([(2, "500.00")], freight=1999))
    first = ledgers.ship({"1": 1})
    ledgers.change({"1": (2, "500.00"), "2": (1, "1000.00")}, freight=1999)
    second, third = ledgers.ship({"1": 1}), ledgers.ship({"2": 1})

    # 9.995 → 10.00; of 2,000.00 now 1,000.00 are billed, whose exact share is 9.995: nothing more; then the rest
    assert [each.freight.minor for each in (first, second, third)] == [1000, 0, 999]


def test_freight_raised_in_between_is_caught_up_to_the_running_share() -> None:
    ledgers = Ledgers(order_of([(4, "100.00")], freight=1000))
    first = ledgers.ship({"1": 1})
    ledgers.change({"1": (4, "100.00")}, freight=2000)
    rest = [ledgers.ship({"1": 1}) for _ in range(3)]

    # 2.50 were given; two of four bear 10.00 of the new 20.00, so 7.50 now, then 5.00 each
    assert [each.freight.minor for each in (first, *rest)] == [250, 750, 500, 500]


@settings(max_examples=200)
@given(st.integers(0, 100_000), st.lists(st.integers(1, 100_000), min_size=1, max_size=30))
def test_the_invoices_sum_to_the_charge_and_none_is_off_by_a_minor_unit_from_the_running_share(
    charge: int, worth: list[int]
) -> None:
    order = order_of([(1, str(usd(minor).amount)) for minor in worth], freight=charge)

    bills = bill_all(order, [{line.line_id: 1} for line in order.lines])

    running, reached, whole = 0, 0, sum(worth)
    for each, minor in zip(bills, worth, strict=True):
        running, reached = running + each.freight.minor, reached + minor
        assert each.freight.minor >= 0
        assert floor(Fraction(charge * reached, whole)) <= running <= ceil(Fraction(charge * reached, whole))
    assert running == charge
