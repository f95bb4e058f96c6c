"""An order of as many lines as one may have costs inventory as many statements as one of a tenth of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import insert

from services.inventory.store.tables import cost_layer, movement, stock
from services.inventory.transactions import PAGE
from services.kernel.bounds import MAX_LINES
from services.kernel.ids import new_id
from tests.inventory.stockroom import Stockroom
from tests.plans import counted

FEWER = MAX_LINES // 10
Lines = dict[str, tuple[str, int]]


def skus(kind: str, count: int) -> Lines:
    """Line id → SKU and units: a SKU of its own for each line, or one for all of them."""
    return {str(number): (f"S{count}" if kind == "one" else f"S{count}-{number}", 2) for number in range(1, count + 1)}


def shelve(stockroom: Stockroom, lines: Lines, units: int) -> None:
    """So many units in w1 for each line, straight into the tables: how they came there is not what is counted."""
    wanted = sorted(Counter(sku for sku, _ in lines.values()).items())
    here = [{"warehouse_id": "w1", "sku": sku} for sku, _ in wanted]
    counts = [{"quantity": count * units, "value_minor": count * units * 5, "currency": "USD"} for _, count in wanted]
    ids = [{"movement_id": new_id("mov")} for _ in wanted]
    came = {"kind": "received", "order_id": "", "shipment_id": "", "reference": "", "occurred_at": stockroom.now}
    with stockroom.database.transaction() as session:
        for table, more in (
            (stock, [{"on_hand": count["quantity"], "allocated": 0} for count in counts]),
            (movement, [{**count, **one, **came} for count, one in zip(counts, ids, strict=True)]),
            (cost_layer, [{**count, **one, **_layer(count)} for count, one in zip(counts, ids, strict=True)]),
        ):
            session.execute(insert(table), [{**place, **row} for place, row in zip(here, more, strict=True)])


def _layer(count: dict[str, Any]) -> dict[str, Any]:
    left = {"remaining_quantity": count["quantity"], "remaining_value_minor": count["value_minor"]}
    return {"number": 1, "unit_cost": "0.05", **left}


def life(stockroom: Stockroom, kind: str, count: int) -> dict[str, int]:
    """Step → its statements: one order ships, one has half of each line and is changed, the third waits for what it gives up."""
    lines, order_id = skus(kind, count), f"ord_{count}"
    one_each = {line: (sku, 1) for line, (sku, _) in lines.items()}
    shelve(stockroom, lines, 2)
    stockroom.expect("w1", lines["1"][0], 10, "2026-04-01")
    steps = {
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
    assert sum(stockroom.held(f"{order_id}_last").values()) == count
    stockroom.release(f"{order_id}_last")
    return statements


@pytest.mark.parametrize("kind", [pytest.param("distinct", marks=pytest.mark.on_postgres), "one"])
def test_statements_do_not_grow_with_the_lines_of_an_order(stockroom: Stockroom, kind: str) -> None:
    stockroom.receive("w1", "OTHER", 1)  # a warehouse has its currency by its first receipt

    few, many = life(stockroom, kind, FEWER), life(stockroom, kind, MAX_LINES)

    # the queue is filled a page at a time, by six statements each
    assert many == {**few, "give up": few["give up"] + 6 * (MAX_LINES // PAGE - 1)}
    assert stockroom.broken() == {}
