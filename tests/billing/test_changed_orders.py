"""Invoices of an order that is changed between its shipments, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.domain.charging import BilledSoFar, Charges, OrderLine
from services.billing.domain.invoices import BillableOrder, bill
from services.kernel.money import Money, UnitPrice, extend, tax_on
from tests.billing.test_invoices import order_of, parts_at, total_of, usd


@dataclass
class Ledgers:
    """An order as it stands, and what was billed of it."""

    order: BillableOrder
    bills: list[Charges] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)

    @property
    def billed(self) -> Charges:
        return total_of(self.bills)

    def ship(self, shipped: dict[str, int]) -> Charges:
        billed = bill(self.order, shipped, BilledSoFar(self.units, self.billed))
        assert billed.charges.merchandise == Money.total((line.extended for line in billed.lines), "USD")
        self.bills.append(billed.charges)
        self.units = {key: self.units.get(key, 0) + shipped.get(key, 0) for key in {*self.units, *shipped}}
        return billed.charges

    def change(self, lines: dict[str, tuple[int, str]], *, discount: int = 0, freight: int = 0) -> None:
        """The order's next version: line id → (units, unit price); lines that are not named are gone."""
        order_lines = tuple(
            OrderLine(line_id, f"SKU-{line_id}", "", quantity, UnitPrice.parse(price, "USD"))
            for line_id, (quantity, price) in lines.items()
        )
        merchandise = Money.total((extend(line.unit_price, line.quantity) for line in order_lines), "USD")
        rate = self.order.parts[0].kind.rate
        tax = tax_on(merchandise - usd(discount), rate)
        charges = Charges(merchandise, usd(discount), usd(freight), tax)
        self.order = replace(self.order, lines=order_lines, charges=charges, parts=parts_at(charges, rate))

    @property
    def unshipped(self) -> dict[str, int]:
        left = {line.line_id: line.quantity - self.units.get(line.line_id, 0) for line in self.order.lines}
        return {line_id: units for line_id, units in left.items() if units}


def test_a_line_added_after_half_was_billed_takes_what_its_order_has_left() -> None:
    ledgers = Ledgers(order_of([(10, "10.00")], discount=1000, freight=500, rate="0.10"))
    first = ledgers.ship({"1": 5})
    assert (first.discount, first.freight, first.tax, first.total) == (usd(500), usd(250), usd(450), usd(5200))

    ledgers.change({"1": (10, "10.00"), "2": (30, "10.00")}, discount=1000, freight=500)
    second, third = ledgers.ship({"1": 5}), ledgers.ship({"2": 30})

    # a quarter of the new order is billed through the second invoice: its share of the discount was given already
    assert (second.discount, second.freight, second.tax) == (usd(0), usd(0), usd(500))
    assert (third.discount, third.freight, third.tax) == (usd(500), usd(250), usd(2950))
    assert ledgers.billed == ledgers.order.charges


def test_a_line_that_was_cut_below_what_is_billed_does_not_stop_the_others() -> None:
    ledgers = Ledgers(order_of([(5, "10.00"), (5, "10.00")]))
    ledgers.ship({"1": 5})

    ledgers.change({"1": (4, "10.00"), "2": (5, "10.00")})

    assert ledgers.ship({"2": 5}).merchandise == usd(5000)


def test_a_line_removed_after_half_was_billed_leaves_its_share_to_the_last_invoice() -> None:
    ledgers = Ledgers(order_of([(10, "10.00"), (10, "90.00")], discount=5000, freight=3000, rate="0.0825"))
    ledgers.ship({"1": 5})

    ledgers.change({"1": (10, "10.00")}, discount=5000, freight=3000)
    last = ledgers.ship({"1": 5})

    # 50.00 of 1,000.00 bore 2.50 of the discount, so 47.50 are left for goods of 50.00
    assert (last.discount, last.freight) == (usd(4750), usd(2850))
    assert ledgers.billed == ledgers.order.charges


def test_a_discount_that_one_shipment_cannot_bear_is_carried_on_by_the_next() -> None:
    ledgers = Ledgers(order_of([(100, "10.00")], discount=500))
    ledgers.ship({"1": 50})

    ledgers.change({"1": (52, "10.00")}, discount=2000)
    second, third = ledgers.ship({"1": 1}), ledgers.ship({"1": 1})

    # 2.50 were given; 51/52 of 20.00 are 19.61, of which goods of 10.00 bear 10.00, and the last 7.50
    assert (second.discount, third.discount) == (usd(1000), usd(750))
    assert ledgers.billed == ledgers.order.charges


def test_another_price_of_a_line_that_has_not_shipped_is_billed_in_full() -> None:
    ledgers = Ledgers(order_of([(3, "33.33"), (3, "10.00")], discount=1000, rate="0.0725"))
    ledgers.ship({"1": 2})

    ledgers.change({"1": (3, "33.33"), "2": (3, "7.777")}, discount=1000)
    ledgers.ship({"2": 2})
    ledgers.ship({"1": 1, "2": 1})

    assert ledgers.billed == ledgers.order.charges


def test_a_discount_beyond_the_goods_that_are_left_makes_no_invoice_negative() -> None:
    ledgers = Ledgers(order_of([(10, "10.00")], discount=5000, rate="0.10"))
    ledgers.ship({"1": 5})

    ledgers.change({"1": (6, "10.00")}, discount=5000)
    last = ledgers.ship({"1": 1})

    # half of the discount is left and the goods bear 10.00 of it; taking back the rest would need a credit note
    assert (last.discount, last.total) == (usd(1000), usd(0))


PRICES = st.decimals(min_value=0, max_value=500, places=3)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Ledgers, list[BillableOrder]]:
    """An order that is shipped and changed in any turn until all of it is billed, with every version it had."""
    lines = draw(st.lists(st.tuples(st.integers(1, 20), PRICES), min_size=1, max_size=4))
    merchandise = sum(extend(UnitPrice(price, "USD"), quantity).minor for quantity, price in lines)
    rate = Decimal(draw(st.decimals(min_value=0, max_value=1, places=4)))
    ledgers = Ledgers(
        order_of(
            [(quantity, str(price)) for quantity, price in lines],
            discount=draw(st.integers(0, merchandise)),
            freight=draw(st.integers(0, 10_000)),
            rate=str(rate),
        )
    )
    versions = [ledgers.order]
    for _ in range(draw(st.integers(0, 4))):
        _ship_some(draw, ledgers)
        _change_what_has_not_shipped(draw, ledgers, len(versions))
        versions.append(ledgers.order)
    while ledgers.unshipped:
        _ship_some(draw, ledgers)
    return ledgers, versions


def _ship_some(draw: st.DrawFn, ledgers: Ledgers) -> None:
    left = ledgers.unshipped
    shipped = {line_id: draw(st.integers(0, units)) for line_id, units in left.items()}
    shipped = {line_id: units for line_id, units in shipped.items() if units} or left
    if shipped:
        ledgers.ship(shipped)


def _change_what_has_not_shipped(draw: st.DrawFn, ledgers: Ledgers, version: int) -> None:
    """Shipped units keep their price; discount and freight are never below what was billed, nor is the net."""
    lines: dict[str, tuple[int, str]] = {}
    for line in ledgers.order.lines:
        shipped = ledgers.units.get(line.line_id, 0)
        quantity = shipped + draw(st.integers(0, 10))
        if quantity:
            price = line.unit_price.text if shipped else str(draw(PRICES))
            lines[line.line_id] = (quantity, price)
    if not lines or draw(st.booleans()):
        lines[f"new-{version}"] = (draw(st.integers(1, 20)), str(draw(PRICES)))
    billed = ledgers.billed
    merchandise = sum(extend(UnitPrice.parse(price, "USD"), units).minor for units, price in lines.values())
    has_more = any(units > ledgers.units.get(line_id, 0) for line_id, (units, _) in lines.items())
    most = merchandise - billed.net.minor if has_more else billed.discount.minor
    ledgers.change(
        lines,
        discount=draw(st.integers(billed.discount.minor, most)),
        freight=billed.freight.minor + (draw(st.integers(0, 5000)) if has_more else 0),
    )


@settings(max_examples=300)
@given(lives())
def test_whatever_is_changed_of_what_has_not_shipped_the_invoices_sum_to_the_last_version(
    life: tuple[Ledgers, list[BillableOrder]],
) -> None:
    ledgers, versions = life

    assert ledgers.billed == versions[-1].charges
    for each in ledgers.bills:
        assert min(each.merchandise, each.discount, each.freight, each.tax, each.net, each.total).minor >= 0
