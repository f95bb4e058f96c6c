"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.refusals import CommandRefused
from services.kernel.formats import Formats
from services.runtime.settings import ServiceSettings, UnusableSettings, read_settings

Column = tuple[str, str]
"""A heading and the dotted path of its value in a row: ("Customer", "customer.name").

A path may end in ">" to align a figure right, or in "~" where the value is a word of the API that people read with spaces.
"""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})")
_DATED = re.compile(r"(.*_)?(at|on|due|since|until|valid_to)")
"""How members are named that hold a day or an instant."""
_SPELLING = {"fulfilment": "fulfillment", "cancelled": "canceled", "dead_letter": "dead letter"}


def console() -> Console:
    """Standard output; wide when nobody's terminal bounds it, so that nothing is cut in a file.

    What people typed is shown as it is: brackets and colons in it are no markup. Whatever is bold says so by a style.
    """
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False, emoji=False)


def print_json(document: Any) -> None:
    """One indented JSON document."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, as_json: bool, none: str) -> None:
    """The rows as a table, or as JSON; `none` is the sentence for an empty table."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        console().print(none)
    else:
        console().print(table(rows, columns))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> Table:
    """A Rich table of the rows. The heading of a column of instants names their zone."""
    built = Table(box=None, pad_edge=False, header_style="bold")
    for heading, path in columns:
        instants = [value for row in rows if _is_instant(value := value_at(row, path.rstrip(">~")))]
        zone = f" ({formats().zone(datetime.fromisoformat(instants[0]))})" if instants else ""
        built.add_column(heading + zone, justify="right" if path.endswith(">") else "left", overflow="fold")
    for row in rows:
        built.add_row(*(_cell(row, path) for _, path in columns))
    return built


def value_at(row: Any, path: str) -> Any:
    """The value at a dotted path; None where there is no such member."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def text(value: Any) -> str:
    """A value as a person reads it: money as "1,012.34 USD", a list joined by commas, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        if {"amount", "currency"} <= set(value):
            return f"{grouped(value['amount'])} {value['currency']}"
        return ", ".join(f"{name}: {text(each)}" for name, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(text(each) for each in value)
    return str(value)


def grouped(figure: str) -> str:
    """Decimal text with its thousands in groups; anything else as it is."""
    if not _NUMBER.fullmatch(figure):
        return figure
    whole, point, decimals = figure.partition(".")
    return f"{int(whole):,}{point}{decimals}" if whole != "-0" else figure


def words(value: Any) -> str:
    """A word of the API as people here spell it: in_fulfilment is "in fulfillment"."""
    said = text(value)
    for ours, theirs in _SPELLING.items():
        said = said.replace(ours, theirs)
    return said.replace("_", " ")


def moment(value: str) -> str:
    """A day or an instant of the API in the company's formats, without its zone."""
    if _DAY.fullmatch(value):
        return formats().day(date.fromisoformat(value))
    return formats().minute(datetime.fromisoformat(value)) if _is_instant(value) else value


def zoned(value: str) -> str:
    """The same with its zone, where no heading names it."""
    return formats().instant(datetime.fromisoformat(value)) if _is_instant(value) else moment(value)


@cache
def formats() -> Formats:
    """How days and times are written here: OMS_DATE_ORDER, OMS_CLOCK and OMS_TIME_ZONE, as on pages and in mails."""
    try:
        return read_settings(ServiceSettings).formats
    except UnusableSettings as wrong:
        raise CommandRefused(str(wrong)) from wrong


def _is_instant(value: Any) -> bool:
    return isinstance(value, str) and bool(_INSTANT.fullmatch(value))


def _cell(row: Mapping[str, Any], path: str) -> str:
    name, value = path.rstrip(">~"), value_at(row, path.rstrip(">~"))
    if path.endswith("~"):
        return words(value)
    if isinstance(value, str) and path.endswith(">"):
        return grouped(value)
    if isinstance(value, str) and _DATED.fullmatch(name.rpartition(".")[2]):
        return moment(value)
    return text(value)
