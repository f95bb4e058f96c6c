"""Long orders: one of as many lines as one may have costs inventory as many statements as one of a tenth of them.

A batch of such orders, and a warehouse of any number of SKUs, fit into the parameters of a statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import insert

from services.inventory import queues
from services.inventory.domain import facts
from services.inventory.store import tables
from services.kernel.bounds import MAX_LINES
from services.runtime.db import Database
from services.runtime.outbox import Notice
from tests.inventory.stockroom import MARCH, Stockroom
from tests.plans import counted, recorded

FEWER = MAX_LINES // 10
PARAMETERS = 32_766
"""What a statement of SQLite has room for; PostgreSQL has twice of it."""
Lines = dict[str, tuple[str, int]]


def skus(kind: str, count: int) -> Lines:
    """Line id → SKU and units: a SKU of its own for each line, or one for all of them."""
    return {str(number): (f"S{count}" if kind == "one" else f"S{count}-{number}", 2) for number in range(1, count + 1)}


def life(stockroom: Stockroom, kind: str, count: int) -> dict[str, int]:
    """Step → its statements: one order ships, one has half of each line and is changed, the third waits for what it gives up."""
    lines, order_id = skus(kind, count), f"ord_{count}"
    one_each = {line: (sku, 1) for line, (sku, _) in lines.items()}
    stockroom.shelve("w1", {sku: 2 * count for sku, count in Counter(sku for sku, _ in lines.values()).items()})
    stockroom.expect("w1", lines["1"][0], 10, "2026-04-01")
    steps: dict[str, Callable[[], object]] = {
        "reserve all": lambda: stockroom.reserve(f"{order_id}_first", one_each),
        "ship": lambda: stockroom.ship(f"{order_id}_first", f"shp_{count}", "w1", one_each),
        "reserve half": lambda: stockroom.reserve(order_id, lines),
        "read": lambda: stockroom.held(order_id),
        "more": lambda: stockroom.change(order_id, {line: (sku, 4) for line, (sku, _) in lines.items()}),
        "less": lambda: stockroom.change(order_id, {line: (sku, 2) for line, (sku, _) in lines.items()}),
        "wait": lambda: stockroom.reserve(f"{order_id}_last", one_each, placed_days=1),
        "give up": lambda: stockroom.release(order_id),
    }
    statements = {}
    for name, act in steps.items():
        with counted(stockroom.database) as ran:
            act()
        statements[name] = len(ran)
    stockroom.fill_on()
    assert sum(stockroom.held(f"{order_id}_last").values()) == count
    stockroom.release(f"{order_id}_last")
    return statements


@pytest.mark.parametrize("kind", [pytest.param("distinct", marks=pytest.mark.on_postgres), "one"])
def test_statements_do_not_grow_with_the_lines_of_an_order(stockroom: Stockroom, kind: str) -> None:
    stockroom.receive("w1", "OTHER", 1)  # a warehouse has its currency by its first receipt

    few, many = life(stockroom, kind, FEWER), life(stockroom, kind, MAX_LINES)

    assert many == few
    assert stockroom.broken() == {}


def test_a_batch_of_the_longest_orders_hears_of_its_days_in_statements_of_bounded_size(stockroom: Stockroom) -> None:
    orders = [f"ord_{number}" for number in range(17)]
    expect_for_long_orders(stockroom.database, orders)
    statements = recorded(stockroom.database)

    with stockroom.database.transaction() as session:
        queues.notify(session, [Notice(facts.EXPECTED, order_id, f"res_{order_id}") for order_id in orders], MARCH)

    days = [line["expected_on"] for fact in stockroom.facts("stock_expected") for line in fact["lines"].values()]
    assert days == ["2026-04-01"] * len(orders) * MAX_LINES
    assert max(map(len, statements.values())) <= PARAMETERS


def test_a_warehouse_of_very_many_skus_opens_again_in_statements_of_bounded_size(stockroom: Stockroom) -> None:
    stockroom.reserve("ord_1", {"l1": ("S33999", 2)}, {"w1": 900})
    stockroom.shelve("w1", {f"S{number}": 1 for number in range(17 * MAX_LINES)})
    stockroom.put_warehouse("w1", is_active=False)
    statements = recorded(stockroom.database)

    stockroom.put_warehouse("w1")

    assert stockroom.held("ord_1") == {("l1", "w1"): 1}
    assert max(map(len, statements.values())) <= PARAMETERS


def expect_for_long_orders(database: Database, orders: list[str]) -> None:
    """Each waits in MAX_LINES lines for a SKU of its own, and each SKU is expected: straight into the tables."""
    pairs = [(order_id, f"S{place}-{line}") for place, order_id in enumerate(orders) for line in range(MAX_LINES)]
    reserved = {"state": "active", "placed_at_micros": 0, "lease_seconds": 60, "lease_until": MARCH}
    waits = {"placed_at_micros": 0, "waiting_quantity": 1, "filled_quantity": 0, "cancelled_quantity": 0}
    comes = {"warehouse_id": "w1", "quantity": 1, "remaining_quantity": 1, "expected_on": "2026-04-01", "reference": ""}
    with database.transaction() as session:
        for order_id in orders:
            of_order = {"reservation_id": f"res_{order_id}"}
            session.execute(insert(tables.reservation), [{**reserved, **of_order, "order_id": order_id}])
            session.execute(insert(tables.candidate), [{**of_order, "warehouse_id": "w1", "cost_minor": 0}])
        shelf = [{"warehouse_id": "w1", "sku": sku, "on_hand": 0, "allocated": 0} for _, sku in pairs]
        session.execute(insert(tables.stock), shelf)
        session.execute(
            insert(tables.expected_receipt), [{**comes, "sku": s, "expected_receipt_id": s} for _, s in pairs]
        )
        queue = [{"reservation_id": f"res_{order_id}", "order_id": order_id, "sku": sku} for order_id, sku in pairs]
        session.execute(
            insert(tables.backorder), [{**waits, **w, "line_id": w["sku"], "backorder_id": w["sku"]} for w in queue]
        )
