"""Revisions that change which values a column may hold, on SQLite and PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op


def allow_values(table: str, values: Mapping[str, Sequence[str]], *, is_referred_to: bool = False) -> None:
    """Let each column hold these values and no others, from a revision: its constraint is `<table>_<column>`.

    SQLite changes no constraint: the table is written anew there with its rows and indexes. Where another table refers to it, its
    rows are missing for a moment, which is looked at when the revision commits.
    """
    if op.get_bind().dialect.name == "postgresql":
        for column, allowed in values.items():
            op.drop_constraint(f"{table}_{column}", table, type_="check")
            op.create_check_constraint(f"{table}_{column}", table, _one_of(column, allowed))
        return
    created, indexes = _definition(table)
    for column, allowed in values.items():
        created = _with_values(created, table, column, allowed)
    _rewrite(table, created, indexes, is_referred_to=is_referred_to)


def replace_unique(table: str, name: str, columns: Sequence[str]) -> None:
    """Let other columns be unique together under a constraint's name, from a revision; other tables may refer to this one."""
    wanted = f"UNIQUE ({', '.join(columns)})"
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(name, table, type_="unique")
        op.create_unique_constraint(name, table, list(columns))
        return
    created, indexes = _definition(table)
    changed, count = re.subn(rf"CONSTRAINT {name} UNIQUE \([^()]*\)", f"CONSTRAINT {name} {wanted}", created)
    if count != 1:
        raise RuntimeError(f"{table} has no constraint named {name}")
    _rewrite(table, changed, indexes, is_referred_to=True)


def _rewrite(table: str, created: str, indexes: Sequence[str], *, is_referred_to: bool) -> None:
    """A table of SQLite with its rows, as `created` says."""
    before = f"{table}_before"
    aside = [f"ALTER TABLE {table} RENAME TO {before}"]
    if is_referred_to:  # references follow a new name
        aside = [
            "PRAGMA defer_foreign_keys = ON",
            f"CREATE TABLE {before} AS SELECT * FROM {table}",  # noqa: S608 - names of tables
            f"DROP TABLE {table}",
        ]
    for statement in (*aside, created, f"INSERT INTO {table} SELECT * FROM {before}", f"DROP TABLE {before}", *indexes):  # noqa: S608 - names of tables
        op.get_bind().exec_driver_sql(statement)


def allow_more(table: str, columns: Sequence[str], *more: str) -> None:
    """Let each column hold these values beside those that it may hold by now, whatever earlier revisions said."""
    allow_values(table, {column: (*_allowed(table, column), *more) for column in columns})


def allow_fewer(table: str, columns: Sequence[str], *gone: str) -> None:
    """Let no column hold these values any more: takes allow_more() back."""
    allow_values(table, {column: [one for one in _allowed(table, column) if one not in gone] for column in columns})


def _allowed(table: str, column: str) -> list[str]:
    """What a column may hold by now."""
    name = f"{table}_{column}"
    if op.get_bind().dialect.name == "postgresql":
        query = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
        return re.findall(r"'([^']*)'", str(op.get_bind().execute(query, {"name": name}).scalar_one()))
    found = re.search(rf"CONSTRAINT {name} CHECK \({column} IN \(([^()]*)\)\)", _definition(table)[0])
    if found is None:
        raise RuntimeError(f"{table} has no list of values named {name}")
    return re.findall(r"'([^']*)'", found.group(1))


def _definition(table: str) -> tuple[str, list[str]]:
    """What created a table of SQLite, and each index on it."""
    schema = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL ORDER BY rowid")
    rows = op.get_bind().execute(schema, {"name": table}).all()
    (created,) = (row.sql for row in rows if row.type == "table")
    return created, [row.sql for row in rows if row.type == "index"]


def _with_values(created: str, table: str, column: str, allowed: Sequence[str]) -> str:
    name = f"{table}_{column}"
    list_of_values = re.compile(rf"CONSTRAINT {name} CHECK \({column} IN \([^()]*\)\)")
    changed, count = list_of_values.subn(f"CONSTRAINT {name} CHECK ({_one_of(column, allowed)})", created)
    if count != 1:
        raise RuntimeError(f"{table} has no list of values named {name}")
    return changed


def _one_of(column: str, allowed: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in allowed)})"
