"""Fixtures that every test may use: databases of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import MetaData

from services.runtime.db import Database
from tests import postgres
from tests.databases import migrated_url

ROOT = Path(__file__).resolve().parent.parent

# a busy machine may keep any test waiting: how long an example takes says nothing about it
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

MakeDatabase = Callable[[MetaData, str], Database]


@pytest.fixture(params=["sqlite", "postgres"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Make a migrated, empty database of a service: once on SQLite, once on PostgreSQL."""
    made: list[Database] = []

    def make(metadata: MetaData, service: str) -> Database:
        url = migrated_url(request.param, service, tmp_path)
        database = Database(url, metadata, ROOT / "services" / service / "migrations")
        made.append(database)
        return database

    yield make
    for database in made:
        database.close()
        if not database.is_sqlite:
            postgres.drop(database.url)


LONG = ("bench/", "console/test_browser", "faults/", "system/test_a4_browser")
"""Tests of half a minute and more: begun last, each would keep one core busy while the other waits for the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first; all others stay in their order."""
    items.sort(key=lambda item: not item.path.relative_to(ROOT / "tests").as_posix().startswith(LONG))


def pytest_sessionfinish() -> None:
    """PostgreSQL ends with the tests, and its files go."""
    postgres.stop()
