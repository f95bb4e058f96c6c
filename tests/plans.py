"""Which statements read a table from end to end: what those cost grows with all that ever happened."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from services.runtime.db import Database


def recorded(database: Database) -> dict[str, Any]:
    """A dictionary that fills with every statement from now on, and the parameters of its first run."""
    statements: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.setdefault(statement, parameters[0] if isinstance(parameters, list) else parameters)

    event.listen(database.engine, "before_cursor_execute", note)
    return statements


def scans(database: Database, statements: dict[str, Any], small: Collection[str] = ()) -> list[tuple[str, str]]:
    """(step, statement) of each step that reads a table, other than the small ones, without any index."""
    return [
        (step, statement)
        for statement, planned in steps(database, statements).items()
        for step in planned
        # what is planned for an INSERT is a look for broken foreign keys, which SQLite leaves out as long as none is put off
        if not statement.startswith("INSERT")
        and step.startswith("SCAN")
        and "INDEX" not in step
        and step.split()[1] not in small
        and not step.split()[1].startswith("(")  # what a part of the statement has found, by an index of its own
    ]


def steps(database: Database, statements: dict[str, Any]) -> dict[str, list[str]]:
    """Statement → how SQLite would run it."""
    asked = dict(statements)  # the questions themselves are recorded too
    with database.reading() as session:
        ask = session.connection().exec_driver_sql
        return {sql: [step.detail for step in ask(f"EXPLAIN QUERY PLAN {sql}", terms)] for sql, terms in asked.items()}


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that the block runs, in turn; one that runs for many rows at once counts once."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
