"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Column = tuple[str, str]
"""A heading and the dotted path of its value in a row: ("Customer", "customer.name"). A path may end in ">" to align right."""


def console() -> Console:
    """Standard output; wide when nobody's terminal bounds it, so that nothing is cut in a file."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)


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
    """A Rich table of the rows."""
    built = Table(box=None, pad_edge=False, header_style="bold")
    for heading, path in columns:
        built.add_column(heading, justify="right" if path.endswith(">") else "left", overflow="fold")
    for row in rows:
        built.add_row(*(text(value_at(row, path.rstrip(">"))) for _, path in columns))
    return built


def value_at(row: Any, path: str) -> Any:
    """The value at a dotted path; None where there is no such member."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def text(value: Any) -> str:
    """A value as a person reads it: money as "12.34 USD", a list joined by commas, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        if {"amount", "currency"} <= set(value):
            return f"{value['amount']} {value['currency']}"
        return ", ".join(f"{name}: {text(each)}" for name, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(text(each) for each in value)
    return str(value)
