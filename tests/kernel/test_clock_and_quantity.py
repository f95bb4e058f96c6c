"""Instants survive storage exactly; quantities are whole and bounded."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.clock import from_micros, given_instant, micros, utc_now
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import MAX_QUANTITY, non_negative, positive

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5.5))])


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES))  # noqa: DTZ001  # the zones follow
def test_an_instant_read_back_is_the_same_instant(instant: datetime) -> None:
    assert from_micros(micros(instant)) == instant


def test_instants_count_from_1970() -> None:
    assert micros(datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)) == 1_772_366_400_000_005


def test_an_instant_is_read_back_in_utc() -> None:
    assert from_micros(micros(utc_now())).tzinfo is UTC


def test_a_callers_instant_lies_between_1970_and_2200() -> None:
    last = datetime(2200, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    assert given_instant(micros(last), "shipped_at") == last
    for count in (0, -1, micros(last) + 1, 2**63 - 1, -(2**63)):
        with pytest.raises(InvalidArgument, match="shipped_at") as refusal:
            given_instant(count, "shipped_at")
        assert refusal.value.reason == "INSTANT_OUT_OF_RANGE"


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        micros(datetime(2026, 3, 1))  # noqa: DTZ001  # the mistake under test


@pytest.mark.parametrize("count", [-1, MAX_QUANTITY + 1, 2**63, 1.0, True, "1", float("nan")])
def test_what_is_no_quantity_is_refused_by_name(count: object) -> None:
    with pytest.raises(InvalidArgument, match="picked"):
        non_negative(count, "picked")  # type: ignore[arg-type]  # the mistake under test


def test_zero_is_a_quantity_but_not_a_positive_one() -> None:
    assert non_negative(0, "picked") == 0
    assert positive(1, "picked") == 1


def test_the_largest_quantity_is_allowed() -> None:
    assert non_negative(1_000_000_000, "picked") == 1_000_000_000


def test_nothing_is_no_positive_quantity() -> None:
    with pytest.raises(InvalidArgument, match="at least 1"):
        positive(0, "picked")
