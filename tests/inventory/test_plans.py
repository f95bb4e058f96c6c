"""No statement of an order's life reads a table of inventory from end to end."""

from __future__ import annotations

import pytest

from tests.inventory.stockroom import Stockroom
from tests.plans import recorded, scans

pytestmark = pytest.mark.on_postgres


def test_no_statement_of_an_orders_life_reads_a_whole_table(stockroom: Stockroom) -> None:
    if not stockroom.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    statements = recorded(stockroom.database)

    stockroom.receive("w1", "A", 3)
    stockroom.expect("w1", "A", 30, "2026-04-01")
    stockroom.reserve("ord_1", {"1": ("A", 2)})
    stockroom.reserve("ord_2", {"1": ("A", 4)})
    stockroom.held("ord_2")
    stockroom.change("ord_2", {"1": ("A", 5), "2": ("B", 1)})
    stockroom.change("ord_2", {"1": ("A", 3)})
    stockroom.ship("ord_1", "shp_1", "w1", {"1": ("A", 2)})
    stockroom.receive("w1", "A", 3)
    stockroom.release("ord_2")
    stockroom.fill_on()

    assert len(statements) > 30
    # in_turn is no table: it is what the statement has found by the index of queues
    assert scans(stockroom.database, statements, {"in_turn"}) == []
