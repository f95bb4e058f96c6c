"""Damage that the database itself would refuse, planted so that an audit query has something to find."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import text
from sqlmodel import Session

from services.runtime.db import Database


def unnoticed(
    database: Database, planted: Iterable[tuple[str, str]], broken: Callable[[Session], Collection[str]]
) -> list[tuple[str, str]]:
    """Of each (rule, statement) those whose statement breaks its rule and `broken` does not say so; nothing of it stays.

    Copies hide the tables meanwhile, and a copy has no constraint: rules that the database guards can be broken too.
    """
    home = "main" if database.is_sqlite else "public"
    missed = []
    with database.alone() as connection:
        for table in database.metadata.tables:
            connection.execute(text(f'CREATE TEMPORARY TABLE "{table}" AS SELECT * FROM {home}."{table}"'))
        for rule, statement in planted:
            unharmed = connection.begin_nested()
            assert connection.execute(text(statement)).rowcount, f"changes nothing: {statement}"
            with Session(connection) as session:
                if rule not in broken(session):
                    missed.append((rule, statement))
            unharmed.rollback()
        connection.rollback()
    return missed
