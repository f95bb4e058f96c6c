"""Databases that an earlier release made are brought to the schema of this one, with what they hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import text

from services.orders.masterdata import customers
from services.runtime.db import Database
from services.runtime.migrations import config_of, differences, upgrade
from tests.orders.change_desk import apply, asked, change, propose, quantity
from tests.orders.desk import ACME, BUYER, Desk


@pytest.mark.on_postgres
def test_why_a_change_did_not_come_about_is_kept_from_the_release_that_called_it_otherwise(database: Database) -> None:
    desk = Desk(database)
    order_id = desk.accepted(("PUMP", 8))
    agreed = propose(desk, order_id, asked(quantity("1", 9)), BUYER).change
    with database.transaction() as session:
        customers.put_customer(session, replace(ACME, is_active=False), "root", desk.now)
    assert not apply(desk, order_id, agreed.change_id).is_applied
    rejected = change(desk, order_id, agreed.change_id)
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0012")
        connection.execute(text("ALTER TABLE change_order RENAME COLUMN customer_reason TO told_reason"))

    upgrade(database)

    assert rejected.customer_reason
    assert change(desk, order_id, agreed.change_id).customer_reason == rejected.customer_reason
    assert differences(database) == []
