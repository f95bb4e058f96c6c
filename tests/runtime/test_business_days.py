"""Business days by the calendars of countries."""

from __future__ import annotations

from datetime import date

import pytest

from services.kernel.errors import InvalidArgument
from services.runtime.business_days import check_place, next_business_day


@pytest.mark.parametrize(
    ("place", "day", "moved"),
    [
        ("", "2026-12-26", "2026-12-26"),  # a Saturday, and nobody's calendar
        ("US", "2026-03-04", "2026-03-04"),
        ("US", "2026-03-07", "2026-03-09"),
        ("US", "2026-12-25", "2026-12-28"),  # Christmas is a Friday
        ("US", "2026-07-03", "2026-07-06"),  # the 4th is a Saturday, so that Friday is free
        ("GB-ENG", "2026-04-03", "2026-04-07"),  # Good Friday, the weekend, Easter Monday
        ("US", "2027-12-31", "2028-01-03"),  # New Year's Day is a Saturday, so that the last of the old year is free
        ("AE", "2026-12-26", "2026-12-28"),  # Saturday and Sunday are its weekend
        ("DE-BY", "2026-01-06", "2026-01-07"),  # Epiphany, in Bavaria
        ("DE-BE", "2026-01-06", "2026-01-06"),
        ("US", "2028-02-29", "2028-02-29"),
    ],
)
def test_a_day_that_is_free_moves_to_the_next_that_is_not(place: str, day: str, moved: str) -> None:
    assert next_business_day(place, date.fromisoformat(day)).isoformat() == moved


@pytest.mark.parametrize(
    ("place", "day", "moved"),
    [
        ("", "2026-12-25", "2026-12-25"),
        ("US", "2026-11-27", "2026-11-27"),
        ("US-TX", "2026-11-27", "2026-11-30"),  # the Friday after Thanksgiving is free in Texas
        ("DE-BY", "2026-11-01", "2026-11-02"),
    ],
)
def test_a_known_place_has_a_calendar(place: str, day: str, moved: str) -> None:
    check_place(place)

    assert next_business_day(place, date.fromisoformat(day)).isoformat() == moved


@pytest.mark.parametrize("place", ["XX", "us", "US-QQ", "US-", "-TX", "USA"])
def test_an_unknown_place_is_refused(place: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        check_place(place)

    assert refusal.value.reason == "CALENDAR_UNKNOWN"
