"""What was here before there were cards stays as it was: orders by card count against credit, and the journal keeps its entries."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import text

from services.runtime.db import Database
from services.runtime.migrations import config_of, upgrade
from tests.billing.desk import Desk, order_of


@pytest.mark.on_postgres
def test_an_order_by_card_from_before_counts_against_credit_as_it_did(database: Database, desk: Desk) -> None:
    desk.limit(100_000)
    desk.commit("ord_1", 2_000)
    desk.commit("ord_2", 999_999)
    desk.invoice(order_of({"1": (1, "5.00")}, order_id="ord_3"), "shp_1", {"1": 1})
    desk.pay(300, "BANK-1")
    entries = desk.balances()
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0004")
        for table in ("commitment", "credit_wait"):
            connection.execute(text(f"UPDATE {table} SET payment_method = 'card'"))  # two names of ours

    upgrade(database)

    assert desk.balances() == entries
    assert desk.violations() == {}
    assert desk.release("ord_1") == 2_000
    assert desk.account() == (0, 200)
    assert desk.money("ord_2")["waiting_on"] == "credit"
    assert [one.is_by_card for one in desk.payments()] == [False]
