from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.store.audit import CHECKS, findings
from services.runtime import migrations
from services.runtime.db import Database
from tests.fulfillment.floor import NO_CONTEXT, Floor

PLANTS = {
    "shipment_state_is_known": "UPDATE shipment SET state = 'lost' WHERE serial = 1001",
    "steps_taken_in_order": "UPDATE shipment SET picked_at = NULL WHERE serial = 1003",
    "instants_match_state": "UPDATE shipment SET state = 'shipped' WHERE serial = 1003",
    "delivered_after_shipped": "UPDATE shipment SET shipped_at = '2040-01-01T00:00:00.000000+00:00' WHERE serial = 1003",
    "shipment_has_lines": "DELETE FROM shipment_line",
    "quantities_positive": "UPDATE shipment_line SET quantity = 0",
    "picked_within_quantity": "UPDATE shipment_line SET picked_quantity = quantity + 1",
    "picked_in_full": "UPDATE shipment_line SET picked_quantity = 0",
    "shipped_goods_are_tracked": "UPDATE shipment SET freight_minor = NULL, freight_currency = NULL",
    "numbers_unique_and_gapless": "UPDATE shipment SET serial = 1010 WHERE serial = 1003",
    "delivered_by_the_carriers_word": "DELETE FROM carrier_event",
    "the_carriers_word_is_heard": "UPDATE shipment SET state = 'shipped', delivered_at = NULL WHERE serial = 1003",
    "cancelled_order_has_nothing_open": "UPDATE floor_order SET cancelled_at = '2026-03-02T09:00:00.000000+00:00'",
    "recalled_shipments_wait": "UPDATE shipment SET recall_id = 'rcl_none' WHERE serial = 1003",
    "recalled_units_are_there": "UPDATE shipment SET recall_id = NULL",
}
"""Rule → a change that breaks it; tracking_numbers_unique cannot be planted, the index forbids it even unchecked."""


@pytest.fixture
def busy_floor(floor: Floor) -> Floor:
    """SH-1001 is a visit, SH-1002 waits and is asked back, SH-1003 is delivered."""
    _visit, _waiting, sent = floor.release(("L1", "W1", 1), ("L1", "W2", 1), service=1)
    floor.scan(floor.send(sent))
    floor.recall(L1=1, LS=1)
    return floor


def test_a_busy_floor_breaks_no_rule(busy_floor: Floor) -> None:
    assert busy_floor.broken_rules() == {}


def test_each_rule_finds_who_breaks_it(busy_floor: Floor) -> None:
    _unguard(busy_floor.database)

    found = {rule: _found_when_planted(busy_floor.database, rule) for rule in PLANTS}

    assert {rule for rule, offenders in found.items() if not offenders} == set()


def test_every_rule_but_one_has_its_plant() -> None:
    assert {check.name for check in CHECKS} - {f"fulfillment.{rule}" for rule in PLANTS} == {
        "fulfillment.tracking_numbers_unique"
    }


def test_offenders_are_counted_in_full_and_shown_up_to_ten(floor: Floor) -> None:
    for number in range(12):
        floor.release(("L1", "W1", 1), order_id=f"ord_{number}")
    with floor.database.transaction() as session:
        session.execute(text("DELETE FROM shipment_line"))

    answer = floor.service.Audit(pb.AuditRequest(), NO_CONTEXT)

    (empty,) = [rule for rule in answer.invariants if rule.name == "fulfillment.shipment_has_lines"]
    assert (empty.violations, len(empty.offenders), empty.offenders[0]) == (12, 10, "SH-1001 is empty")


def test_the_migrated_schema_is_the_models(database: Database) -> None:
    assert migrations.differences(database) == []


def _found_when_planted(database: Database, rule: str) -> tuple[str, ...]:
    """Who breaks the rule in a transaction that is then rolled back."""
    with database.alone() as connection, Session(connection) as session:
        if database.is_sqlite:
            session.connection().exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        session.connection().exec_driver_sql(PLANTS[rule])
        by_name = {finding.check.name: finding.offenders for finding in findings(session)}
        session.rollback()
    return by_name[f"fulfillment.{rule}"]


def _unguard(database: Database) -> None:
    """Take the CHECKs away, so that what they prevent can be planted."""
    if database.is_sqlite:
        return
    with database.transaction() as session:
        checks = session.execute(
            text(
                "SELECT conrelid::regclass AS owner, conname FROM pg_constraint WHERE contype = 'c' "
                "AND connamespace = 'public'::regnamespace"
            )
        ).all()
        for check in checks:
            session.execute(text(f'ALTER TABLE {check.owner} DROP CONSTRAINT "{check.conname}"'))
