"""How a page is made: an environment of templates for the company's formats, escaped by default, strict about names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.console import labels, notices
from gateway.console.charts import bar
from gateway.console.files import address
from gateway.console.lines import LINES
from gateway.console.people import People, people_of
from gateway.console.readable import Readable, amount, grouped, iso, minor, money, number, price, since, span, until
from gateway.console.visitor import Visitor
from gateway.http.plumbing.deps import ConsoleSettings
from services.kernel.formats import Formats, tax_lines
from services.runtime import addresses

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, who: Visitor, *, named: Iterable[str] = (), **values: Any) -> HTMLResponse:
    """A template for a visitor; `named` are the logins on it, which it shows as names, all read at once."""
    settings, now = who.deps.console, who.deps.clock()
    people = values.pop("people", None) or people_of(who.deps.database, {who.name, *named})
    answer = _answer(template, settings, who=who, now=now, people=people, **values)
    if who.notice is not None:
        notices.drop(answer, settings)
    return answer


def render_for_nobody(template: str, settings: ConsoleSettings, **values: Any) -> HTMLResponse:
    """A template for whoever comes."""
    return _answer(template, settings, who=None, now=None, people=People(), **values)


def _answer(template: str, settings: ConsoleSettings, **values: Any) -> HTMLResponse:
    page = _environment(settings.formats, settings.country).get_template(template)
    return HTMLResponse(page.render(company=settings.company_name, formats=settings.formats, **values))


@cache
def _environment(formats: Formats, country: str) -> Environment:
    """The templates with the filters of these formats; `country` is the one that addresses do not name."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    said = Readable(formats)
    made.filters.update(
        amount=amount, money=money, grouped=grouped, price=price, number=number, iso=iso, readable=said.sentence, when=said.when,
        day=said.day, day_only=said.day_only, moment=said.moment, role=labels.role, event=labels.event,
        status=labels.status, axis=labels.axis, channel=labels.channel, terms=labels.terms, method=labels.method, waiting_on=labels.waiting_on, invoicing=labels.invoicing,
        account=labels.account, tax_lines=tax_lines,
        address=lambda place: addresses.lines_of(place, country),
    )  # fmt: skip
    made.globals.update(
        static=address, since=since, until=until, due=said.due, is_late=said.is_late, ago=said.ago, minor=minor,
        bar=bar, LINES=LINES, tone=labels.tone, milestones=labels.milestones, MILESTONES=labels.MILESTONES, span=span,
    )  # fmt: skip
    return made
