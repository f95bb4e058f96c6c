"""One consequence: what is previewed is what comes of it, whatever an order's progress is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.kernel.money import Money, extend
from services.kernel.tax import TaxKind
from services.orders.domain.cancellation import preview
from services.orders.domain.cancelled_units import (
    LineToCancel,
    as_asked,
    cancelled_between,
    still_unshipped,
    unshipped_lines,
    without,
)
from services.orders.domain.consequence import Consequence, consequence, settled
from services.orders.domain.facts import Invoice, Shipment, ShipmentLine
from services.orders.domain.fee_ladders import FeeLadder
from services.orders.domain.fees import FeeTerms, charged_order
from services.orders.domain.order import ACCEPTED, Line, Order, totals
from services.orders.domain.projection import LineProgress, Progress, quantities
from services.orders.domain.tax_parts import DEFAULT_TAXATION
from services.orders.domain.unshipped import STAGES, Unshipped, unshipped
from tests.orders.desk import amount, usd
from tests.orders.test_domain_projection import order

KINDS = ("stock", "stock", "service", "build_to_order")
STATES = ("released", "picked", "packed", "shipped", "delivered", "cancelled")
small, cents = st.integers(0, 12), st.integers(0, 5_000)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """One to four lines, with discount, freight and two tax rates."""
    lines = tuple(
        _line(str(number), draw(st.integers(1, 20)), draw(cents), draw(st.sampled_from(KINDS)), draw(st.booleans()))
        for number in range(1, 1 + draw(st.integers(1, 4)))
    )
    merchandise = sum(line.extended.minor for line in lines)
    discount = Money(draw(st.integers(0, merchandise)), "USD")
    sums = totals(lines, discount, Money(draw(cents), "USD"), DEFAULT_TAXATION)
    return replace(order(), phase=ACCEPTED, lines=lines, totals=sums)


def _line(line_id: str, quantity: int, price: int, kind: str, is_taxed: bool) -> Line:
    unit = usd(f"{price / 100:.2f}")
    tax = TaxKind.at(Decimal("0.0725") if is_taxed else Decimal(0))
    return Line(line_id, f"SKU-{line_id}", "Thing", kind, quantity, unit, extend(unit, quantity), unit, "list", tax=tax)


@st.composite
def progresses(draw: st.DrawFn, of: Order) -> Progress:
    """How far each line has come by what five services said, in any order: an invoice is what its goods come to."""
    lines, invoices, merchandise = {}, {}, 0
    for line in of.lines:
        reached = sorted((draw(st.integers(0, line.quantity)) for _ in range(5)), reverse=True)
        invoiced = draw(st.sampled_from([0, reached[4]]))
        merchandise += extend(line.unit_price, invoiced).minor
        lines[line.line_id] = LineProgress(
            allocated=reached[0], released=reached[1], picked=reached[2], packed=reached[3], shipped=reached[4],
            backordered=draw(small), invoiced=invoiced,
        )  # fmt: skip
    if merchandise and of.totals.merchandise.minor:
        discount = of.totals.discount.minor * merchandise // of.totals.merchandise.minor
        bill = Invoice("inv_1", "INV-1", "shp_1", merchandise - discount, 0, "USD", "2026-11-23", "", "open", 1)
        invoices["inv_1"] = replace(bill, merchandise_minor=merchandise, discount_minor=discount)
    shipments = {f"shp_{number}": draw(_shipments(of, number)) for number in range(draw(st.integers(0, 3)))}
    return Progress(lines, shipments, invoices, held_minor=draw(cents))


@st.composite
def _shipments(draw: st.DrawFn, of: Order, number: int) -> Shipment:
    lines = tuple(ShipmentLine(line.line_id, line.sku, "Thing", draw(st.integers(1, 9))) for line in of.lines)
    state = draw(st.sampled_from(STATES))
    return Shipment(f"shp_{number}", f"SH-{1000 + number}", state, "W1", "", "", "", False, "", "", lines, 1)


@st.composite
def states(draw: st.DrawFn) -> tuple[Order, Progress, tuple[LineToCancel, ...]]:
    """An order, its progress, and what of it is to go: all, or units of some lines."""
    of = draw(orders())
    progress = draw(progresses(of))
    left = {line_id: there.units for line_id, there in unshipped_lines(of, progress).items() if there.units}
    named = draw(st.lists(st.sampled_from(sorted(left)), unique=True)) if left else []
    return of, progress, tuple(LineToCancel(name, draw(st.integers(1, left[name]))) for name in named)


percents = st.integers(0, 100)
fee_terms = st.builds(
    FeeTerms,
    st.builds(FeeLadder, percents, percents, percents, st.booleans()),
    st.frozensets(st.sampled_from("1234")),
    st.sampled_from(["", "", "goodwill"]),
)


@given(states(), st.one_of(st.none(), cents), st.booleans(), st.one_of(st.none(), fee_terms))
@settings(max_examples=500)
def test_what_is_previewed_is_what_comes_of_it_when_nothing_moves_in_between(
    state: tuple[Order, Progress, tuple[LineToCancel, ...]],
    committed: int | None,
    is_closing: bool,
    fees: FeeTerms | None,
) -> None:
    of, progress, asked = state
    shown = preview(of, progress, asked, committed, is_closing=is_closing, fees=fees)
    if shown.becomes is None:
        assert not (is_closing and shown.is_possible)
        return
    units = still_unshipped(of, progress, cancelled_between(of, shown.becomes))
    after = without(of, progress, units, is_closing=is_closing)

    done = settled(shown.consequence, of, after, progress, units)
    credit = None if committed is None else Money(committed, "USD")

    assert after == shown.becomes
    assert done == shown.consequence
    assert done == consequence(of, after, progress, units, credit, is_closing=is_closing, fees=fees)
    assert Consequence.of(done.document()) == done
    assert sum(line.closed for line in after.lines) == (sum(units.values()) if is_closing else 0)
    assert done.fee is None or not is_closing


@given(states(), fee_terms, st.data())
@settings(max_examples=500)
def test_what_the_warehouses_keep_costs_no_fee_and_frees_no_cash(
    state: tuple[Order, Progress, tuple[LineToCancel, ...]], fees: FeeTerms, data: st.DataObject
) -> None:
    of, progress, asked = state
    shown = preview(of, progress, asked, None, fees=fees)
    if shown.becomes is None:
        return
    units = {
        line_id: data.draw(st.integers(0, count)) for line_id, count in cancelled_between(of, shown.becomes).items()
    }
    assume(any(units.values()))
    after = without(of, progress, units)

    done = settled(shown.consequence, of, after, progress, units)
    alone = consequence(of, after, progress, units, None, fees=fees)

    assert (done.fee, done.total, done.freed_cash) == (alone.fee, alone.total, alone.freed_cash)
    assert Consequence.of(done.document()) == done


@given(states(), fee_terms)
@settings(max_examples=300)
def test_a_fee_is_no_more_than_what_is_cancelled_and_its_invoice_is_its_total(
    state: tuple[Order, Progress, tuple[LineToCancel, ...]], fees: FeeTerms
) -> None:
    of, progress, asked = state
    does = preview(of, progress, asked, None, fees=fees).consequence
    if does.fee is None:
        return
    invoiced = charged_order(of, does.fee)

    assert does.fee.net <= does.merchandise
    assert invoiced.totals.total == does.fee.total == does.fee.net + does.fee.tax
    assert does.fee.due in (does.fee.total, amount("0.00"))
    assert fees.ladder.is_taxed or not does.fee.tax.minor


@given(states())
@settings(max_examples=300)
def test_every_unit_is_counted_once_and_no_amount_turns(
    state: tuple[Order, Progress, tuple[LineToCancel, ...]],
) -> None:
    of, progress, asked = state
    shown = preview(of, progress, asked, None)
    if shown.becomes is None:
        return
    after, does = shown.becomes, shown.consequence
    reached = quantities(after, progress)

    for line in after.lines:
        gone = max(progress.lines[line.line_id].shipped, progress.lines[line.line_id].invoiced)
        assert reached[line.line_id].ordered == reached[line.line_id].wanted + reached[line.line_id].cancelled
        assert line.quantity >= gone
        assert line.ordered == next(one for one in of.lines if one.line_id == line.line_id).ordered
    sums = after.totals
    assert sums.total == sums.merchandise - sums.discount + sums.freight + sums.tax
    assert sums.discount <= sums.merchandise
    assert sums.merchandise + does.merchandise == of.totals.merchandise
    assert sums.total + does.total == of.totals.total == does.total_after + does.total
    assert min(does.merchandise.minor, does.discount.minor, does.freight.minor, does.freed_cash.minor) >= 0
    assert sum(does.cancelled.values()) == sum(line.taken.units for line in does.lines)


@given(states(), st.data())
@settings(max_examples=300)
def test_cancelling_in_two_steps_comes_to_the_same_units_and_to_the_same_discount_but_for_a_cent(
    state: tuple[Order, Progress, tuple[LineToCancel, ...]], data: st.DataObject
) -> None:
    of, progress, asked = state
    shown = preview(of, progress, asked, None)
    if shown.becomes is None:
        return
    units = cancelled_between(of, shown.becomes)
    first = {line_id: data.draw(st.integers(0, count)) for line_id, count in units.items()}
    rest = {line_id: count - first[line_id] for line_id, count in units.items()}

    twice = without(without(of, progress, first), progress, rest)

    assert [line.cancelled for line in twice.lines] == [line.cancelled for line in shown.becomes.lines]
    assert twice.totals.merchandise == shown.becomes.totals.merchandise
    assert abs(twice.totals.discount.minor - shown.becomes.totals.discount.minor) <= 1


@given(st.builds(Unshipped, small, small, small, small, small), st.integers(0, 60))
def test_the_cheapest_units_go_first(there: Unshipped, units: int) -> None:
    taken = there.cheapest(units)

    assert taken.units == min(units, there.units)
    dearest = [stage for stage in STAGES if getattr(taken, stage)][-1:]
    for stage in STAGES[: STAGES.index(dearest[0])] if dearest else ():
        assert getattr(taken, stage) == getattr(there, stage)


def test_units_count_in_the_last_stage_that_they_have_reached() -> None:
    of = order(40)
    so_far = LineProgress(allocated=30, backordered=10, released=25, picked=20, packed=15, shipped=10, invoiced=10)

    assert unshipped(of, of.lines[0], so_far) == Unshipped(backordered=10, allocated=5, released=5, picked=5, packed=5)


def test_what_was_asked_can_be_seen_as_it_was() -> None:
    of = order(10)
    of = replace(of, totals=totals(of.lines, amount("20.00"), amount("5.00"), DEFAULT_TAXATION))

    before = as_asked(without(of, Progress(), {"1": 4}))

    assert (before.lines, before.totals) == (of.lines, of.totals)
