"""Rows with a version: one statement creates or replaces, and refuses who has seen another version."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Table, and_, select, update
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from services.kernel.errors import Refused


class Versioned(Protocol):
    """A value that counts how often it was stored; the version makes no two of them different."""

    @property
    def version(self) -> int:
        """How often; 0 before the first time."""


def put(
    session: Session,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    expected: int | None = None,
    *,
    first: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Create the row of a key or replace its other columns; gives its new version. A new row alone has the `first` values.

    With an `expected` version the row must be there and have it: one UPDATE decides, so of two writers who saw the same version
    the second is Refused VERSION_STALE.
    """
    if expected is not None:
        return _replace(session, table, key, values, expected)
    created = postgresql.insert(table).values(**key, **values, **first, version=1)  # the clause is SQLite's too
    replacing = {**values, "version": table.c.version + 1}
    statement = created.on_conflict_do_update(index_elements=list(key), set_=replacing).returning(table.c.version)
    return int(session.execute(statement).scalar_one())


def _replace(session: Session, table: Table, key: Mapping[str, Any], values: Mapping[str, Any], expected: int) -> int:
    is_it = and_(*(table.c[name] == value for name, value in key.items()))
    seen = update(table).where(is_it, table.c.version == expected).values(**values, version=expected + 1)
    if session.execute(seen.returning(table.c.version)).scalar() is None:
        raise stale(session.execute(select(table.c.version).where(is_it)).scalar())
    return expected + 1


def stale(version: int | None) -> Refused:
    """The refusal of who has seen another version than the one that stands; None where there is nothing yet."""
    if version is None:
        return Refused("VERSION_STALE", "there is none yet: leave the version out to create it", version="0")
    sentence = f"it is at version {version} now, and you have seen another one: read it again, then send your change"
    return Refused("VERSION_STALE", sentence, version=str(version))


def check_seen(version: int, expected: int | None) -> None:
    """Refuse who has seen another version than this one."""
    if expected is not None and expected != version:
        raise stale(version)


def is_unchanged(known: Versioned, wanted: object, expected: int | None) -> bool:
    """Whether what stands already says what is wanted; Refused VERSION_STALE then, where it has another version than expected."""
    if known != wanted:
        return False
    check_seen(known.version, expected)
    return True
