"""The working calendar: Monday to Friday."""

from datetime import date, timedelta

HANDLING_DAYS = 1
_SATURDAY = 5


def add_working_days(day: date, count: int) -> date:
    """The working day that comes `count` working days after `day`; a weekend itself counts as no day."""
    weeks, rest = divmod(count, 5)
    if day.weekday() >= _SATURDAY:
        day -= timedelta(days=day.weekday() - _SATURDAY + 1)
    landed = day + timedelta(weeks=weeks, days=rest)
    crosses_weekend = day.weekday() + rest >= _SATURDAY
    return landed + timedelta(days=2) if crosses_weekend else landed


def promised_on(released_on: date, transit_days: int) -> date:
    """The day a shipment released today is promised for: one handling day, then the carrier's days."""
    return add_working_days(released_on, HANDLING_DAYS + transit_days)
