"""The arithmetic of invoices, without a database."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.domain.charging import BilledSoFar, Charges, OrderLine
from services.billing.domain.invoices import BillableOrder, bill, schedule
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, UnitPrice, extend, tax_on
from services.kernel.tax import TaxPart, parts_of_one_rate


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def order_of(
    lines: list[tuple[int, str]],
    *,
    discount: int = 0,
    freight: int = 0,
    rate: str = "0",
    tax: int | None = None,
    method: str = "terms",
) -> BillableOrder:
    order_lines = tuple(
        OrderLine(str(number), f"SKU-{number}", "", quantity, UnitPrice.parse(price, "USD"))
        for number, (quantity, price) in enumerate(lines, start=1)
    )
    merchandise = Money.total((extend(line.unit_price, line.quantity) for line in order_lines), "USD")
    own_tax = tax_on(merchandise - usd(discount), Decimal(rate)) if tax is None else usd(tax)
    charges = Charges(merchandise, usd(discount), usd(freight), own_tax)
    parts = parts_at(charges, Decimal(rate))
    return BillableOrder("ord_1", "SO-1", "cus_1", method, 30, parts, order_lines, charges)


def parts_at(charges: Charges, rate: Decimal) -> tuple[TaxPart, ...]:
    """The parts of an order with one rate."""
    return parts_of_one_rate(charges.merchandise, charges.discount, charges.freight, charges.tax, rate)


NOTHING = BilledSoFar({}, Charges.none("USD"))


def bill_all(order: BillableOrder, shipments: list[dict[str, int]]) -> list[Charges]:
    """Bill shipments one after the other, as the service does."""
    so_far, bills = NOTHING, []
    for shipped in shipments:
        billed = bill(order, shipped, so_far)
        assert billed.charges.merchandise == Money.total((line.extended for line in billed.lines), "USD")
        bills.append(billed.charges)
        quantities = dict(so_far.quantities)
        for line in billed.lines:
            quantities[line.line_id] = quantities.get(line.line_id, 0) + line.quantity
        so_far = BilledSoFar(quantities, total_of(bills))
    return bills


def total_of(bills: list[Charges]) -> Charges:
    return Charges(
        *(
            Money.total((getattr(each, part) for each in bills), "USD")
            for part in ("merchandise", "discount", "freight", "tax")
        )
    )


def test_three_units_in_three_shipments_sum_to_the_order_where_naive_rounding_is_a_cent_off() -> None:
    order = order_of([(3, "33.33")], discount=1000, rate="0.0725")

    bills = bill_all(order, [{"1": 1}, {"1": 1}, {"1": 1}])

    assert [each.total.text for each in bills] == ["32.18", "32.17", "32.16"]
    assert [each.tax.text for each in bills] == ["2.18", "2.17", "2.17"]
    assert total_of(bills).total == order.charges.total == usd(9651)
    naive = [usd(3333) - usd(333) + tax_on(usd(3000), Decimal("0.0725")) for _ in range(2)]
    naive.append(usd(3333) - usd(334) + tax_on(usd(2999), Decimal("0.0725")))
    assert Money.total(naive, "USD") == usd(9652)


def test_freight_is_shared_by_value() -> None:
    order = order_of([(100, "20.00")], freight=5000, rate="0.0825")

    bills = bill_all(order, [{"1": 60}, {"1": 25}, {"1": 15}])

    assert [each.total.text for each in bills] == ["1329.00", "553.75", "332.25"]
    assert [each.tax.text for each in bills] == ["99.00", "41.25", "24.75"]


def test_a_partly_cancelled_order_keeps_the_shares_of_the_order_as_placed() -> None:
    placed = order_of([(10, "10.00")], discount=1000, freight=500)
    remaining = OrderLine("1", "SKU-1", "", 5, UnitPrice.parse("10.00", "USD"))
    after = BillableOrder("ord_1", "SO-1", "cus_1", "terms", 30, placed.parts, (remaining,), placed.charges)

    (only,) = bill_all(after, [{"1": 5}])

    # half of everything: 50.00 - 5.00 + 2.50
    assert (only.discount, only.freight, only.total) == (usd(500), usd(250), usd(4750))


def test_free_goods_share_freight_by_units() -> None:
    order = order_of([(4, "0")], freight=1001)

    bills = bill_all(order, [{"1": 1}, {"1": 3}])

    assert [each.freight.minor for each in bills] == [250, 751]


def test_tax_that_a_marketplace_rounded_otherwise_is_billed_as_it_is() -> None:
    order = order_of([(2, "10.00")], rate="0.0725", tax=146)

    bills = bill_all(order, [{"1": 1}, {"1": 1}])

    assert [each.tax.minor for each in bills] == [73, 73]


def test_billing_more_than_was_ordered_is_refused() -> None:
    order = order_of([(3, "1.00")])
    so_far = BilledSoFar({"1": 2}, Charges(usd(200), usd(0), usd(0), usd(0)))

    with pytest.raises(Refused) as refusal:
        bill(order, {"1": 2}, so_far)

    assert refusal.value.reason == "INVOICED_MORE_THAN_ORDERED"


def test_a_line_that_the_order_has_not_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no line 8, 9"):
        bill(order_of([(3, "1.00")]), {"9": 1, "1": 1, "8": 1}, NOTHING)


@pytest.mark.parametrize(
    ("method", "due"), [("terms", date(2026, 3, 31)), ("prepaid", date(2026, 3, 1)), ("card", date(2026, 3, 1))]
)
def test_only_terms_wait_for_their_money(method: str, due: date) -> None:
    dues = schedule(order_of([(1, "1.00")], method=method), usd(100), date(2026, 3, 1), lambda day: day)

    assert [one.due_on for one in dues.installments] == [due]


@st.composite
def orders_and_shipments(draw: st.DrawFn) -> tuple[BillableOrder, list[dict[str, int]]]:
    """Any order, and any way to ship all of it."""
    prices = st.decimals(min_value=0, max_value=5000, places=draw(st.sampled_from([0, 2, 4, 6])))
    lines = draw(st.lists(st.tuples(st.integers(1, 40), prices), min_size=1, max_size=5))
    merchandise = sum(extend(UnitPrice(price, "USD"), quantity).minor for quantity, price in lines)
    order = order_of(
        [(quantity, str(price)) for quantity, price in lines],
        discount=draw(st.integers(0, merchandise)),
        freight=draw(st.integers(0, 100_000)),
        rate=str(draw(st.decimals(min_value=0, max_value=1, places=4))),
        tax=draw(st.none() | st.integers(0, 10_000)),
    )
    left = {line.line_id: line.quantity for line in order.lines}
    shipments = []
    while left:
        shipped = {line_id: draw(st.integers(0, units)) for line_id, units in left.items()}
        shipped = {line_id: units for line_id, units in shipped.items() if units} or dict(left)
        left = {key: units - shipped.get(key, 0) for key, units in left.items() if units > shipped.get(key, 0)}
        shipments.append(shipped)
    return order, shipments


@settings(max_examples=300)
@given(orders_and_shipments())
def test_any_partition_of_any_order_sums_to_it_exactly_and_no_part_is_negative(
    case: tuple[BillableOrder, list[dict[str, int]]],
) -> None:
    order, shipments = case

    bills = bill_all(order, shipments)

    assert total_of(bills) == order.charges
    for each in bills:
        assert min(each.merchandise, each.discount, each.freight, each.tax, each.net, each.total).minor >= 0
