"""Time: aware UTC instants, their whole microseconds for storage, and the days they fall on."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from services.kernel.errors import InvalidArgument

Clock = Callable[[], datetime]
"""Tells the present instant; the domain takes it as an argument, so that tests can tell it what time it is."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_YEAR = 2200
"""No date that anybody gives lies beyond it, so that what is reckoned from dates stays in the calendar."""


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def business_day(at: datetime, time_zone: str | tzinfo) -> date:
    """The day an instant falls on, on the clock of a company or a party (an IANA name): in New York it is yesterday for longer.

    The one place where an instant becomes a day. A naive instant raises ValueError.
    """
    if at.tzinfo is None:
        raise ValueError("a naive datetime is no instant; give it a time zone")
    return at.astimezone(_zone(time_zone)).date()


def start_of_day(on: date, time_zone: str | tzinfo) -> datetime:
    """The UTC instant at which a day begins on that clock."""
    return datetime.combine(on, time(), _zone(time_zone)).astimezone(UTC)


def next_day(at: datetime, time_zone: str | tzinfo) -> datetime:
    """The UTC instant at which the day after that of an instant begins on that clock."""
    return start_of_day(business_day(at, time_zone) + timedelta(days=1), time_zone)


def _zone(time_zone: str | tzinfo) -> tzinfo:
    return ZoneInfo(time_zone) if isinstance(time_zone, str) else time_zone


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970 UTC, exact. A naive instant raises ValueError: nobody knows when it is."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is no instant; give it a time zone")
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_micros(count: int) -> datetime:
    """The instant of `micros`, in UTC."""
    return EPOCH + timedelta(microseconds=count)


def given_instant(count: int, what: str) -> datetime:
    """The instant that a caller gives in microseconds since 1970, up to LAST_YEAR; `what` names it in the refusal."""
    if not 0 < count < micros(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)):
        raise InvalidArgument(
            "INSTANT_OUT_OF_RANGE",
            f"{what} must be microseconds since 1970, above zero, in the year {LAST_YEAR} at the latest",
        )
    return from_micros(count)
