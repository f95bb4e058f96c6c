from datetime import UTC, date, datetime

import pytest

from services.kernel.formats import Formats, amount
from services.kernel.money import Money

CHICAGO = "America/Chicago"
# 23:05 UTC on Dec 1 is 17:05 in Chicago, and 03:05 UTC on Dec 2 is still Dec 1 there
EVENING = datetime(2026, 12, 2, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("order", "whole", "short"),
    [("mdy", "Dec 1, 2026", "Dec 1"), ("dmy", "1 Dec 2026", "1 Dec"), ("ymd", "2026-12-01", "12-01")],
)
def test_a_day_is_written_in_the_companys_order(order: str, whole: str, short: str) -> None:
    formats = Formats(date_order=order)  # type: ignore[arg-type]  # a parameter is any text

    assert (formats.day(date(2026, 12, 1)), formats.short_day(date(2026, 12, 1))) == (whole, short)


def test_an_instant_is_on_the_companys_clock_with_its_zone() -> None:
    assert Formats(CHICAGO).instant(EVENING) == "Dec 1, 2026, 9:05 PM CST"
    assert Formats(CHICAGO, "dmy", "24h").instant(EVENING) == "1 Dec 2026, 21:05 CST"
    assert Formats(CHICAGO).zone(datetime(2026, 7, 1, tzinfo=UTC)) == "CDT"


@pytest.mark.parametrize(("hour", "written"), [(0, "12:30 AM"), (11, "11:30 AM"), (12, "12:30 PM"), (23, "11:30 PM")])
def test_noon_and_midnight_are_twelve(hour: int, written: str) -> None:
    assert Formats().time(datetime(2026, 12, 1, hour, 30, tzinfo=UTC)) == written


def test_an_amount_has_its_thousands_in_groups() -> None:
    assert amount(Money(132900, "USD")) == "1,329.00"
    assert amount(Money(-1234567, "JPY")) == "-1,234,567"
