"""Schedules of warehouses: protobuf to domain and back, shapes checked."""

from __future__ import annotations

import re
from datetime import date, time
from zoneinfo import ZoneInfo

from oms.fulfillment.v1 import schedules_pb2 as pb
from services.fulfillment.domain.schedules import MAX_CLOSED_DAYS, WEEKDAYS, Schedule
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import non_negative
from services.kernel.text import optional_text, text
from services.runtime.business_days import check_place

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def schedule(sent: pb.Schedule) -> Schedule:
    """A schedule to be stored."""
    if len(sent.closed_on) > MAX_CLOSED_DAYS:
        raise InvalidArgument("TOO_MANY_ROWS", f"at most {MAX_CLOSED_DAYS} days in closed_on")
    check_place(optional_text(sent.holidays_of, "holidays_of"))
    return Schedule(
        text(sent.warehouse_id, "warehouse_id"),
        _zone(optional_text(sent.time_zone, "time_zone") or "UTC"),
        _days(sent),
        sent.holidays_of,
        tuple(sorted({_day(one) for one in sent.closed_on})),
        _time(sent.cut_off),
        non_negative(sent.daily_units, "daily_units") or None,
    )


def schedule_message(of: Schedule) -> pb.Schedule:
    """A schedule for the wire."""
    return pb.Schedule(
        warehouse_id=of.warehouse_id,
        time_zone=of.time_zone,
        working_days=[WEEKDAYS[day] for day in sorted(of.days)],
        holidays_of=of.holidays_of,
        closed_on=[day.isoformat() for day in of.closed_on],
        cut_off=of.cut_off.strftime("%H:%M") if of.cut_off else "",
        daily_units=of.daily_units or 0,
        version=of.version,
    )


def _days(sent: pb.Schedule) -> frozenset[int]:
    if not sent.working_days or len(sent.working_days) > len(WEEKDAYS) or {*sent.working_days} - {*WEEKDAYS}:
        raise InvalidArgument(
            "WEEKDAY_UNKNOWN", f"name the days on which the warehouse works: one or more of {', '.join(WEEKDAYS)}"
        )
    return frozenset(WEEKDAYS.index(day) for day in sent.working_days)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as unknown:
        raise InvalidArgument(
            "TIME_ZONE_UNKNOWN", f"{name[:40]!r} is no time zone: name one such as America/Chicago"
        ) from unknown


def _time(sent: str) -> time | None:
    if sent and not _TIME.fullmatch(sent):
        raise InvalidArgument("TIME_UNREADABLE", f"{sent[:20]!r} is no time of day: write the cut-off as 14:00")
    return time.fromisoformat(sent) if sent else None


def _day(sent: str) -> date:
    try:
        return date.fromisoformat(sent)
    except ValueError as unreadable:
        raise InvalidArgument(
            "DATE_UNREADABLE", f"{sent[:20]!r} is no date: write the days of closed_on as 2026-12-24"
        ) from unreadable
