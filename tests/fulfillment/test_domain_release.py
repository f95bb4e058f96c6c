from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.address import Address
from services.fulfillment.domain.rates import Rate
from services.fulfillment.domain.release import Release, ReleaseLine, new_shipments, released_totals, unreleased
from services.fulfillment.domain.schedules import Timing
from services.fulfillment.domain.shipment import Shipment, State
from services.kernel.clock import business_day
from services.kernel.money import Money

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LABEL = Address("ACME", "1 Main St", "Dallas", "TX", "75001", "US")


def line(line_id: str, warehouse_id: str, quantity: int, sku: str = "A") -> ReleaseLine:
    return ReleaseLine(line_id, sku, "Pump", warehouse_id, quantity, 500)


def cut(lines: list[ReleaseLine], rates: list[Rate] | None = None, first: int = 1001) -> list[Shipment]:
    ids = iter(f"shp_{first + index}" for index in range(1000))
    release = Release("ord_1", "SO-1001", LABEL, tuple(lines))
    today = business_day(NOW, "UTC")
    return new_shipments(
        release, lines, rates or [], lambda _count: first, lambda: next(ids), NOW, today, Timing({}, {}, NOW)
    )


def test_one_shipment_a_warehouse_and_one_for_all_services() -> None:
    made = cut([line("L1", "W2", 25), line("L1", "W1", 60), line("L2", "W1", 1), line("L3", "", 1), line("L4", "", 2)])

    assert [(each.number, each.warehouse_id, len(each.lines)) for each in made] == [
        ("SH-1001", "", 2),
        ("SH-1002", "W1", 2),
        ("SH-1003", "W2", 1),
    ]


def test_several_allocations_of_one_line_are_one_line_of_the_shipment() -> None:
    left = unreleased([line("L1", "W1", 2), line("L1", "W1", 3)], [])

    assert left == [line("L1", "W1", 5)]


def test_what_has_shipped_counts_on_both_sides() -> None:
    shipped = [replace(each, state=State.SHIPPED) for each in cut([line("L1", "W1", 60)])]

    assert unreleased([line("L1", "W1", 60)], shipped) == []
    assert unreleased([line("L1", "W1", 75)], shipped) == [line("L1", "W1", 15)]


def test_a_cancelled_shipment_frees_its_units() -> None:
    cancelled = [replace(each, state=State.CANCELLED) for each in cut([line("L1", "W1", 60)])]

    assert unreleased([line("L1", "W1", 60)], cancelled) == [line("L1", "W1", 60)]


def test_less_allocated_than_released_releases_nothing() -> None:
    assert unreleased([line("L1", "W1", 40)], cut([line("L1", "W1", 60)])) == []


def test_the_promise_follows_the_cheapest_rate_and_a_service_needs_no_road() -> None:
    usd = Money(0, "USD")
    rates = [
        Rate("W1", "fast", "z1", Money(1500, "USD"), usd, usd, 1),
        Rate("W1", "slow", "z1", Money(900, "USD"), usd, usd, 3),
    ]

    visit, by_road, undeliverable = cut([line("L1", "W1", 1), line("L2", "W9", 1), line("L3", "", 1)], rates)

    assert visit.promised_on == date(2026, 3, 3)
    assert by_road.promised_on == date(2026, 3, 6)
    assert undeliverable.promised_on is None


growth = st.lists(
    st.tuples(st.sampled_from(["L1", "L2", "L3"]), st.sampled_from(["W1", "W2", ""]), st.integers(1, 9)), max_size=12
)


@given(growth, st.data())
def test_however_allocation_grows_each_unit_is_released_exactly_once(
    steps: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    allocated: Counter[tuple[str, str, str]] = Counter()
    shipments: list[Shipment] = []
    for line_id, warehouse_id, units in steps:
        allocated[line_id, "A", warehouse_id] += units
        for _ in range(data.draw(st.integers(0, 2), label="calls")):
            left = unreleased([line(key[0], key[2], total) for key, total in allocated.items()], shipments)
            shipments += cut(left, first=1001 + len(shipments))
            assert released_totals(shipments) == dict(allocated)
