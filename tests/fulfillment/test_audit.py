from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.store.audit import INVARIANTS
from services.runtime import migrations
from services.runtime.audit import find_all
from services.runtime.db import Database
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk
from tests.fulfillment.test_reversal import reverse
from tests.fulfillment.test_waves import create
from tests.planting import unnoticed

pytestmark = pytest.mark.on_postgres

LATER = "2040-01-01T00:00:00.000000+00:00"

_STOPPED = (
    "INSERT INTO shipment_interception (shipment_id, state, reason, asked_by, asked_at, answered_at) "
    f"SELECT shipment_id, 'intercepted', 'stopped', '', '{LATER}', '{LATER}' FROM shipment WHERE serial = 1003"
)
_PACKED_TOO_SOON = (
    "INSERT INTO package_line (shipment_id, number, line_id, sku, quantity) SELECT shipment_id, 1, line_id, sku, 1 "
    "FROM shipment_line WHERE shipment_id = (SELECT shipment_id FROM shipment WHERE serial = 1002)"
)
PLANTED = (
    ("fulfillment.shipment_state_is_known", "UPDATE shipment SET state = 'lost' WHERE serial = 1001"),
    ("fulfillment.steps_taken_in_order", "UPDATE shipment SET picked_at = NULL WHERE serial = 1003"),
    ("fulfillment.steps_taken_in_order", "UPDATE shipment SET packed_at = NULL WHERE serial = 1003"),
    ("fulfillment.steps_taken_in_order", "UPDATE shipment SET state = 'picked' WHERE serial = 1002"),
    ("fulfillment.steps_taken_in_order", f"UPDATE shipment SET released_at = '{LATER}' WHERE serial = 1003"),
    ("fulfillment.steps_taken_in_order", f"UPDATE shipment SET picked_at = '{LATER}' WHERE serial = 1003"),
    ("fulfillment.steps_taken_in_order", f"UPDATE shipment SET packed_at = '{LATER}' WHERE serial = 1003"),
    ("fulfillment.steps_taken_in_order", f"UPDATE shipment SET shipped_at = '{LATER}' WHERE serial = 1003"),
    ("fulfillment.instants_match_state", "UPDATE shipment SET shipped_at = NULL WHERE serial = 1003"),
    ("fulfillment.instants_match_state", f"UPDATE shipment SET shipped_at = '{LATER}' WHERE serial = 1002"),
    ("fulfillment.instants_match_state", "UPDATE shipment SET state = 'shipped' WHERE serial = 1003"),
    ("fulfillment.instants_match_state", "UPDATE shipment SET state = 'cancelled' WHERE serial = 1002"),
    ("fulfillment.delivered_after_shipped", f"UPDATE shipment SET shipped_at = '{LATER}' WHERE serial = 1003"),
    ("fulfillment.shipment_has_lines", "DELETE FROM shipment_line"),
    ("fulfillment.quantities_positive", "UPDATE shipment_line SET quantity = 0"),
    ("fulfillment.picked_within_quantity", "UPDATE shipment_line SET picked_quantity = quantity + 1"),
    ("fulfillment.picked_within_quantity", "UPDATE shipment_line SET picked_quantity = -1"),
    ("fulfillment.picked_in_full", "UPDATE shipment_line SET picked_quantity = 0"),
    ("fulfillment.shipped_goods_are_tracked", "UPDATE shipment SET freight_minor = NULL WHERE serial = 1003"),
    ("fulfillment.shipped_goods_are_tracked", "UPDATE shipment SET tracking_number = NULL WHERE serial = 1003"),
    ("fulfillment.shipped_goods_are_tracked", "UPDATE shipment SET carrier = '' WHERE serial = 1003"),
    ("fulfillment.shipped_goods_are_tracked", "UPDATE shipment SET freight_minor = 1 WHERE serial = 1001"),
    ("fulfillment.shipped_goods_are_tracked", "UPDATE shipment SET tracking_number = '1Z' WHERE serial = 1001"),
    ("fulfillment.shipped_goods_are_tracked", "UPDATE shipment SET carrier = 'slow' WHERE serial = 1001"),
    ("fulfillment.tracking_numbers_unique", "UPDATE package SET tracking_number = '1Z'"),
    ("fulfillment.package_codes_unique", "UPDATE package SET sscc = '095213210000000018'"),
    ("fulfillment.units_are_packed_once", "UPDATE package_line SET quantity = quantity + 1"),
    ("fulfillment.units_are_packed_once", "DELETE FROM package_line"),
    ("fulfillment.units_are_packed_once", "UPDATE package_line SET sku = 'B'"),
    ("fulfillment.units_are_packed_once", _PACKED_TOO_SOON),
    ("fulfillment.packages_are_tracked", "UPDATE package SET tracking_number = NULL"),
    ("fulfillment.packages_are_tracked", "UPDATE package SET tracking_number = '1Z'"),
    ("fulfillment.delivered_with_its_packages", "UPDATE package SET delivered_at = NULL"),
    (
        "fulfillment.delivered_with_its_packages",
        "UPDATE shipment SET state = 'shipped', delivered_at = NULL WHERE serial = 1003",
    ),
    ("fulfillment.numbers_unique_and_gapless", "UPDATE shipment SET serial = 1010 WHERE serial = 1003"),
    ("fulfillment.numbers_unique_and_gapless", "UPDATE shipment SET serial = 1002 WHERE serial = 1001"),
    ("fulfillment.delivered_by_the_carriers_word", "DELETE FROM carrier_event"),
    ("fulfillment.delivered_by_the_carriers_word", "UPDATE carrier_event SET status = 'in_transit'"),
    ("fulfillment.delivered_by_the_carriers_word", "UPDATE carrier_event SET carrier = 'another'"),
    (
        "fulfillment.the_carriers_word_is_heard",
        "UPDATE package SET delivered_at = NULL",
    ),
    (
        "fulfillment.intercepted_is_not_delivered",
        _STOPPED,
    ),
    ("fulfillment.cancelled_order_has_nothing_open", f"UPDATE warehouse_order SET cancelled_at = '{LATER}'"),
    ("fulfillment.reversed_shipments_are_replaced", "UPDATE shipment SET state = 'packed' WHERE serial = 1004"),
    ("fulfillment.reversed_shipments_are_replaced", "UPDATE shipment SET replaces = '' WHERE serial = 1005"),
    ("fulfillment.reversed_shipments_are_replaced", "UPDATE shipment_reversal SET replaced_by = 'SH-1001'"),
    ("fulfillment.recalled_shipments_wait", "UPDATE shipment SET recall_id = 'rcl_none' WHERE serial = 1001"),
    ("fulfillment.recalled_shipments_wait", "UPDATE shipment SET state = 'shipped' WHERE serial = 1002"),
    ("fulfillment.recalled_shipments_wait", "UPDATE recall SET state = 'acknowledged'"),
    ("fulfillment.returns_are_counted", "UPDATE expected_return_line SET received = received + 1"),
    ("fulfillment.returns_are_counted", "UPDATE expected_return_line SET quantity = 1"),
    ("fulfillment.returns_are_counted", "DELETE FROM return_receipt"),
    ("fulfillment.returns_are_inspected_once", "UPDATE expected_return_line SET inspected = 3"),
    ("fulfillment.returns_are_inspected_once", "DELETE FROM inspected_units"),
    ("fulfillment.recalled_units_are_there", "UPDATE shipment SET recall_id = NULL"),
    ("fulfillment.recalled_units_are_there", "UPDATE recall_line SET quantity = quantity + 1"),
    ("fulfillment.recalled_units_are_there", "UPDATE recall_line SET sku = 'B'"),
    ("fulfillment.recalled_units_are_there", "UPDATE recall_line SET line_id = 'LS'"),
    ("fulfillment.waves_are_of_one_warehouse", "UPDATE wave SET warehouse_id = 'W9'"),
    ("fulfillment.cancelled_waves_hold_nothing", f"UPDATE wave SET cancelled_at = '{LATER}'"),
    ("fulfillment.cancelled_waves_hold_nothing", "DELETE FROM wave_shipment"),
)
"""A rule and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_desk(desk: WarehouseDesk) -> WarehouseDesk:
    """SH-1001 is a visit, SH-1002 waits in a wave and is asked back, SH-1003 is delivered, of 3 that come back 2 have, and 1 is inspected;
    SH-1004 had not left, SH-1005 has its goods.
    """
    _visit, waiting, sent = desk.release(("L1", "W1", 1), ("L1", "W2", 3), service=1)
    desk.scan(desk.send(sent))
    create(desk, waiting)
    desk.recall(L1=3, LS=1)
    desk.expect_return(L1=3)
    desk.count_back(L1=2)
    desk.inspect_back(("L1", 1, "A", "restock", "customer"))
    [other] = desk.release(("L1", "W1", 1), order_id="ord_2")
    reverse(desk, desk.send(other))
    return desk


def test_a_busy_warehouse_breaks_no_rule(busy_desk: WarehouseDesk) -> None:
    assert busy_desk.broken_rules() == {}


def test_each_rule_finds_who_breaks_it(busy_desk: WarehouseDesk) -> None:
    assert unnoticed(busy_desk.database, PLANTED, _broken) == []


def test_every_rule_is_planted() -> None:
    assert {invariant.name for invariant in INVARIANTS} == {rule for rule, _ in PLANTED}


def test_offenders_are_counted_in_full_and_shown_up_to_ten(desk: WarehouseDesk) -> None:
    for number in range(12):
        desk.release(("L1", "W1", 1), order_id=f"ord_{number}")
    with desk.database.transaction() as session:
        session.execute(text("DELETE FROM shipment_line"))

    answer = desk.service.Audit(pb.AuditRequest(), NO_CONTEXT)

    (empty,) = [rule for rule in answer.invariants if rule.name == "fulfillment.shipment_has_lines"]
    assert (empty.violations, len(empty.offenders), empty.offenders[0]) == (12, 10, "SH-1001 is empty")


def test_the_migrated_schema_is_the_models(database: Database) -> None:
    assert migrations.differences(database) == []


def _broken(session: Session) -> set[str]:
    return {each.name for each in find_all(session, INVARIANTS) if each.violations and each.offenders}
