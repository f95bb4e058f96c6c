"""Promised days of units: how they are worked out, when they move, and when people are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from services.kernel.calendars import Calendar, after_working_days
from services.orders.domain.mails.mail import Promise
from services.orders.domain.projection import LineProgress, Progress

MAX_LEAD_DAYS = 1000
"""Working days of handling and the way, at most."""


def promised_day(calendar: Calendar, expected_on: str, lead_days: int, today: date) -> str:
    """The day on which the customer has units whose supply is expected on a day: that, then handling and the way in working days.

    Supply that is overdue counts from today; the day is a working day and never in the past. Empty while supply has no day.
    """
    if not expected_on:
        return ""
    start = max(date.fromisoformat(expected_on), today)
    day = after_working_days(calendar, start, lead_days)
    return (day if calendar.is_working_day(day) else after_working_days(calendar, day, 1)).isoformat()


def dated(
    promises: Iterable[Promise], before: Iterable[Promise], calendar: Calendar, today: date
) -> tuple[Promise, ...]:
    """The promises with the days of units that wait worked out; what customers were told of a line `before` stays."""
    notified = {one.line_id: one.notified_on for one in before if one.is_waiting}
    return tuple(_dated(one, notified.get(one.line_id), calendar, today) if one.is_waiting else one for one in promises)


def _dated(one: Promise, notified_on: str | None, calendar: Calendar, today: date) -> Promise:
    day = promised_day(calendar, one.expected_on, one.lead_days, today)
    return replace(one, promised_on=day, notified_on=day if notified_on is None else notified_on)


def moved(
    promises: Sequence[Promise], before: Progress, after: Progress, calendar: Calendar, today: date
) -> tuple[Promise, ...]:
    """The promises after supply has other days: units that wait take theirs, units that are in shipments keep theirs.

    The promises of a line name its waiting units last; those of earlier releases have the day on which these were expected.
    """
    changed = {
        line_id: now
        for line_id, now in after.lines.items()
        if _supply(before.lines.get(line_id, LineProgress())) != _supply(now)
    }
    left = {line_id: now.backordered for line_id, now in changed.items()}
    kept: list[Promise] = []
    for one in reversed(promises):
        units = min(one.quantity, left.get(one.line_id, 0))
        if not units or not _waits(one, before.lines.get(one.line_id, LineProgress())):
            kept.append(one)
            continue
        left[one.line_id] -= units
        kept.append(_rescheduled(one, units, changed[one.line_id], calendar, today))
        if one.quantity > units:
            kept.append(replace(one, quantity=one.quantity - units))
    return tuple(reversed(kept))


def _supply(line: LineProgress) -> tuple[str, int, str]:
    return line.expected_on, line.lead_days, line.expected_reference


def _waits(one: Promise, was: LineProgress) -> bool:
    return one.is_waiting or (bool(was.backordered) and one.promised_on == was.expected_on)


def _rescheduled(one: Promise, units: int, now: LineProgress, calendar: Calendar, today: date) -> Promise:
    day = promised_day(calendar, now.expected_on, now.lead_days, today)
    notified_on = one.notified_on if one.is_waiting else one.promised_on
    return Promise(one.line_id, units, day, True, now.expected_on, now.lead_days, now.expected_reference, notified_on)


def slipped(promises: Iterable[Promise], tolerance_days: int) -> tuple[Promise, ...]:
    """Units that wait and come later than their customer was told, by more than the tolerance, or on no day that is known any more."""
    return tuple(
        one
        for one in promises
        if one.is_waiting and one.notified_on and (not one.promised_on or _days_late(one) > tolerance_days)
    )


def _days_late(one: Promise) -> int:
    return (date.fromisoformat(one.promised_on) - date.fromisoformat(one.notified_on)).days


def notified(promises: Iterable[Promise], slips: Iterable[Promise]) -> tuple[Promise, ...]:
    """The promises once the customer has been told of those that slipped."""
    later = set(slips)
    return tuple(replace(one, notified_on=one.promised_on) if one in later else one for one in promises)


def heard(promises: Iterable[Promise]) -> tuple[Promise, ...]:
    """The promises once the customer has read all of them."""
    return tuple(replace(one, notified_on=one.promised_on) if one.is_waiting else one for one in promises)
