from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.runtime import wire


@pytest.mark.parametrize(("limit", "size"), [(0, 100), (1, 1), (500, 500)])
def test_a_page_has_at_most_five_hundred_rows(limit: int, size: int) -> None:
    assert wire.page_size(limit) == size


@pytest.mark.parametrize("limit", [-1, 501, 2**31 - 1])
def test_a_larger_page_is_refused(limit: int) -> None:
    with pytest.raises(InvalidArgument):
        wire.page_size(limit)


@pytest.mark.parametrize("cursor", ["x", "-1", "1.0", "²", "9" * 19, "9" * 4000])
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArgument):
        wire.number_cursor(cursor)


def test_a_cursor_that_is_ours_is_a_number_and_none_is_the_beginning() -> None:
    assert (wire.number_cursor(""), wire.number_cursor("0"), wire.number_cursor("1001")) == (0, 0, 1001)


def test_what_is_not_there_is_not_set() -> None:
    assert (wire.optional_money(None), wire.optional_micros(None)) == (None, 0)
    assert wire.optional_money(Money(132900, "USD")) == wire.money(Money(132900, "USD"))
    assert wire.optional_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000


@pytest.mark.parametrize("code", ["", "us", "USA", "U1", "\N{LATIN CAPITAL LETTER A WITH DIAERESIS}S"])
def test_a_country_is_two_capital_letters(code: str) -> None:
    assert wire.country("US") == "US"
    with pytest.raises(InvalidArgument):
        wire.country(code)
