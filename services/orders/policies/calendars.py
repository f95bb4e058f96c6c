"""Calendars made of a policy's rules and the public holidays of their countries."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from services.kernel.calendars import ALWAYS, Calendar
from services.orders.domain.calendar_rules import PLANT, WEEKDAYS, CalendarRule
from services.orders.domain.policies import Policy
from services.orders.domain.policy_text import invalid
from services.runtime.business_days import public_holidays


def check_calendars(policy: Policy) -> None:
    """InvalidArgument POLICY_INVALID names the calendar whose country or subdivision nobody knows the holidays of."""
    for rule in policy.calendars:
        if rule.country:
            try:
                holidays.country_holidays(rule.country, subdiv=rule.subdivision or None, years=2026)
            except NotImplementedError as unknown:
                place = "-".join(filter(None, (rule.country, rule.subdivision)))
                raise invalid(f"calendar {rule.name}", f"the public holidays of {place} are not known") from unknown


@lru_cache(maxsize=256)
def made_of(rule: CalendarRule) -> Calendar:
    """The calendar that a rule describes."""
    return Calendar(
        name=rule.name,
        time_zone=rule.time_zone,
        days=frozenset(WEEKDAYS.index(day) for day in rule.days),
        opens=rule.opens,
        closes=rule.closes,
        holidays=frozenset(rule.holidays) | public_holidays("-".join(filter(None, (rule.country, rule.subdivision)))),
    )


def named(policy: Policy, name: str) -> Calendar:
    """The policy's calendar of a name; a name it does not have is its own calendar for deadlines."""
    rule = policy.calendar(name) or policy.calendar(policy.deadlines.calendar)
    return made_of(rule) if rule else ALWAYS


def of_plant(policy: Policy) -> Calendar:
    """The working days that the plant's promises are counted in."""
    return named(policy, PLANT)


def zone_of(calendar: Calendar) -> ZoneInfo:
    """The clock that its people go by."""
    return ZoneInfo(calendar.time_zone)
