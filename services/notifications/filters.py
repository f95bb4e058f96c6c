"""Template filters: days, instants and quantities as the company writes them; any other value is printed unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.kernel.clock import business_day
from services.kernel.formats import Formats
from services.notifications import domain

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}[^\[\]]*)(?:\[([^\[\]]+)\])?", re.ASCII)
_AMOUNT = re.compile(r"(-?\d{1,18})(\.\d+)?( [A-Z]{3})?", re.ASCII)


def filters(formats: Formats) -> dict[str, Callable[..., Any]]:
    """Name in the templates → filter."""
    return {
        "day": partial(day, formats),
        "instant": partial(instant, formats),
        "grouped": grouped,
        "fact": partial(fact, formats),
        "readable": domain.readable_reasons,
        "weblink": weblink,
    }


def day(formats: Formats, value: Any) -> Any:
    """An ISO date, or the day of an instant on its reader's clock, written out: "Dec 1, 2026"."""
    if not isinstance(value, str):
        return value
    if _DAY.fullmatch(value):
        try:
            return formats.day(date.fromisoformat(value))
        except ValueError:
            return value
    local = _local(formats, value)
    return value if local is None else formats.day(business_day(local, local.tzinfo or UTC))


def instant(formats: Formats, value: Any) -> Any:
    """Day, minute and zone of an RFC 9557 instant: "Dec 1, 2026, 5:00 PM CST"; without a zone, on the company's clock."""
    local = _local(formats, value) if isinstance(value, str) else None
    if local is None:
        return value
    return replace(formats, time_zone=str(local.tzinfo)).instant(local)


def grouped(value: Any) -> Any:
    """A whole number with its thousands in groups: "1,200"."""
    return f"{value:,}" if type(value) is int else value


def fact(formats: Formats, value: Any) -> Any:
    """One side of a change, which is text: a date, a quantity or an amount as people read it."""
    if not isinstance(value, str):
        return value
    if parts := _AMOUNT.fullmatch(value):
        whole, fraction, currency = parts.groups(default="")
        return f"{int(whole):,}{fraction}{currency}"
    return day(formats, value)


def weblink(address: object) -> str:
    """The address when it leads to a web page or a mailbox; nothing otherwise: no mail carries a script as a link."""
    text = str(address)
    return text if urlsplit(text).scheme in {"http", "https", "mailto"} else ""


def _local(formats: Formats, value: str) -> datetime | None:
    """The instant on its reader's clock; None for text that is none."""
    parts = _INSTANT.fullmatch(value)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[1])
        return at.astimezone(_zone(parts[2] or formats.time_zone, formats)) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _zone(name: str, formats: Formats) -> ZoneInfo:
    """The zone of this name; the company's where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(formats.time_zone)
