"""What should have happened by now and did not: the age that people read, and the grace that a healthy system under load needs."""

from __future__ import annotations

from datetime import datetime, timedelta

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def is_overdue(since: datetime, now: datetime, grace: timedelta) -> bool:
    """Whether what has been due since then is late beyond the grace."""
    return now - since > grace


def age(since: datetime, now: datetime) -> str:
    """How long ago, in the one unit that says it: "3 days", "1 hour", "17 minutes"."""
    passed = now - since
    for unit, word in ((_DAY, "day"), (_HOUR, "hour")):
        if passed >= unit:
            return _counted(passed // unit, word)
    return _counted(max(passed // _MINUTE, 0), "minute")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
