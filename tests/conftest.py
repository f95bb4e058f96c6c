"""Fixtures that every test may use: databases of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from services.runtime.db import Database
from tests import postgres

ROOT = Path(__file__).resolve().parent.parent

MakeDatabase = Callable[[MetaData, str], Database]


@pytest.fixture(params=["sqlite", "postgres"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Make a migrated, empty database of a service: once on SQLite, once on PostgreSQL."""
    made: list[Database] = []

    def make(metadata: MetaData, service: str) -> Database:
        url = f"sqlite:///{tmp_path / service}.db" if request.param == "sqlite" else postgres.new_database_url()
        database = Database(url, metadata, ROOT / "services" / service / "migrations")
        made.append(database)
        database.migrate()
        return database

    yield make
    for database in made:
        database.close()


def pytest_sessionfinish() -> None:
    """PostgreSQL ends with the tests, and its files go."""
    postgres.stop()
