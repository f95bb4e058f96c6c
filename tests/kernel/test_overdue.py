from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.kernel.overdue import age, is_overdue
from services.kernel.quantity import is_covered

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=59), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=23), "23 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=30), "30 days"),
        (timedelta(minutes=-1), "0 minutes"),
    ],
)
def test_an_age_is_said_in_the_one_unit_that_says_it(passed: timedelta, said: str) -> None:
    assert age(NOW - passed, NOW) == said


@pytest.mark.parametrize(
    ("passed", "is_late"), [(timedelta(minutes=15), False), (timedelta(minutes=15, seconds=1), True)]
)
def test_what_is_within_the_grace_is_not_overdue(passed: timedelta, is_late: bool) -> None:
    assert is_overdue(NOW - passed, NOW, timedelta(minutes=15)) is is_late


@pytest.mark.parametrize(
    ("wanted", "units", "is_all"),
    [
        ({"1": 5}, {"1": 5}, True),
        ({"1": 5}, {"1": 4}, False),
        ({"1": 5, "2": 1}, {"1": 5}, False),
        ({"1": 5, "2": 0}, {"1": 6}, True),
        ({"1": 0}, {}, False),
    ],
)
def test_an_order_is_covered_when_every_line_is_and_anything_came(
    wanted: dict[str, int], units: dict[str, int], is_all: bool
) -> None:
    assert is_covered(wanted, units) is is_all
