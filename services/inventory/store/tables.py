"""The tables as statements name them."""

from typing import Any, cast

from sqlalchemy import CursorResult, Executable, literal
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
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


def changed(session: Session, statement: Executable) -> int:
    """Run an update and count the rows that met its condition: the count, not an earlier read, says who won."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def inserted(session: Session, table: SqlTable, **values: object) -> bool:
    """Insert a row unless a key of it is taken; whether it was. A rival's uncommitted row is waited for."""
    rows = (
        postgresql.insert(table).values(**values).on_conflict_do_nothing().returning(literal(1))
        if session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(table).values(**values).on_conflict_do_nothing().returning(literal(1))
    )
    return session.execute(rows).first() is not None
