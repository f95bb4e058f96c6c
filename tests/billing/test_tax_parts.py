"""Orders with several tax rates: whatever ships in whatever parts, each part's invoices sum to it, and all to the order."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.charging import BilledSoFar, Charges, OrderLine
from services.billing.domain.invoices import BillableOrder, bill
from services.kernel.money import Money, UnitPrice, extend
from services.kernel.tax import FREIGHT, UNTAXED_FREIGHT, TaxKind, TaxPart
from services.orders.domain.tax_parts import BilledPart, Taxation, TaxedLine, tax_parts

RATES = tuple(TaxKind.at(Decimal(rate)) for rate in ("0", "0.07", "0.0825", "0.19"))


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def order_of(
    lines: list[tuple[int, str, TaxKind]],
    discount: int = 0,
    freight: int = 0,
    taxation: Taxation = Taxation(),  # noqa: B008 - a frozen value
    billed: dict[str, BilledPart] | None = None,
) -> BillableOrder:
    """As orders reckons it and billing reads it: a line is units, a unit price, and how it is taxed."""
    prices = [UnitPrice.parse(price, "USD") for _, price, _ in lines]
    taxed = [
        TaxedLine(str(number), units, extend(price, units), kind)
        for number, ((units, _, kind), price) in enumerate(zip(lines, prices, strict=True), start=1)
    ]
    parts = tax_parts(taxed, usd(discount), usd(freight), taxation, billed or {})
    order_lines = tuple(
        OrderLine(one.line_id, f"SKU-{one.line_id}", "", one.quantity, price, taxation.tax_key(one.line_id, one.kind))
        for one, price in zip(taxed, prices, strict=True)
    )
    charges = Charges.sum(map(Charges.of, parts), "USD")
    return BillableOrder("ord_1", "SO-1", "cus_1", "terms", 30, parts, order_lines, charges)


def invoiced(order: BillableOrder, shipments: list[dict[str, int]]) -> list[tuple[Charges, tuple[TaxPart, ...]]]:
    """Each invoice, billed one after the other."""
    units: Counter[str] = Counter()
    by_part: dict[str, Charges] = {}
    total, made = Charges.none("USD"), []
    for shipped in shipments:
        billed = bill(order, shipped, BilledSoFar(units, total, by_part))
        assert Charges.sum(map(Charges.of, billed.parts), "USD") == billed.charges
        made.append((billed.charges, billed.parts))
        units.update(shipped)
        total = total + billed.charges
        for part in billed.parts:
            by_part[part.key] = by_part.get(part.key, Charges.none("USD")) + Charges.of(part)
    return made


def test_five_at_ten_percent_and_one_free_of_tax_come_to_220_and_20() -> None:
    order = order_of([(5, "40.00", TaxKind.at(Decimal("0.10"))), (1, "20.00", RATES[0])])

    (one, parts), (other, _) = invoiced(order, [{"1": 5}, {"2": 1}])

    assert order.charges.total == usd(24_000)
    assert (one.tax, one.total, other.tax, other.total) == (usd(2_000), usd(22_000), usd(0), usd(2_000))
    assert [part.key for part in parts] == ["S 0.1"]


def test_freight_that_is_taxed_as_the_goods_goes_with_them() -> None:
    order = order_of([(1, "75.00", RATES[3]), (1, "25.00", RATES[1])], freight=1_000, taxation=Taxation(None))

    assert [(part.key, part.freight, part.tax) for part in order.parts] == [
        ("S 0.19", usd(750), usd(1_568)),  # 19 % of 82.50
        ("S 0.07", usd(250), usd(193)),  # 7 % of 27.50
    ]


def test_freight_with_a_rate_of_its_own_is_a_part_of_its_own() -> None:
    order = order_of([(2, "50.00", RATES[3])], freight=1_000, taxation=Taxation(RATES[1]))

    first, second = invoiced(order, [{"1": 1}, {"1": 1}])

    assert [(part.key, part.tax) for part in order.parts] == [("S 0.19", usd(1_900)), (FREIGHT, usd(70))]
    assert (first[0].tax, second[0].tax) == (usd(985), usd(985))


def test_rounding_per_line_rounds_each_line() -> None:
    lines = [(1, "0.05", RATES[1])] * 3  # 0.0035 each: nothing; 0.0105 together: a cent

    assert order_of(lines).charges.tax == usd(1)
    assert order_of(lines, taxation=Taxation(UNTAXED_FREIGHT, is_per_line=True)).charges.tax == usd(0)


PRICES = st.decimals(min_value=0, max_value=500, places=3).map(str)


@st.composite
def orders(draw: st.DrawFn) -> tuple[BillableOrder, list[dict[str, int]]]:
    """An order of several rates, and shipments that come to it."""
    lines = draw(st.lists(st.tuples(st.integers(1, 9), PRICES, st.sampled_from(RATES)), min_size=1, max_size=5))
    worth = sum(extend(UnitPrice.parse(price, "USD"), units).minor for units, price, _ in lines)
    freight = draw(st.sampled_from((UNTAXED_FREIGHT, None, *RATES)))
    taxation = Taxation(freight, is_per_line=draw(st.booleans()))
    order = order_of(lines, draw(st.integers(0, worth)), draw(st.integers(0, 5_000)), taxation)
    left, shipments = Counter({line.line_id: line.quantity for line in order.lines}), []
    while left:
        shipped = {line: draw(st.integers(0, units)) for line, units in sorted(left.items())}
        shipped = {line: units for line, units in shipped.items() if units} or dict(left)
        shipments.append(shipped)
        left -= Counter(shipped)
    return order, shipments


@given(orders())
def test_the_invoices_of_an_order_sum_to_it_part_by_part(made: tuple[BillableOrder, list[dict[str, int]]]) -> None:
    order, shipments = made

    bills = invoiced(order, shipments)

    nothing = Charges.none("USD")
    assert Charges.sum((charges for charges, _ in bills), "USD") == order.charges
    for part in order.parts:
        own = (Charges.of(one) for _, parts in bills for one in parts if one.key == part.key)
        assert Charges.sum(own, "USD") == Charges.of(part)
    for charges, parts in bills:
        assert min(charges.discount, charges.freight, charges.tax) >= nothing.tax
        assert all(not part.tax.minor for part in parts if not part.kind.rate)


@given(orders())
def test_an_order_by_parts_comes_to_what_it_is(made: tuple[BillableOrder, list[dict[str, int]]]) -> None:
    order, _ = made

    goods = Money.total((extend(line.unit_price, line.quantity) for line in order.lines), "USD")
    assert order.charges.merchandise == goods
    for part in order.parts:
        assert part.discount <= part.merchandise or part.key == FREIGHT


def test_a_change_of_one_part_leaves_what_was_billed_of_the_other() -> None:
    """A is billed whole with half of the discount; B is cut to half: the rest of the discount is B's alone."""
    before = order_of([(10, "10.00", RATES[3]), (10, "10.00", RATES[1])], discount=1_000)
    ((first, parts),) = invoiced(before, [{"1": 10}])
    had = {part.key: BilledPart(part.merchandise, part.discount, part.freight) for part in parts}

    after = order_of([(10, "10.00", RATES[3]), (5, "10.00", RATES[1])], discount=1_000, billed=had)
    so_far = BilledSoFar({"1": 10}, first, {part.key: Charges.of(part) for part in parts})
    last = bill(after, {"2": 5}, so_far).charges

    assert (first.discount, last.discount) == (usd(500), usd(500))
    assert first + last == after.charges


def test_what_was_billed_before_there_were_parts_is_of_the_line_that_was_billed() -> None:
    """The second line was invoiced at 8.25 % by an older release; the first goes elsewhere at 19 %."""
    order = order_of([(1, "100.00", RATES[3]), (1, "100.00", RATES[2])])
    before = Charges(usd(10_000), usd(0), usd(0), usd(825))

    last = bill(order, {"1": 1}, BilledSoFar({"2": 1}, before)).charges

    assert (last.tax, before + last) == (usd(1_900), order.charges)
