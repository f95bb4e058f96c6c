from __future__ import annotations

from sqlalchemy import column, table
from sqlalchemy.engine.interfaces import CacheStats

from services.orders.models import Table
from tests.conftest import MakeDatabase


def test_what_one_database_has_compiled_is_not_compiled_for_the_next(make_database: MakeDatabase) -> None:
    hits = []
    for service in ("orders", "billing"):
        statement = table("alembic_version", column("version_num")).select().where(column("version_num") != "never")
        with make_database(Table.metadata, service).engine.connect() as connection:
            hits.append(connection.execute(statement).context.cache_hit)

    assert hits[1] is CacheStats.CACHE_HIT
