from __future__ import annotations

import pytest
from sqlalchemy import text

from services.runtime.migrations import differences
from tests.inventory.stockroom import Stockroom

DAMAGE = {
    "inventory.allocated_is_held": "UPDATE stock SET allocated = allocated - 1 WHERE sku = 'A'",
    "inventory.ended_reservations_hold_nothing": "UPDATE reservation SET state = 'released' WHERE order_id = 'o1'",
    "inventory.on_hand_is_moved": "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'B'",
    "inventory.on_hand_is_in_layers": "UPDATE cost_layer SET remaining_quantity = remaining_quantity - 1 WHERE sku = 'B'",
    "inventory.value_is_moved": "UPDATE cost_layer SET remaining_value_minor = remaining_value_minor - 1 WHERE sku = 'B'",
    "inventory.shipped_is_issued": "UPDATE allocation SET shipped_quantity = shipped_quantity + 1",
    "inventory.waiting_belongs_to_active": "UPDATE reservation SET state = 'released' WHERE order_id = 'o2'",
    "inventory.nobody_waits_beside_stock": "UPDATE backorder SET sku = 'B'",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_an_audit_names_the_rule_that_was_broken(stockroom: Stockroom, name: str) -> None:
    stockroom.receive("w1", "A", 5, "3.33")
    stockroom.receive("w1", "B", 5, "3.33")
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 2)})
    assert stockroom.broken() == {}

    with stockroom.database.transaction() as session:
        session.execute(text(DAMAGE[name]))

    broken = stockroom.broken()
    assert name in broken
    assert broken[name][0]


def test_an_audit_lists_every_order_that_holds_or_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 2)})

    assert list(stockroom.audit().holding_order_ids) == ["o1", "o2"]


def test_the_migrated_schema_is_the_one_of_the_models(stockroom: Stockroom) -> None:
    assert differences(stockroom.database) == []
