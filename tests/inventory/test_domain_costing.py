from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain.costing import Draw, Layer, cost_of, draw, opened
from services.kernel.money import Money, UnitPrice


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def full(layer_id: str, units: int, minor: int) -> Layer:
    return Layer(layer_id, units, usd(minor), units, usd(minor))


def left_of(layer: Layer, taken: Draw | None) -> Layer:
    if taken is None:
        return layer
    return replace(layer, remaining=taken.remaining, remaining_value=taken.remaining_value)


def test_a_receipt_is_rounded_once() -> None:
    # 3 x 0.335 = 1.005, half up 1.01; rounded per unit it would be 1.02
    assert opened("m1", 3, UnitPrice(Decimal("0.335"), "USD")).value == usd(101)


def test_the_oldest_layer_leaves_first() -> None:
    layers = [full("m1", 60, 72_000), full("m2", 15, 19_500)]

    draws = draw(layers, 70)

    assert [(taken.layer_id, taken.quantity, taken.value.minor) for taken in draws] == [
        ("m1", 60, 72_000),
        ("m2", 10, 13_000),
    ]
    assert cost_of(draws, "USD") == usd(85_000)


def test_three_units_worth_a_hundred_cents_leave_as_33_33_34() -> None:
    layer = full("m1", 3, 100)

    costs = []
    for _ in range(3):
        (taken,) = draw([layer], 1)
        costs.append(taken.value.minor)
        layer = Layer("m1", 3, usd(100), taken.remaining, taken.remaining_value)

    assert costs == [33, 33, 34]


def test_three_units_worth_two_hundred_cents_leave_as_67_67_66() -> None:
    layer, costs = full("m1", 3, 200), []
    for _ in range(3):
        (taken,) = draw([layer], 1)
        costs.append(taken.value.minor)
        layer = left_of(layer, taken)

    assert costs == [67, 67, 66]


def test_units_in_no_layer_are_a_bug() -> None:
    with pytest.raises(ValueError, match="2 of 5 units are in no cost layer"):
        draw([full("m1", 3, 100)], 5)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10_000)), min_size=1, max_size=4),
    st.lists(st.integers(1, 25), max_size=20),
)
def test_issues_sum_to_the_value_however_layers_are_taken_apart(
    receipts: list[tuple[int, int]], wishes: list[int]
) -> None:
    layers = [full(f"m{number}", units, value) for number, (units, value) in enumerate(receipts)]
    total, issued, left = sum(value for _, value in receipts), 0, sum(units for units, _ in receipts)

    for wish in [*wishes, left]:
        draws = draw(layers, min(wish, left))
        left -= sum(taken.quantity for taken in draws)
        issued += cost_of(draws, "USD").minor
        after = {taken.layer_id: taken for taken in draws}
        layers = [left_of(one, after.get(one.layer_id)) for one in layers]
        assert all(taken.value.minor >= 0 for taken in draws)
        assert issued + sum(one.remaining_value.minor for one in layers) == total
    draws = draw(layers, left)
    assert issued + cost_of(draws, "USD").minor == total
