from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from oms.inventory.v1 import counts_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory.queues import BATCH
from services.inventory.store.audit import GRACE, invariants
from services.runtime.audit import find_all
from services.runtime.migrations import differences
from tests.inventory.stockroom import MARCH, Stockroom
from tests.inventory.test_reversed_issues import reverse
from tests.planting import unnoticed

pytestmark = pytest.mark.on_postgres

_RETURNED = (
    "INSERT INTO returned_stock (movement_id, request_id, return_id, order_id, warehouse_id, sku, disposition, currency, quantity, "
    "value_minor, taken_at) VALUES ('mov_b', 'key/b', 'rma_1', 'o0', 'w1', 'A', '{what}', 'USD', {units}, {minor}, "
    "'2026-03-01T08:44:59.000000+00:00')"
)
_OUTAGE = (
    "INSERT INTO warehouse_outage (outage_id, warehouse_id, reason, declared_by, began_at, ends_at, order_count) VALUES "
    "('out_1', 'w1', 'flood', 'pat', '2026-03-01T08:44:59.000000+00:00', '2026-03-09T08:44:59.000000+00:00', 0)"
)
PLANTED = (
    ("inventory.bins_are_of_warehouses", "INSERT INTO stock_bin (warehouse_id, sku, bin) VALUES ('w1', 'A', '')"),
    ("inventory.bins_are_of_warehouses", "INSERT INTO stock_bin (warehouse_id, sku, bin) VALUES ('w9', 'A', 'A-1')"),
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
    ("inventory.reversed_issues_are_back", "UPDATE movement SET quantity = 2 WHERE kind = 'reversed'"),
    ("inventory.reversed_issues_are_back", "UPDATE movement SET value_minor = 1 WHERE kind = 'reversed'"),
    ("inventory.reversed_issues_are_back", "DELETE FROM movement WHERE kind = 'reversed'"),
    ("inventory.returned_was_issued", _RETURNED.format(what="scrap", units=4, minor=9)),
    ("inventory.returned_was_issued", _RETURNED.format(what="scrap", units=1, minor=1000)),
    ("inventory.restocked_is_moved", _RETURNED.format(what="restock", units=1, minor=333)),
    ("inventory.damaged_was_counted_out", "UPDATE returned_stock SET order_id = ''"),
    ("inventory.quarantine_is_decided_once", "UPDATE quarantine_decision SET quantity = 2"),
    ("inventory.quarantine_is_decided_once", "UPDATE quarantine_decision SET value_minor = 332"),
    ("inventory.quarantine_is_decided_once", "UPDATE quarantine_decision SET value_minor = 334"),
    ("inventory.quarantine_is_decided_once", "UPDATE returned_stock SET disposition = 'scrap'"),
    ("inventory.released_is_moved", "UPDATE quarantine_decision SET outcome = 'scrap'"),
    ("inventory.released_is_moved", "UPDATE quarantine_decision SET decision_id = 'mov_x'"),
    ("inventory.released_is_moved", "UPDATE movement SET quantity = 2 WHERE reference = 'rma_1'"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET waiting_quantity = -1"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET filled_quantity = -1"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET cancelled_quantity = -1"),
    ("inventory.backorder_quantities_positive", "UPDATE backorder SET waiting_quantity = 0"),
    ("inventory.waiting_belongs_to_active", "UPDATE reservation SET state = 'released' WHERE order_id = 'o2'"),
    ("inventory.nobody_waits_beside_stock", "UPDATE backorder SET sku = 'B'"),
    ("inventory.nobody_waits_beside_stock", "UPDATE backorder SET sku = 'B', delivery = 'line_complete'"),
    (
        "inventory.counts_are_moved",
        "UPDATE stock_count SET delta = -1, movement_id = 'mov_none'",
    ),
    (
        "inventory.count_losses_wait_again",
        "INSERT INTO count_loss SELECT count_id, 'res_none', 'l1', 'o1', 1, 0, 1 = 0 FROM stock_count",
    ),
    ("inventory.gathering_waits", "UPDATE reservation SET gathers_since = '2026-03-01T08:44:59.000000+00:00'"),
    (
        "inventory.queues_are_ranked",
        (
            "INSERT INTO allocation_policy (policy_id, tiers, usual_class, is_fair_share, put_at, version) "
            "VALUES ('company', '[]', 'gain', 1 = 0, '2026-03-01T08:44:59.000000+00:00', 9)"
        ),
    ),
    ("inventory.counts_are_moved", "UPDATE stock_count SET delta = -3"),
    ("inventory.counts_are_moved", "UPDATE stock_count SET movement_id = 'mov_x'"),
    ("inventory.counts_are_moved", "UPDATE count_loss SET quantity = 3"),
    ("inventory.count_losses_wait_again", "UPDATE count_loss SET line_id = 'l2'"),
    ("inventory.count_losses_wait_again", "UPDATE allocation SET released_quantity = 0"),
    (
        "inventory.counts_reach_shipments",
        "UPDATE stock_count SET closed_at = NULL, counted_at = '2026-03-01T08:44:59.000000+00:00'",
    ),
    ("inventory.expected_receipts_add_up", "UPDATE expected_receipt SET remaining_quantity = 6"),
    ("inventory.expected_receipts_add_up", "UPDATE expected_receipt SET cancelled_quantity = 1"),
    ("inventory.supply_changes_are_kept", "UPDATE expected_receipt SET remaining_quantity = 4"),
    ("inventory.supply_changes_are_kept", "UPDATE expected_receipt SET expected_on = '2026-03-21'"),
    (
        "inventory.orders_hear_of_other_days",
        "INSERT INTO unnotified VALUES ('o2', 'res_2', 0, '2026-03-01T08:44:59.000000+00:00')",
    ),
    ("inventory.outages_close", _OUTAGE),
    ("inventory.outages_are_left", _OUTAGE),
    (
        "inventory.orders_hear_of_sourcing",
        (
            "INSERT INTO sourcing_request (sourcing_request_id, order_id, cause, warehouse_id, why, asked_at) "
            "VALUES ('srq_1', 'o1', 'outage', 'w1', 'flood', '2026-03-01T08:44:59.000000+00:00')"
        ),
    ),
)
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_stockroom(stockroom: Stockroom) -> Stockroom:
    """o1 holds what was left of A after o0 was sent, o2 waits for A, and B is free; what was to be sent of C had not left.

    1 of D came back and left quarantine for stock. More of B is announced. 2 of the 4 of F that o5 held were not there.
    """
    stockroom.receive("w1", "A", 8, "3.33")
    stockroom.receive("w1", "B", 5, "3.33")
    stockroom.reserve("o0", {"l1": ("A", 3)})
    stockroom.ship("o0", "shp_1", "w1", {"l1": ("A", 3)})
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 2)})
    stockroom.receive("w1", "C", 1, "3.33")
    stockroom.reserve("o3", {"l1": ("C", 1)})
    stockroom.ship("o3", "shp_2", "w1", {"l1": ("C", 1)})
    reverse(stockroom, "o3", "shp_2", "w1", {"l1": ("C", 1)})
    stockroom.receive("w1", "D", 1, "3.33")
    stockroom.reserve("o4", {"l1": ("D", 1)})
    stockroom.ship("o4", "shp_3", "w1", {"l1": ("D", 1)})
    release(stockroom, "o4", "D")
    stockroom.expect("w1", "B", 5, "2026-03-20")
    stockroom.receive("w1", "F", 4, "3.33")
    stockroom.reserve("o5", {"l1": ("F", 4)})
    carried = [counts_pb2.CarriedUnits(order_id="o5", line_id="l1")]
    request = counts_pb2.CountStockRequest(
        request_id=stockroom.key(), warehouse_id="w1", sku="F", counted=2, reason="cycle count", counted_by="lee", carried=carried,
    )  # fmt: skip
    stockroom.servicer.CountStock(request, None)
    return stockroom


def release(stockroom: Stockroom, order_id: str, sku: str) -> None:
    """A unit comes back into quarantine and is released."""
    units = pb.ReturnedUnits(sku=sku, quantity=1, disposition="quarantine")
    back = pb.TakeReturnRequest(
        request_id=stockroom.key(), order_id=order_id, return_id="rma_1", warehouse_id="w1", units=[units]
    )
    stockroom.servicer.TakeReturn(back, None)
    [apart] = stockroom.servicer.ListQuarantine(pb.ListQuarantineRequest(), None).units
    decided = pb.DecideQuarantineRequest(
        request_id=stockroom.key(), movement_id=apart.movement_id, quantity=1, outcome="release", reason="tested"
    )
    stockroom.servicer.DecideQuarantine(decided, None)


def test_a_busy_stockroom_breaks_no_invariant(busy_stockroom: Stockroom) -> None:
    assert busy_stockroom.broken() == {}


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in invariants(MARCH)} == {name for name, _ in PLANTED}


def test_the_audit_finds_every_planted_violation(busy_stockroom: Stockroom) -> None:
    assert unnoticed(busy_stockroom.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    return {each.name for each in find_all(session, invariants(MARCH)) if each.violations and each.offenders}


def test_stock_that_is_left_to_the_next_batch_is_a_fault_once_that_does_not_come(stockroom: Stockroom) -> None:
    for n in range(BATCH + 1):
        stockroom.reserve(f"o{n:02}", {"l1": ("A", 1)}, placed_days=n)
    stockroom.receive("w1", "A", BATCH + 1)

    stockroom.now += GRACE
    within = stockroom.broken()
    stockroom.now += timedelta(seconds=1)

    assert within == {}
    assert stockroom.broken() == {
        "inventory.nobody_waits_beside_stock": [f"1 A free in w1, order o{BATCH} waits for 1"]
    }


def test_an_order_that_is_left_to_the_next_batch_is_a_fault_once_that_does_not_come(stockroom: Stockroom) -> None:
    for n in range(BATCH + 1):
        stockroom.reserve(f"o{n:02}", {"l1": ("A", 1)}, placed_days=n)
    stockroom.expect("w1", "A", BATCH + 1, "2026-04-01")

    stockroom.now += GRACE
    within = stockroom.broken()
    stockroom.now += timedelta(seconds=1)

    assert within == {}
    assert stockroom.broken() == {
        "inventory.orders_hear_of_other_days": [f"order o{BATCH} has not heard of its other days"]
    }


def test_an_audit_lists_every_order_that_holds_or_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 2)})

    assert list(stockroom.audit().holding_order_ids) == ["o1", "o2"]


def test_the_migrated_schema_is_the_one_of_the_models(stockroom: Stockroom) -> None:
    assert differences(stockroom.database) == []
