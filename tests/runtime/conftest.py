"""A database with nothing but what the runtime itself keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, MetaData, Table

from services.runtime.db import Database, Flag, Int64, JsonText, Text, UtcDateTime
from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table
from tests import postgres


def runtime_metadata() -> MetaData:
    """The runtime's tables and one of our own with every column type."""
    metadata = MetaData()
    outbox_table(metadata)
    answers_table(metadata)
    Table(
        "shelf",
        metadata,
        Column("sku", Text, primary_key=True),
        Column("on_hand", Int64, nullable=False),
        Column("is_open", Flag, nullable=False),
        Column("seen_at", UtcDateTime, nullable=True),
        Column("notes", JsonText, nullable=True),
        CheckConstraint("on_hand >= 0", name="ck_shelf_on_hand"),
        sqlite_strict=True,
    )
    return metadata


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    yield from _database(request.param, tmp_path, "runtime")


@pytest.fixture
def other(database: Database, tmp_path: Path) -> Iterator[Database]:
    """Another database of the same kind."""
    yield from _database("sqlite" if database.is_sqlite else "postgres", tmp_path, "other")


def _database(kind: str, folder: Path, name: str) -> Iterator[Database]:
    url = f"sqlite:///{folder}/{name}.db" if kind == "sqlite" else postgres.new_database_url()
    database = Database(url, runtime_metadata(), folder)
    database.metadata.create_all(database.engine)
    yield database
    database.close()
