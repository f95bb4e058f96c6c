"""The tables as statements name them.

Statements are built once, where they are used: putting one together costs several times what running it does.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session

from services.fulfillment.models import Table

_tables = Table.metadata.tables

rate = _tables["rate"]
zone_rule = _tables["zone_rule"]
shipment = _tables["shipment"]
shipment_line = _tables["shipment_line"]
carrier_event = _tables["carrier_event"]

Adding = Mapping[str, ReturningInsert[Any]]
"""Dialect → the INSERT that leaves a row alone whose key is taken, and gives a column of a row that is new."""


def adding(table: SqlTable, answer: str) -> Adding:
    """Of a table; `answer` is the column that a new row gives."""
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing().returning(table.c[answer]),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing().returning(table.c[answer]),
    }


def added(session: Session, statements: Adding, values: Mapping[str, object]) -> bool:
    """Whether the row was new. A rival's uncommitted row is waited for."""
    return session.execute(statements[session.get_bind().dialect.name], values).first() is not None
