"""Statements that the stores of all services share: an insert that leaves a taken key alone, a change whose row count decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import CursorResult, Executable, Table, literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session


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
