"""Statements that the stores of all services share.

An insert that leaves a taken key alone, a change whose row count decides, lists longer than a statement takes, and how many documents
fit on a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Executable, Select, Table, func, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session

from services.kernel.bounds import MAX_LINES, MAX_PAGE_LINES

IN_STATEMENT = 10_000
"""Values of a list that one statement takes: SQLite has room for 32,766 parameters, PostgreSQL for 65,535."""


def slices(values: Iterable[str]) -> Iterator[list[str]]:
    """The values, each once and sorted, in lists that a statement takes."""
    each = sorted(set(values))
    return (each[start : start + IN_STATEMENT] for start in range(0, len(each), IN_STATEMENT))


def changed(
    session: Session, statement: Executable, terms: Mapping[str, object] | Sequence[Mapping[str, object]] = ()
) -> int:
    """Run an update, once for each of several terms, and count the rows that met its condition.

    The count, not an earlier read, says who won.
    """
    return cast("CursorResult[Any]", session.execute(statement, terms or None)).rowcount


def inserted(session: Session, table: Table, **values: object) -> bool:
    """Insert a row unless a key of it is taken; whether it was. A rival's uncommitted row is waited for."""
    return session.execute(inserting(table), values).first() is not None


@cache
def inserting(table: Table, answer: str = "") -> ReturningInsert[Any]:
    """The insert that leaves a row alone whose key is taken; it gives the column `answer`, or 1, of each row that is new.

    The clause is PostgreSQL's and SQLite's alike.
    """
    statement = postgresql.insert(table).on_conflict_do_nothing()
    return statement.returning(table.c[answer] if answer else literal(1))


def fitting(
    session: Session, line_of: ColumnElement[str], ids: Sequence[str], also: Select[tuple[str, int]] | None = None
) -> int:
    """How many of these documents make a page: as many as their lines allow, one at least; `line_of` is the id in their lines.

    Lines are counted only where there could be too many, before any of them is read. Of documents whose lines do not name them, `also`
    counts the lines of each of `ids`.
    """
    if len(ids) * MAX_LINES <= MAX_PAGE_LINES:
        return len(ids)
    counted = select(line_of, func.count()).where(line_of.in_(ids)).group_by(line_of)
    lines = {key: int(count) for key, count in session.execute(counted)}
    if also is not None:
        lines |= {key: int(count) for key, count in session.execute(also, {"ids": list(ids)})}
    total = 0
    for place, key in enumerate(ids):
        total += lines.get(key, 0)
        if place and total > MAX_PAGE_LINES:
            return place
    return len(ids)
