from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.tracking import is_tracking_number, tracking_number


@pytest.mark.parametrize(
    ("carrier", "number"),
    # Luhn by hand: 1 doubled is 2, so 8 is missing to 10; 12: 2 doubled 4, plus 1 is 5, so 5 is missing.
    [
        ("OMS", "OMS000000000018"),
        ("Swift Freight", "SWI000000000018"),
        ("x", "XXX000000000018"),
        ("é-7", "7XX000000000018"),
    ],
)
def test_the_number_names_carrier_and_sequence(carrier: str, number: str) -> None:
    assert tracking_number(carrier, 1) == number


def test_the_check_digit_of_twelve_is_five() -> None:
    assert tracking_number("OMS", 12) == "OMS000000000125"


@given(st.text(max_size=20), st.integers(1, 10**11 - 1))
def test_every_number_we_give_is_one(carrier: str, sequence: int) -> None:
    assert is_tracking_number(tracking_number(carrier, sequence))


@given(st.integers(1, 10**11 - 1), st.integers(3, 14), st.integers(1, 9))
def test_one_misread_digit_is_noticed(sequence: int, place: int, shift: int) -> None:
    number = tracking_number("OMS", sequence)
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]

    assert not is_tracking_number(wrong)


@pytest.mark.parametrize(
    "text", ["", "OMS", "OMS00000000018", "oms000000000018", "OMS00000000001٨", "OMS000000000018\n"]
)
def test_another_shape_is_none(text: str) -> None:
    assert not is_tracking_number(text)
