"""`oms audit`: every invariant of every service, and who breaks it."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text

from cli.client import VAR, Api, JsonOption, VarOption
from cli.output import console, print_json, table

_BROKEN = "bold red"
_COLUMNS = (("Invariant", "name"), ("Rule", "rule"), ("Violations", "violations>"))


def audit(var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Check all invariants over all databases. Exit code 1 when one is broken."""
    rows = rows_of(Api(var, "auditor").get("/v1/audit/invariants"))
    if as_json:
        print_json(rows)
    else:
        _print(rows)
    if any(row["violations"] for row in rows):
        raise typer.Exit(1)


def rows_of(document: Any) -> list[dict[str, Any]]:
    """The invariants of an audit answer, one a row."""
    rows = document["rows"] if isinstance(document, dict) else document
    return list(rows)


def _print(rows: list[dict[str, Any]]) -> None:
    broken = [row for row in rows if row["violations"]]
    out = console()
    out.print(table(rows, _COLUMNS))
    for row in broken:
        out.print()
        out.print(Text.assemble((row["name"], _BROKEN), f": {row['rule']}"))
        for offender in row["offenders"]:
            out.print(f"  {offender}")
    verdict = f"{len(broken)} of {len(rows)} invariants are broken" if broken else f"clean: {len(rows)} invariants hold"
    out.print()
    out.print(verdict, style=_BROKEN if broken else None)
