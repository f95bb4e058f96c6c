from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from services.runtime.migrations import SERVICES, DatabaseNotCurrent, check, config_of, database_of, main, upgrade
from tests import postgres


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_finds_its_migrations_whatever_shape_its_models_have(service: str, tmp_path: Path) -> None:
    database = database_of(service, f"sqlite:///{tmp_path / service}.db")

    upgrade(database)

    check(database)
    database.close()


RENAMED = {"warehouse_order_reason_needs_cancel"}
"""What SQLite keeps under the name that it had before its table was renamed."""


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_every_constraint_of_the_models(service: str, tmp_path: Path) -> None:
    database = database_of(service, f"sqlite:///{tmp_path / service}.db")
    upgrade(database)

    with database.reading() as session:
        made = " ".join(session.execute(text("SELECT sql FROM sqlite_master WHERE type = 'table'")).scalars())

    wanted = {str(one.name) for table in database.metadata.tables.values() for one in table.constraints if one.name}
    assert wanted - set(re.findall(r"CONSTRAINT (\w+)", made)) - RENAMED == set()
    database.close()


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_every_index_of_the_models(service: str, tmp_path: Path) -> None:
    database = database_of(service, f"sqlite:///{tmp_path / service}.db")
    upgrade(database)

    with database.reading() as session:
        made = set(session.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'")).scalars())

    assert {str(one.name) for table in database.metadata.tables.values() for one in table.indexes} - made == set()
    database.close()


def test_a_database_that_one_release_made_with_an_index_already_gets_no_second_one(tmp_path: Path) -> None:
    database = database_of("fulfillment", f"sqlite:///{tmp_path / 'fulfillment'}.db")
    upgrade(database)
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0009")
        connection.execute(text("CREATE INDEX expected_return_of_order ON expected_return (order_id)"))

    upgrade(database)

    check(database)
    database.close()


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def narrow_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database that cannot hold every letter."""
    url = postgres.new_database_url(encoding=request.param)
    yield url
    postgres.drop(url)


def test_a_database_that_does_not_keep_unicode_is_refused_with_what_to_do(narrow_url: str) -> None:
    database = database_of("billing", narrow_url)

    for act in (upgrade, check):
        with pytest.raises(DatabaseNotCurrent, match=r"keeps text as (SQL_ASCII|LATIN1), .*ENCODING 'UTF8' TEMPLATE"):
            act(database)

    database.close()


def test_the_migration_command_says_so_and_does_not_crash(
    narrow_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMS_DATABASE_URL", narrow_url)

    assert main(["upgrade", "orders"]) == 1

    assert "initdb --encoding=UTF8" in capsys.readouterr().err
