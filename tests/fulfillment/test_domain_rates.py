from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.address import Address
from services.fulfillment.domain.rates import (
    Load,
    Rate,
    ZoneRule,
    cheapest,
    cheapest_by_warehouse,
    chosen,
    quote,
    zone_of,
)
from services.fulfillment.domain.workdays import add_working_days, promised_on
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money


def rate(
    warehouse: str = "W1", carrier: str = "slow", base: int = 900, per_kg: int = 0, per_unit: int = 0, days: int = 3
) -> Rate:
    return Rate(warehouse, carrier, "z1", Money(base, "USD"), Money(per_kg, "USD"), Money(per_unit, "USD"), days)


def address(country: str, region: str) -> Address:
    return Address("ACME", "1 Main St", "Dallas", region, "75001", country)


def test_a_started_kilogram_is_a_whole_one() -> None:
    assert [Load(grams, 1).started_kg for grams in (0, 1, 1000, 1001)] == [0, 1, 1, 2]


def test_a_quote_is_base_plus_started_kilograms_plus_units() -> None:
    offer = quote(rate(base=900, per_kg=35, per_unit=150), Load(2001, 14))

    assert offer.cost == Money(900 + 3 * 35 + 14 * 150, "USD")


def test_the_costs_of_a1_come_out() -> None:
    rates = [rate("W1", base=900), rate("W2", base=1600), rate("W3", base=800), rate("P", base=1200, per_unit=150)]

    costs = {best.warehouse_id: best.cost.minor for best in cheapest_by_warehouse(rates, Load(0, 14))}

    assert costs == {"W1": 900, "W2": 1600, "W3": 800, "P": 3300}
    assert list(costs) == ["W3", "W1", "W2", "P"]


@given(
    st.permutations(
        [rate(carrier="b"), rate(carrier="a"), rate(carrier="c", days=9), rate(carrier="d", base=901, days=1)]
    )
)
def test_ties_go_to_the_faster_carrier_then_to_its_name(rates: list[Rate]) -> None:
    best = cheapest(rates, Load(1, 1))

    assert best is not None
    assert best.carrier == "a"


def test_a_region_without_a_rule_falls_to_the_rest_of_its_country() -> None:
    rules = [ZoneRule("US", "TX", "near"), ZoneRule("US", "*", "far"), ZoneRule("DE", "BY", "south")]

    assert zone_of(address("US", "TX"), rules) == "near"
    assert zone_of(address("US", "tx"), rules) == "near"
    assert zone_of(address("US", "NY"), rules) == "far"
    assert zone_of(address("US", ""), rules) == "far"
    assert zone_of(address("DE", "HH"), rules) is None
    assert zone_of(address("FR", "TX"), rules) is None


def test_a_carrier_without_a_rate_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(Refused, match="these have: fast, slow") as refusal:
        chosen([rate(carrier="slow"), rate(carrier="fast")], Load(1, 1), "pigeon")

    assert refusal.value.reason == "NO_RATE_FOR_CARRIER"


def test_no_rate_at_all_is_another_refusal() -> None:
    with pytest.raises(Refused) as refusal:
        chosen([], Load(1, 1), "")

    assert refusal.value.reason == "NO_RATE_FOR_DESTINATION"


def test_an_absurd_freight_is_refused_instead_of_overflowing() -> None:
    with pytest.raises(InvalidArgument):
        quote(rate(per_kg=10**15), Load(10**18, 10**9))


@pytest.mark.parametrize(
    ("released", "transit", "promised"),
    [
        (date(2026, 3, 2), 2, date(2026, 3, 5)),  # Monday: handling Tuesday, two days on the road
        (date(2026, 3, 6), 0, date(2026, 3, 9)),  # Friday: handling is Monday
        (date(2026, 3, 5), 3, date(2026, 3, 11)),  # Thursday: Fri, Mon, Tue, Wed
        (date(2026, 3, 7), 1, date(2026, 3, 10)),  # Saturday: handling Monday, Tuesday
        (date(2026, 3, 8), 5, date(2026, 3, 16)),  # Sunday: Mon … Fri, then Monday
    ],
)
def test_promises_count_working_days(released: date, transit: int, promised: date) -> None:
    assert promised_on(released, transit) == promised


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 40))
def test_working_days_are_counted_one_by_one(day: date, count: int) -> None:
    expected, left = day, count
    while left:
        expected += timedelta(days=1)
        left -= expected.weekday() < 5

    assert add_working_days(day, count) == expected
