"""The tables as statements name them.

Statements of the everyday paths are built once, where they are used: putting one together costs several times what running it
does. What they compare with a constant says it as SQL: an index of part of a table is found by its own words alone.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Executable, literal, literal_column
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session

from services.inventory.models import Table

_tables = Table.metadata.tables

warehouse = _tables["warehouse"]
stock = _tables["stock"]
movement = _tables["movement"]
cost_layer = _tables["cost_layer"]
reservation = _tables["reservation"]
candidate = _tables["reservation_candidate"]
allocation = _tables["allocation"]
backorder = _tables["backorder"]
expected_receipt = _tables["expected_receipt"]
stock_issue = _tables["stock_issue"]

NOTHING: ColumnElement[int] = literal_column("0")
ACTIVE: ColumnElement[str] = literal_column("'active'")


def changed(
    session: Session, statement: Executable, terms: Mapping[str, object] | Sequence[Mapping[str, object]] = ()
) -> int:
    """Run an update, once for each of several terms, and count the rows that met its condition.

    The count, not an earlier read, says who won.
    """
    return cast("CursorResult[Any]", session.execute(statement, terms or None)).rowcount


def inserted(session: Session, table: SqlTable, **values: object) -> bool:
    """Insert a row unless a key of it is taken; whether it was. A rival's uncommitted row is waited for."""
    return session.execute(_adding(table)[session.get_bind().dialect.name], values).first() is not None


@cache
def _adding(table: SqlTable) -> Mapping[str, ReturningInsert[Any]]:
    """Dialect → the INSERT that leaves a row alone whose key is taken."""
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing().returning(literal(1)),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing().returning(literal(1)),
    }
