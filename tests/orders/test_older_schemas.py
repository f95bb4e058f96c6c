"""Databases that an earlier release made are brought to the schema of this one, with what they hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import text

from services.orders.masterdata import customers
from services.orders.masterdata.customers import find_named
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


@pytest.mark.on_postgres
def test_a_customer_is_found_by_its_name_however_it_is_written_also_one_of_an_earlier_release(
    database: Database,
) -> None:
    desk = Desk(database)
    for number, name in enumerate(("Öl & Çelik A.Ş.", "ÖL & ÇELIK A.Ş.", "Straße Eins")):
        with database.transaction() as session:
            customers.put_customer(session, replace(ACME, customer_id=f"cus_{number}", name=name), "root", desk.now)
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0026")

    upgrade(database)

    with database.reading() as session:
        found = {
            name: [one.customer_id for one in find_named(session, name)] for name in ("öl & çelik a.ş.", "STRASSE EINS")
        }
    assert found == {"öl & çelik a.ş.": ["cus_0", "cus_1"], "STRASSE EINS": ["cus_2"]}
    assert differences(database) == []
