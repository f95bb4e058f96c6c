from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.bounds import MAX_LINES
from services.kernel.money import Money, UnitPrice, extend
from services.kernel.tax import TaxKind
from services.orders.domain.amendment import Amendment, Catalog, amend, below_minimum, invoiced_unheard, needs_recall
from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.facts import Invoice
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.order import ACCEPTED, Address, Line, Order, totals
from services.orders.domain.projection import LineProgress, Progress
from services.orders.domain.tax_parts import DEFAULT_TAXATION

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
DALLAS = Address("Acme Receiving", "1 Main St", "Dallas", "TX", "75001", "US")
AUSTIN = replace(DALLAS, city="Austin")


def usd(text: str) -> UnitPrice:
    return UnitPrice.parse(text, "USD")


def money(text: str) -> Money:
    return Money.parse(text, "USD")


RATE = TaxKind.at(Decimal("0.0725"))


def line(line_id: str, sku: str, quantity: int, price: str) -> Line:
    unit = usd(price)
    return Line(
        line_id, sku, f"{sku} thing", "stock", quantity, unit, extend(unit, quantity), unit, "agreement", tax=RATE
    )


def order(*lines: Line, discount: str = "0.00", freight: str = "12.00", **changes: Any) -> Order:
    sums = totals(lines, money(discount), money(freight), DEFAULT_TAXATION)
    made = Order(
        order_id="ord_1",
        number="SO-1001",
        version=1,
        phase=ACCEPTED,
        customer_id="cus_acme",
        customer_name="Acme",
        channel="web",
        channel_ref="",
        po_number="",
        currency="USD",
        payment_method="terms",
        net_days=30,
        tax_rate=Decimal("0.0725"),
        ship_to=DALLAS,
        requested_on=date(2026, 12, 1),
        is_ship_complete=False,
        placed_at=NOW,
        placed_by="ann",
        placed_by_role="customer",
        on_behalf_of="",
        note="",
        lines=lines,
        totals=sums,
    )
    return replace(made, **changes)


CATALOG = Catalog(
    products={
        "F": Product("F", "F thing", list_price=usd("1000.00")),
        "H": Product("H", "H thing", list_price=usd("400.00")),
        "NONE": Product("NONE", "no price"),
    },
    agreements={"H": (PriceAgreement("cus_acme", "H", usd("380.00"), date(2026, 1, 1)),)},
)
A4 = order(line("1", "F", 10, "1000.00"), line("2", "G", 40, "410.00"))


def changed(before: Order, *lines: LineChange, used: tuple[str, ...] = (), **members: Any) -> Amendment:
    return amend(before, ChangeRequest("because", lines, **members), CATALOG, used, TODAY)


def codes(amendment: Amendment) -> list[str]:
    return [one.code for one in amendment.obstacles]


def test_a_substitution_takes_the_place_of_the_line_under_an_id_that_was_never_used() -> None:
    amended = changed(A4, LineChange("2", "H", unit_price=usd("372.50")), used=("1", "2", "3"))

    assert [(one.line_id, one.sku, one.quantity) for one in amended.order.lines] == [("1", "F", 10), ("4", "H", 40)]
    # 10 x 1000.00 + 40 x 372.50 = 24,900.00
    assert amended.order.totals.merchandise == money("24900.00")
    assert (amended.order.version, amended.replaced) == (2, {"2": "4"})
    assert amended.order.lines[0] is A4.lines[0]


def test_a_new_line_is_priced_by_the_agreement_and_a_changed_quantity_keeps_its_price() -> None:
    amended = changed(A4, LineChange("", "H", 2), LineChange("1", quantity=11))

    first, _, new = amended.order.lines
    assert (first.unit_price, first.extended, first.price_source) == (usd("1000.00"), money("11000.00"), "agreement")
    assert (new.line_id, new.unit_price, new.price_source) == ("3", usd("380.00"), "agreement")


def test_everything_wrong_with_a_request_is_said_at_once_and_names_its_line() -> None:
    amended = changed(
        A4,
        LineChange("9", quantity=1),
        LineChange("1", quantity=2),
        LineChange("1", quantity=3),
        LineChange("", "NOPE", 1),
        LineChange("", "NONE", 1),
        LineChange("", "H"),
        LineChange("2", "H", 0),
        discount=money("99999.00"),
    )

    found = {(one.code, one.line_id) for one in amended.obstacles}
    assert found == {
        ("LINE_UNKNOWN", "9"),
        ("LINE_NAMED_TWICE", "1"),
        ("SKU_UNKNOWN", "3"),
        ("PRICE_MISSING", "4"),
        ("LINE_INCOMPLETE", ""),
        ("LINE_CONTRADICTORY", "2"),
        ("DISCOUNT_TOO_LARGE", ""),
    }


def test_a_line_that_goes_has_no_new_price() -> None:
    assert codes(changed(A4, LineChange("2", quantity=0, unit_price=usd("1.00")))) == ["LINE_CONTRADICTORY"]


def test_an_order_keeps_a_line() -> None:
    assert codes(changed(A4, LineChange("1", quantity=0), LineChange("2", quantity=0))) == ["NO_LINE_LEFT"]


def test_a_change_makes_no_order_longer_than_a_placed_one_may_be() -> None:
    added = [LineChange("", "F", 1)] * (MAX_LINES - 2)

    assert codes(changed(A4, *added)) == []
    assert codes(changed(A4, *added, LineChange("", "F", 1))) == ["TOO_MANY_LINES"]


def test_naming_the_price_that_a_line_has_is_no_change_of_it() -> None:
    first = changed(A4, LineChange("1", quantity=11, unit_price=usd("1000.00"))).order.lines[0]

    assert (first.unit_price, first.price_source) == (usd("1000.00"), "agreement")


PICKED = Progress(lines={"1": LineProgress(allocated=10, released=8, picked=3), "2": LineProgress(allocated=40)})


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (LineChange("1", quantity=2), "BELOW_PICKED"),
        (LineChange("1", quantity=0), "LINE_PICKED"),
        (LineChange("1", "H"), "LINE_PICKED"),
        (LineChange("1", unit_price=usd("999.00")), "PRICE_FIXED"),
    ],
)
def test_what_is_picked_is_the_warehouse_of_its_line(asked: LineChange, code: str) -> None:
    found = list(below_minimum(A4, changed(A4, asked).order, PICKED))

    assert [(one.code, one.line_id) for one in found] == [(code, "1")]


def test_units_that_are_not_picked_may_go_and_are_asked_back_from_the_warehouse() -> None:
    fewer = changed(A4, LineChange("1", quantity=3)).order

    assert list(below_minimum(A4, fewer, PICKED)) == []
    assert needs_recall(A4, fewer, PICKED)
    assert not needs_recall(A4, changed(A4, LineChange("1", quantity=8)).order, PICKED)


def test_after_the_release_the_address_stays_and_the_order_no_longer_waits_to_ship_complete() -> None:
    amended = changed(A4, ship_to=AUSTIN, is_ship_complete=True).order

    assert [one.code for one in below_minimum(A4, amended, PICKED)] == ["ADDRESS_FIXED", "SPLIT_FIXED"]
    assert list(below_minimum(A4, amended, Progress())) == []


@pytest.mark.parametrize(
    ("line_1", "found"),
    [
        (LineProgress(), []),
        (LineProgress(allocated=10), []),
        (LineProgress(released=4), ["ADDRESS_FIXED"]),
        (LineProgress(released=4, picked=4, packed=4), ["ADDRESS_FIXED"]),
        (LineProgress(released=4, picked=4, packed=4, shipped=4), []),
        (LineProgress(released=4, picked=4, packed=4, shipped=4, invoiced=4), []),
        (LineProgress(released=10, picked=4, packed=4, shipped=4), ["ADDRESS_FIXED"]),
        (LineProgress(released=10, picked=10, packed=10, shipped=10), ["ADDRESS_FIXED"]),
    ],
    ids=["new", "allocated", "released", "packed", "first parcel", "first invoice", "second released", "all shipped"],
)
def test_the_address_of_what_is_still_to_come_changes_unless_a_warehouse_has_it(
    line_1: LineProgress, found: list[str]
) -> None:
    elsewhere = amend(TEN, ChangeRequest("", (), ship_to=AUSTIN), CATALOG, (), TODAY).order

    said = [one.code for one in below_minimum(TEN, elsewhere, Progress(lines={"1": line_1}))]
    assert [code for code in said if code != "INVOICE_PENDING"] == found


def test_an_order_that_waited_to_ship_complete_may_still_change_after_its_release() -> None:
    complete = replace(A4, is_ship_complete=True)

    assert list(below_minimum(complete, changed(complete, LineChange("2", quantity=39)).order, PICKED)) == []


def shipped(units: int, *, invoiced: int) -> Progress:
    """Of line 1 so many units have left; each invoiced one carried 1.20 of the freight of 12.00."""
    invoice = Invoice("inv_1", "INV-1", "shp_1", 0, 0, "USD", "2026-11-23", "2026-12-23", "open", 1)
    priced = replace(invoice, merchandise_minor=invoiced * 100_000, discount_minor=0, freight_minor=invoiced * 120)
    line_1 = LineProgress(allocated=10, released=10, picked=units, packed=units, shipped=units, invoiced=invoiced)
    return Progress(lines={"1": line_1}, invoices={"inv_1": priced} if invoiced else {})


TEN = order(line("1", "F", 10, "1000.00"))


def after(progress: Progress, *lines: LineChange, **members: Any) -> tuple[list[str], Order]:
    amended = amend(TEN, ChangeRequest("", lines, **members), CATALOG, (), TODAY, progress)
    return [*codes(amended), *(one.code for one in below_minimum(TEN, amended.order, progress))], amended.order


def test_where_nothing_is_left_to_invoice_the_order_keeps_the_freight_that_was_billed() -> None:
    found, amended = after(shipped(4, invoiced=4), LineChange("1", quantity=4))

    assert (found, amended.totals.freight) == ([], money("4.80"))


def test_nothing_shrinks_to_what_is_being_invoiced_at_this_moment() -> None:
    assert after(shipped(4, invoiced=0), LineChange("1", quantity=4))[0] == ["INVOICE_PENDING"]
    assert after(shipped(4, invoiced=0), LineChange("1", quantity=5))[0] == []


@pytest.mark.parametrize("policy", ["per_delivery", "weekly", "monthly", "manual"])
def test_nobody_awaits_an_invoice_that_is_made_later_by_the_order_as_it_then_stands(policy: str) -> None:
    later = replace(TEN, invoicing=policy)
    fewer = amend(later, ChangeRequest("", (LineChange("1", quantity=4),)), CATALOG, (), TODAY, shipped(4, invoiced=0))

    assert list(below_minimum(later, fewer.order, shipped(4, invoiced=0))) == []
    assert fewer.order.totals.freight == TEN.totals.freight


def test_an_invoice_that_was_not_heard_of_yet_stops_a_change() -> None:
    heard = shipped(4, invoiced=4)

    assert list(invoiced_unheard(heard, {"1": 4})) == []
    assert [one.code for one in invoiced_unheard(heard, {"1": 5})] == ["INVOICED_MEANWHILE"]
    assert [one.code for one in invoiced_unheard(Progress(), {"1": 1})] == ["INVOICED_MEANWHILE"]


def test_an_invoice_of_one_line_is_awaited_when_the_other_has_its_own() -> None:
    both = Progress(
        lines={"1": LineProgress(shipped=10, invoiced=10), "2": LineProgress(shipped=40)},
        invoices=shipped(10, invoiced=10).invoices,
    )

    assert [one.code for one in below_minimum(A4, A4, both)] == ["INVOICE_PENDING"]


def test_what_is_invoiced_stays_even_where_its_shipment_was_not_heard_of_yet() -> None:
    invoiced = Progress(lines={"1": LineProgress(invoiced=4)}, invoices=shipped(4, invoiced=4).invoices)

    fewer = changed(A4, LineChange("1", quantity=3), ship_to=AUSTIN).order

    assert [one.code for one in below_minimum(A4, fewer, invoiced)] == ["BELOW_PICKED", "ADDRESS_FIXED"]


def test_what_was_invoiced_between_proposal_and_settlement_is_seen() -> None:
    agreed = after(shipped(3, invoiced=3), LineChange("1", quantity=4))[1]

    assert [one.code for one in below_minimum(TEN, agreed, shipped(4, invoiced=4))] == ["INVOICED_MEANWHILE"]
    assert list(below_minimum(TEN, agreed, shipped(3, invoiced=3))) == []


def test_amounts_do_not_go_below_what_was_billed_and_stay_when_all_is() -> None:
    assert after(shipped(4, invoiced=4), freight=money("4.79"))[0] == ["BELOW_INVOICED"]
    assert after(shipped(4, invoiced=4), freight=money("4.80"))[0] == []
    assert after(shipped(10, invoiced=10), freight=money("20.00"))[0] == ["AMOUNTS_FIXED"]


@st.composite
def walks(draw: st.DrawFn) -> tuple[Order, list[ChangeRequest]]:
    """An order at odd prices, and changes of it that leave its first lines' quantities, SKUs and prices as they wander."""
    cents = st.integers(1, 99_999).map(lambda minor: f"{minor / 1000:.3f}")
    lines = [line(str(n), f"S{n}", draw(st.integers(1, 50)), draw(cents)) for n in range(1, draw(st.integers(2, 4)))]
    deltas = st.builds(
        LineChange,
        st.sampled_from([one.line_id for one in lines]),
        st.just(""),
        st.integers(1, 60),
        st.one_of(st.none(), cents.map(usd)),
    )
    added = st.builds(LineChange, st.just(""), st.sampled_from(["F", "H"]), st.integers(1, 9), st.none())
    steps = draw(st.lists(st.one_of(deltas, added), max_size=8))
    return order(*lines, freight="7.77"), [ChangeRequest("", (step,)) for step in steps]


@given(walks())
def test_changes_that_restore_the_lines_restore_the_total_to_the_cent(walk: tuple[Order, list[ChangeRequest]]) -> None:
    start, steps = walk
    now, used = start, {one.line_id for one in start.lines}
    for step in steps:
        now = amend(now, step, CATALOG, used, TODAY).order
        used |= {one.line_id for one in now.lines}

    first = {one.line_id: one for one in start.lines}
    back = tuple(
        LineChange(one.line_id, "", first[one.line_id].quantity, first[one.line_id].unit_price)
        if one.line_id in first
        else LineChange(one.line_id, quantity=0)
        for one in now.lines
    )
    restored = amend(now, ChangeRequest("", back), CATALOG, used, TODAY)

    assert restored.obstacles == ()
    assert restored.order.totals == start.totals
    assert [(one.line_id, one.extended) for one in restored.order.lines] == [
        (one.line_id, one.extended) for one in start.lines
    ]


@given(walks())
def test_a_line_that_nothing_touches_stays_the_very_same(walk: tuple[Order, list[ChangeRequest]]) -> None:
    start, steps = walk
    for step in steps:
        amended = amend(start, step, CATALOG, (), TODAY).order
        touched = {one.line_id for one in step.lines}
        kept = {one.line_id: one for one in amended.lines}
        assert all(kept[one.line_id] is one for one in start.lines if one.line_id not in touched)
        sums = sum(one.extended.minor for one in amended.lines)
        assert amended.totals.merchandise.minor == sums


@st.composite
def half_done(draw: st.DrawFn) -> tuple[Order, Progress, ChangeRequest]:
    """An order of which some units are released, picked and shipped, and a change of everything that may be asked."""
    lines = [line(str(n), f"S{n}", draw(st.integers(1, 9)), "10.00") for n in range(1, 4)]
    far = {}
    for one in lines:
        shipped, picked, released = sorted(draw(st.tuples(*[st.integers(0, one.quantity)] * 3)))
        far[one.line_id] = LineProgress(
            allocated=released, released=released, picked=picked, packed=shipped, shipped=shipped
        )
    prices = st.sampled_from([None, usd("9.00"), usd("10.00")])
    quantities = st.one_of(st.none(), st.integers(0, 12))
    deltas = draw(
        st.lists(
            st.builds(LineChange, st.sampled_from(["1", "2", "3"]), st.sampled_from(["", "H"]), quantities, prices),
            min_size=1,
            max_size=3,
            unique_by=lambda delta: delta.line_id,
        )
    )
    address = draw(st.sampled_from([None, AUSTIN]))
    return order(*lines, freight="0.00"), Progress(lines=far), ChangeRequest("", tuple(deltas), ship_to=address)


@given(half_done())
def test_whatever_passes_the_minimum_takes_back_nothing_that_was_done(
    drawn: tuple[Order, Progress, ChangeRequest],
) -> None:
    before, progress, request = drawn
    amended = amend(before, request, CATALOG, (), TODAY, progress)
    if amended.obstacles or list(below_minimum(before, amended.order, progress)):
        return

    kept = {one.line_id: one for one in amended.order.lines}
    for one in before.lines:
        done = progress.lines[one.line_id]
        if done.picked:
            becomes = kept[one.line_id]
            assert (becomes.sku, becomes.unit_price) == (one.sku, one.unit_price)
            assert becomes.quantity >= max(done.picked, done.shipped)
        if done.released > done.shipped:
            assert amended.order.ship_to == before.ship_to
    fewer = any(progress.lines[key].released > (kept[key].quantity if key in kept else 0) for key in progress.lines)
    assert needs_recall(before, amended.order, progress) == fewer
