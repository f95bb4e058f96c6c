"""A migrated database a test, at the price of a copy: each service's is migrated once a test process."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from services.runtime.migrations import database_of
from tests import postgres


def migrated_url(kind: str, service: str, folder: Path) -> str:
    """The URL of a new database of this kind with the newest schema of the service and no rows; a file of it is in `folder`."""
    if kind == "postgres":
        return postgres.new_database_url(_migrated_postgres(service))
    path = folder / f"{service}.db"
    path.write_bytes(_migrated_sqlite(service))
    return f"sqlite:///{path}"


@cache
def _migrated_sqlite(service: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        _migrate(service, f"sqlite:///{path}")
        return path.read_bytes()


@cache
def _migrated_postgres(service: str) -> str:
    url = postgres.new_database_url()
    _migrate(service, url)
    return url


def _migrate(service: str, url: str) -> None:
    database = database_of(service, url)
    database.migrate()
    database.close()
