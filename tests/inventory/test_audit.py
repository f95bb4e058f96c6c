from __future__ import annotations

import pytest
from sqlmodel import Session

from services.inventory.store.audit import INVARIANTS
from services.runtime.audit import find_all
from services.runtime.migrations import differences
from tests.inventory.stockroom import Stockroom
from tests.planting import unnoticed

pytestmark = pytest.mark.on_postgres

PLANTED = (
    ("inventory.allocated_within_on_hand", "UPDATE stock SET allocated = -1 WHERE sku = 'B'"),
    ("inventory.allocated_within_on_hand", "UPDATE stock SET allocated = on_hand + 1 WHERE sku = 'B'"),
    ("inventory.allocated_is_held", "UPDATE stock SET allocated = allocated - 1 WHERE sku = 'A'"),
    ("inventory.allocated_is_held", "DELETE FROM allocation"),
    ("inventory.ended_reservations_hold_nothing", "UPDATE reservation SET state = 'released' WHERE order_id = 'o1'"),
    ("inventory.ended_reservations_hold_nothing", "UPDATE reservation SET state = 'shipped' WHERE order_id = 'o1'"),
    ("inventory.on_hand_is_moved", "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'B'"),
    ("inventory.on_hand_is_moved", "DELETE FROM movement WHERE sku = 'B'"),
    (
        "inventory.on_hand_is_in_layers",
        "UPDATE cost_layer SET remaining_quantity = remaining_quantity - 1 WHERE sku = 'B'",
    ),
    ("inventory.on_hand_is_in_layers", "DELETE FROM cost_layer WHERE sku = 'B'"),
    (
        "inventory.value_is_moved",
        "UPDATE cost_layer SET remaining_value_minor = remaining_value_minor - 1 WHERE sku = 'B'",
    ),
    ("inventory.value_is_moved", "DELETE FROM cost_layer"),
    ("inventory.shipped_is_issued", "UPDATE allocation SET shipped_quantity = shipped_quantity + 1"),
    ("inventory.shipped_is_issued", "DELETE FROM movement WHERE kind = 'issued'"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET waiting_quantity = -1"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET filled_quantity = -1"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET cancelled_quantity = -1"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET waiting_quantity = 0"),
    ("inventory.waiting_belongs_to_active", "UPDATE reservation SET state = 'released' WHERE order_id = 'o2'"),
    ("inventory.nobody_waits_beside_stock", "UPDATE backorder SET sku = 'B'"),
)
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_stockroom(stockroom: Stockroom) -> Stockroom:
    """o1 holds what was left of A after o0 was sent, o2 waits for A, and B is free."""
    stockroom.receive("w1", "A", 8, "3.33")
    stockroom.receive("w1", "B", 5, "3.33")
    stockroom.reserve("o0", {"l1": ("A", 3)})
    stockroom.ship("o0", "shp_1", "w1", {"l1": ("A", 3)})
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 2)})
    return stockroom


def test_a_busy_stockroom_breaks_no_invariant(busy_stockroom: Stockroom) -> None:
    assert busy_stockroom.broken() == {}


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in INVARIANTS} == {name for name, _ in PLANTED}


def test_the_audit_finds_every_planted_violation(busy_stockroom: Stockroom) -> None:
    assert unnoticed(busy_stockroom.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    return {each.name for each in find_all(session, INVARIANTS) if each.violations and each.offenders}


def test_an_audit_lists_every_order_that_holds_or_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 2)})

    assert list(stockroom.audit().holding_order_ids) == ["o1", "o2"]


def test_the_migrated_schema_is_the_one_of_the_models(stockroom: Stockroom) -> None:
    assert differences(stockroom.database) == []
