"""How a page is made: one environment of templates, escaped by default, strict about names, and a few filters."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.console import labels
from gateway.console.charts import bar
from gateway.console.files import address
from gateway.console.visitor import Visitor
from services.kernel.clock import business_day
from services.kernel.money import Money, UnitPrice

_AMOUNT = re.compile(r"(?<![\d.])\d{4,15}(?=(\.\d+)? [A-Z]{3}\b)")
TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, who: Visitor | None, **values: Any) -> HTMLResponse:
    """A template with the visitor and the time on the company's clock; `who` is None on pages for nobody in particular."""
    now = who.deps.clock().astimezone(ZoneInfo(who.deps.database.time_zone)) if who else None
    return HTMLResponse(_environment.get_template(template).render(who=who, now=now, **values))


def amount(money: Money) -> str:
    """1,329.00: the amount in groups of three, without the currency."""
    return f"{money.amount:,f}"


def price(unit: UnitPrice) -> str:
    """3,640.00: what a unit costs, in groups of three, with all its decimals."""
    return f"{Decimal(unit.text):,f}"


def grouped(text: str) -> str:
    """A sentence with the thousands of its amounts in groups: "24900.00 USD" reads "24,900.00 USD"."""
    return _AMOUNT.sub(lambda found: f"{int(found.group()):,}", text)


def minor(units: int, currency: str) -> Money:
    """Minor units as money."""
    return Money(units, currency)


def instant(value: datetime | str) -> datetime:
    """An instant, also from the ISO text that facts carry."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def iso(value: datetime | date | str) -> str:
    """For the datetime attribute."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value if isinstance(value, str) else value.isoformat()


def when(value: datetime | str) -> str:
    """24 Nov 08:14, in UTC."""
    moment = instant(value).astimezone(UTC)
    return f"{moment.day} {moment:%b} {moment:%H:%M}"


def day(value: date | str) -> str:
    """27 Nov 2026; an instant with its time."""
    if isinstance(value, datetime):
        return when(value)
    on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{on.day} {on:%b} {on.year}"


def day_only(value: str) -> str:
    """27 Nov, where the year is plain."""
    on = date.fromisoformat(value)
    return f"{on.day} {on:%b}"


def span(seconds: float) -> str:
    """3 h: the largest unit alone, as a glance needs it."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def since(moment: datetime, now: datetime) -> str:
    """How long ago."""
    return span(max((now - moment).total_seconds(), 0))


def due(on: date, now: datetime) -> str:
    """in 21 h, or 3 h late, for an instant; in 3 d, today, 2 d late, for a day on the clock of `now`."""
    if isinstance(on, datetime):
        return until(on, now)
    days = (on - business_day(now, now.tzinfo or UTC)) // timedelta(days=1)
    return "today" if days == 0 else (f"in {days} d" if days > 0 else f"{-days} d late")


def until(moment: datetime, now: datetime) -> str:
    """in 21 h, or 3 h late."""
    seconds = (moment - now).total_seconds()
    return f"in {span(seconds)}" if seconds >= 60 else f"{span(-seconds)} late"


def is_late(on: date, now: datetime) -> bool:
    """Whether the instant, or the whole day, is over."""
    return on < now if isinstance(on, datetime) else on < business_day(now, now.tzinfo or UTC)


_environment = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters.update(
    amount=amount,
    grouped=grouped,
    price=price,
    iso=iso,
    when=when,
    day=day,
    day_only=day_only,
    role=labels.role,
    event=labels.event,
    status=labels.status,
    axis=labels.axis,
    channel=labels.channel,
    terms=labels.terms,
)
_environment.globals.update(
    static=address,
    since=since,
    until=until,
    due=due,
    is_late=is_late,
    minor=minor,
    bar=bar,
    tone=labels.tone,
    milestones=labels.milestones,
    MILESTONES=labels.MILESTONES,
    span=span,
)
