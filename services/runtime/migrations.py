"""One Alembic history a service; the same revisions run on SQLite and PostgreSQL."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from services.runtime.db import Database
from services.runtime.settings import ServiceSettings, UnusableSettings, read_settings

_ENCODING = "UTF8"
SERVICES = ("orders", "inventory", "fulfillment", "billing", "notifications")


class DatabaseNotCurrent(RuntimeError):
    """The database is not one that this release can work on; the message says what to do."""


def config_of(folder: Path, connection: Connection) -> Config:
    """What Alembic is told, for commands of its own on a history."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def run_env(metadata: MetaData) -> None:
    """What each service's env.py calls."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=False)
    context.run_migrations()


def upgrade(database: Database) -> None:
    """Bring the schema to the newest revision, in one transaction; refuse one from a newer release, and text that is not UTF-8."""
    _refuse_encoding(database)
    _refuse_unknown(database)
    with database.alone() as connection:
        command.upgrade(config_of(database.migrations, connection), "head")


def check(database: Database) -> None:
    """Raise DatabaseNotCurrent unless the schema is at the newest revision, in a database that keeps every name."""
    _refuse_encoding(database)
    _refuse_unknown(database)
    here, newest = current(database), _script(database).get_current_head()
    if here != newest:
        state = "has no tables yet" if here is None else f"is at revision {here}, this release needs {newest}"
        raise DatabaseNotCurrent(
            f"the database {_safe(database.url)} {state}: run `oms up`, or "
            f"`python -m services.runtime.migrations upgrade {database.migrations.parent.name}`"
        )


def current(database: Database) -> str | None:
    """The revision the database is at; None before the first."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def differences(database: Database) -> list[Any]:
    """What the models have and the migrated schema has not, or the other way round; empty when they agree."""
    with database.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), database.metadata))


def _script(database: Database) -> ScriptDirectory:
    return ScriptDirectory(str(database.migrations))


def _refuse_encoding(database: Database) -> None:
    """A cluster that was made without a locale keeps bytes of any kind (SQL_ASCII), and others lack most of the world's letters."""
    if database.is_sqlite:
        return
    with database.engine.connect() as connection:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != _ENCODING:
        raise DatabaseNotCurrent(
            f"the database {_safe(database.url)} keeps text as {encoding}, which cannot hold every name and address: make it "
            f"anew with CREATE DATABASE … ENCODING '{_ENCODING}' TEMPLATE template0, or the whole cluster with "
            f"initdb --encoding={_ENCODING}; what it holds already goes over with pg_dump and psql"
        )


def _refuse_unknown(database: Database) -> None:
    here = current(database)
    if here is not None and here not in {revision.revision for revision in _script(database).walk_revisions()}:
        raise DatabaseNotCurrent(
            f"the database {_safe(database.url)} is at revision {here}, which this release does not know: it was written by "
            "a newer release; run that release, or restore a backup"
        )


def _safe(url: str) -> str:
    """The URL without its password."""
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)


def database_of(service: str, url: str) -> Database:
    """The database of a service, by its name."""
    room = importlib.import_module(f"services.{service}")
    models = importlib.import_module(f"services.{service}.models")
    return Database(url, models.Table.metadata, Path(room.__file__ or "").parent / "migrations")


def revision(service: str, message: str) -> None:
    """Write the next revision of a service from the difference between its models and its history."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        database = database_of(service, f"sqlite:///{folder}/empty.db")
        (database.migrations / "versions").mkdir(parents=True, exist_ok=True)
        with database.alone() as connection:
            config = config_of(database.migrations, connection)
            command.upgrade(config, "head")
            number = len(list((database.migrations / "versions").glob("*.py"))) + 1
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
        database.close()


def main(arguments: list[str]) -> int:
    """`upgrade SERVICE` (database from OMS_DATABASE_URL) or `SERVICE MESSAGE` to write a revision."""
    match arguments:
        case ["upgrade", service] if service in SERVICES:
            try:
                upgrade(database_of(service, read_settings(ServiceSettings).database_url))
            except (DatabaseNotCurrent, UnusableSettings) as refusal:
                print(refusal, file=sys.stderr)
                return 1
        case [service, message] if service in SERVICES:
            revision(service, message)
        case _:
            print(f"usage: upgrade SERVICE | SERVICE MESSAGE, SERVICE one of {', '.join(SERVICES)}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
