"""Databases that an earlier release made are brought to the schema of this one, with what they hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import select, text

from services.inventory.store import batches
from services.inventory.store.tables import expected_receipt, unfilled, unnotified
from services.runtime.db import Database
from services.runtime.migrations import config_of, differences, upgrade
from tests.inventory.stockroom import Stockroom

RELEASED = "0004"


@pytest.mark.on_postgres
def test_what_a_batch_of_the_release_before_left_is_taken_up_and_has_waited_since_the_upgrade(
    database: Database, stockroom: Stockroom
) -> None:
    before = datetime.now(UTC)
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), RELEASED)
        connection.execute(text("INSERT INTO unfilled (sku) VALUES ('HOT')"))
        connection.execute(text("INSERT INTO unnotified VALUES ('ord_1', 'res_1', 7)"))

    upgrade(database)

    assert differences(database) == []
    with database.reading() as session:
        since = [session.execute(select(table.c.left_at)).scalar_one() for table in (unfilled, unnotified)]
        assert all(before <= one <= datetime.now(UTC) for one in since)
        assert batches.next_left(session, 5) == ["HOT"]
        assert batches.next_unnotified(session, 5) == ["ord_1"]
    with database.transaction() as session:
        batches.leave(session, ["HOT", "WARM"], datetime.now(UTC))
    assert stockroom.broken() == {}


def test_the_schema_that_was_released_stays_as_it_was(database: Database) -> None:
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "base")
        command.upgrade(config_of(database.migrations, connection), RELEASED)
        columns = connection.execute(text("SELECT * FROM unnotified")).keys()

    assert list(columns) == ["order_id", "reservation_id", "placed_at_micros"]


@pytest.mark.on_postgres
def test_references_that_were_announced_twice_keep_their_receipts_under_names_of_their_own(
    database: Database, stockroom: Stockroom
) -> None:
    stockroom.receive("w1", "A", 1)
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0009")
        for at, reference in enumerate(("PO-1", "PO-1", "PO-1 (2)", "PO-1", "")):
            connection.execute(
                text(
                    f"INSERT INTO expected_receipt VALUES ('exp_{at}', 'w1', 'A', 5, 5, '2026-04-0{at + 1}', '{reference}')"
                )
            )

    upgrade(database)

    assert differences(database) == []
    with database.reading() as session:
        found = session.execute(select(expected_receipt).order_by(expected_receipt.c.expected_receipt_id)).all()
    assert [one.reference for one in found] == ["PO-1", "PO-1 (3)", "PO-1 (2)", "PO-1 (4)", ""]
    assert {(one.kind, one.cancelled_quantity, one.remaining_quantity) for one in found} == {("purchase_order", 0, 5)}
    assert stockroom.broken() == {}
