"""Time: aware UTC instants, and their whole microseconds for storage."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Tells the present instant; the domain takes it as an argument, so that tests can tell it what time it is."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970 UTC, exact. A naive instant raises ValueError: nobody knows when it is."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is no instant; give it a time zone")
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_micros(count: int) -> datetime:
    """The instant of `micros`, in UTC."""
    return EPOCH + timedelta(microseconds=count)
