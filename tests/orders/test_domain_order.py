from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Refused
from services.kernel.money import Money, UnitPrice, extend
from services.kernel.tax import TaxKind
from services.orders.domain.order import ENDED, PHASES, TRANSITIONS, Line, move, totals
from services.orders.domain.tax_parts import DEFAULT_TAXATION
from tests.orders.desk import amount


def goods(*worth: Money, rate: str = "0.0825") -> tuple[Line, ...]:
    """Lines that come to these amounts, all at one tax rate."""
    kind, price = TaxKind.at(Decimal(rate)), UnitPrice.parse("1", "USD")
    return tuple(
        Line(str(number), "SKU", "", "stock", 1, price, amount, None, "given", tax=kind)
        for number, amount in enumerate(worth, start=1)
    )


VERBS = sorted({verb for verbs in TRANSITIONS.values() for verb in verbs})


def test_three_at_33_33_less_ten_dollars_and_7_25_percent_come_to_96_51() -> None:
    # 99.99 - 10.00 = 89.99; 7.25 % of it is 6.524275, rounded 6.52; 89.99 + 6.52 = 96.51
    merchandise = extend(UnitPrice.parse("33.33", "USD"), 3)

    sums = totals(goods(merchandise, rate="0.0725"), amount("10.00"), amount("0.00"), DEFAULT_TAXATION)

    assert (sums.merchandise.text, sums.tax.text, sums.total.text) == ("99.99", "6.52", "96.51")


def test_freight_is_charged_and_not_taxed() -> None:
    # scenario A2: 100 at 20.00, tax 8.25 % = 165.00, freight 50.00
    sums = totals(goods(amount("2000.00")), amount("0.00"), amount("50.00"), DEFAULT_TAXATION)

    assert (sums.tax.text, sums.total.text) == ("165.00", "2215.00")


def test_a_discount_never_exceeds_the_merchandise() -> None:
    with pytest.raises(Refused, match="more than the merchandise"):
        totals(goods(amount("9.99")), amount("10.00"), amount("0.00"), DEFAULT_TAXATION)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_total_is_lines_plus_tax_plus_freight_less_discount(lines: list[int], discount: int, freight: int) -> None:
    discount = min(discount, sum(lines))

    worth = [Money(minor, "USD") for minor in lines]
    sums = totals(goods(*worth), Money(discount, "USD"), Money(freight, "USD"), DEFAULT_TAXATION)

    assert sums.total.minor == sum(lines) - discount + freight + sums.tax.minor


@given(st.lists(st.sampled_from(VERBS), max_size=12))
def test_whatever_is_tried_a_phase_moves_only_by_the_table_and_an_end_is_final(verbs: list[str]) -> None:
    phase = "received"
    for verb in verbs:
        allowed = TRANSITIONS[phase]
        if verb in allowed:
            was_ended = phase in ENDED
            phase = move(phase, verb)
            assert not was_ended
        else:
            with pytest.raises(Refused):
                move(phase, verb)

        assert phase in PHASES


def test_every_phase_has_a_row_and_every_ended_phase_an_empty_one() -> None:
    assert set(TRANSITIONS) == set(PHASES)
    assert {phase for phase, verbs in TRANSITIONS.items() if not verbs} == set(ENDED)
