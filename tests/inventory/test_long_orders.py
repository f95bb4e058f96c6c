"""An order of as many lines as one may have costs inventory as many statements as one of a tenth of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from services.kernel.bounds import MAX_LINES
from tests.inventory.stockroom import Stockroom
from tests.plans import counted

FEWER = MAX_LINES // 10
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
