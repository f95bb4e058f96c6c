"""Calendars of a policy, as the API takes and shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from gateway.http.plumbing.inputs import Day, HourMinute, Input
from services.orders.domain.calendar_rules import CalendarRule

Name40 = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$", max_length=40)]


class CalendarInput(Input):
    """Working days and hours; `country` and `subdivision` (ISO 3166) add their public holidays."""

    time_zone: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+/\-]*$")] = "UTC"
    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1, max_length=7)] = [
        "mon", "tue", "wed", "thu", "fri",
    ]  # fmt: skip
    opens: HourMinute = "09:00"
    closes: HourMinute = Field(default="17:00", description="The same as opens: open all day.")
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$", max_length=2)] = ""
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{0,10}$", max_length=10)] = ""
    holidays: Annotated[list[Day], Field(max_length=500)] = []


class NamedCalendar(CalendarInput):
    """Working days and hours of a name."""

    name: Name40


class CalendarShape(BaseModel):
    """Working days and hours of a name."""

    name: str
    time_zone: str
    days: list[str]
    opens: str
    closes: str
    country: str
    subdivision: str
    holidays: list[str]


def calendar_shape(rule: CalendarRule) -> CalendarShape:
    """A calendar as it is shown."""
    return CalendarShape(
        name=rule.name,
        time_zone=rule.time_zone,
        days=list(rule.days),
        opens=f"{rule.opens:%H:%M}",
        closes=f"{rule.closes:%H:%M}",
        country=rule.country,
        subdivision=rule.subdivision,
        holidays=[day.isoformat() for day in rule.holidays],
    )
