"""When warehouses take up what comes: working days, cut-off, units a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.schedules import Schedule, promised_by, start
from services.fulfillment.domain.workdays import promised_on

FRIDAY = datetime(2026, 3, 6, 15, tzinfo=UTC)  # 09:00 in Chicago
CHICAGO = Schedule("W1", "America/Chicago", cut_off=time(14))
HOLIDAY = date(2026, 3, 9)


def test_what_comes_before_the_cut_off_is_taken_up_the_same_day() -> None:
    begins = start(CHICAGO, FRIDAY, 0, 5)

    assert (begins.day, begins.words) == (date(2026, 3, 6), "")
    assert promised_by(CHICAGO, begins.day, 2) == promised_on(date(2026, 3, 6), 2) == date(2026, 3, 11)


@pytest.mark.parametrize(
    ("schedule", "now", "day", "why"),
    [
        (CHICAGO, datetime(2026, 3, 6, 20, tzinfo=UTC), date(2026, 3, 9), "its cut-off at 14:00 has passed"),
        (CHICAGO, datetime(2026, 3, 6, 19, 59, tzinfo=UTC), date(2026, 3, 6), ""),
        (CHICAGO, datetime(2026, 3, 7, 15, tzinfo=UTC), date(2026, 3, 9), "it is closed on 2026-03-07"),
        # Friday evening in Chicago is Saturday in UTC
        (CHICAGO, datetime(2026, 3, 7, 2, tzinfo=UTC), date(2026, 3, 9), "its cut-off at 14:00 has passed"),
        (Schedule("W1", closed_on=(HOLIDAY,)), datetime(2026, 3, 9, 9, tzinfo=UTC), date(2026, 3, 10), "it is closed on 2026-03-09"),
        (Schedule("W1", holidays=frozenset([HOLIDAY])), datetime(2026, 3, 9, 9, tzinfo=UTC), date(2026, 3, 10), "it is closed on 2026-03-09"),
        (Schedule("W1", days=frozenset([2])), FRIDAY, date(2026, 3, 11), "it is closed on 2026-03-06"),
    ],
)  # fmt: skip
def test_what_comes_late_or_on_a_day_off_begins_on_the_next_working_day(
    schedule: Schedule, now: datetime, day: date, why: str
) -> None:
    begins = start(schedule, now, 0, 1)

    assert (begins.day, begins.why) == (day, why)
    assert begins.words == (f"begins on {day}: {why}" if why else "")


@pytest.mark.parametrize(
    ("waiting", "units", "day"),
    [
        (0, 10, date(2026, 3, 6)),
        (0, 11, date(2026, 3, 9)),
        (9, 1, date(2026, 3, 6)),
        (10, 1, date(2026, 3, 9)),
        (35, 10, date(2026, 3, 12)),
    ],
)
def test_what_is_more_than_a_days_units_begins_when_the_last_of_it_can_be_handled(
    waiting: int, units: int, day: date
) -> None:
    begins = start(Schedule("W1", daily_units=10), FRIDAY, waiting, units)

    assert begins.day == day
    assert ("10 units a day" in begins.why) == (day > date(2026, 3, 6))


def test_both_reasons_are_said() -> None:
    begins = start(Schedule("W1", cut_off=time(8), daily_units=10), FRIDAY, 1_200, 1)

    assert begins.why == (
        "its cut-off at 08:00 has passed, and it handles 10 units a day, and 1,200 are before these 1"
    )


@given(
    days=st.frozensets(st.integers(0, 6), min_size=1),
    cut_off=st.none() | st.times(),
    daily=st.none() | st.integers(1, 50),
    minutes=st.tuples(st.integers(0, 40_000), st.integers(0, 10_000)),
    waiting=st.tuples(st.integers(0, 500), st.integers(0, 100)),
    transit=st.integers(0, 9),
)
def test_who_comes_later_or_behind_more_is_never_promised_an_earlier_day(
    days: frozenset[int],
    cut_off: time | None,
    daily: int | None,
    minutes: tuple[int, int],
    waiting: tuple[int, int],
    transit: int,
) -> None:
    schedule = Schedule("W1", "America/Chicago", days, cut_off=cut_off, daily_units=daily, closed_on=(HOLIDAY,))
    now, before = FRIDAY + timedelta(minutes=minutes[0]), waiting[0]
    promised = promised_by(schedule, start(schedule, now, before, 3).day, transit)

    later, behind = now + timedelta(minutes=minutes[1]), before + waiting[1]
    after = promised_by(schedule, start(schedule, later, behind, 3).day, transit)

    assert promised <= after
    assert schedule.calendar.is_working_day(start(schedule, now, before, 3).day)


def test_the_longest_queue_before_the_rarest_working_day_has_an_end() -> None:
    """One day a week, every one of the next 366 of them off, and as much work before it as is counted at all."""
    monday = date(2026, 3, 9)
    off = tuple(monday + timedelta(weeks=week) for week in range(366))
    rare = Schedule("W1", days=frozenset([0]), closed_on=off, daily_units=1)

    begins = start(rare, FRIDAY, 1_000_000, 1)

    assert begins.day == monday + timedelta(weeks=366 + 365)
    assert promised_by(rare, begins.day, 1) > begins.day
