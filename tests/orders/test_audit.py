from __future__ import annotations

import pytest
from sqlalchemy import text

from oms.orders.v1 import orders_pb2 as pb
from services.orders.overview.audit import findings
from services.runtime.migrations import differences
from tests.orders.desk import ANY, Desk

pytestmark = pytest.mark.on_postgres

BREAKS = (
    ("DELETE FROM order_event WHERE sequence = 2", "orders.event_log_without_gaps"),
    ("DELETE FROM order_event", "orders.event_log_without_gaps"),
    ("UPDATE order_line SET extended_minor = extended_minor + 1", "orders.total_adds_up"),
    ("UPDATE order_progress SET status = 'shipped'", "orders.cache_equals_derivation"),
    ("UPDATE order_progress SET waiting_who = 'nobody'", "orders.cache_equals_derivation"),
    ("UPDATE sales_order SET cleared_at = NULL, accepted_at = NULL", "orders.phase_is_legal"),
    ("DELETE FROM order_progress", "orders.every_order_has_a_projection"),
    ("DELETE FROM order_line", "orders.every_order_has_lines"),
    (
        (
            "INSERT INTO hold (hold_id, order_id, code, hold_type, owner_role, reason, placed_at, released_by, "
            "released_role, note) SELECT 'h', order_id, 'X', 'x', 'admin', 'x', placed_at, '', '', '' FROM sales_order "
            "WHERE phase = 'rejected'"
        ),
        "orders.ended_order_has_no_open_hold",
    ),
    ("UPDATE outbox SET subject_id = 'order_received' WHERE kind = 'notify'", "orders.received_mail_once"),
)


def test_a_planted_break_is_named(desk: Desk) -> None:
    desk.accepted(("PUMP", 1))
    desk.validate(desk.place(("NOPE", 1)).order_id)
    assert desk.broken() == []

    for statement, name in BREAKS:
        with desk.database.reading() as session:
            session.execute(text(statement))
            found = [one.name for one in findings(session) if one.violations]
            session.rollback()

        assert name in found, statement
    assert desk.broken() == []


def test_the_audit_names_every_invariant_over_grpc(desk: Desk) -> None:
    rows = desk.servicer.Audit(pb.AuditRequest(), ANY).invariants

    assert {row.violations for row in rows} == {0}
    assert "orders.one_request_one_order" in {row.name for row in rows}


def test_the_migrated_schema_is_what_the_models_say(desk: Desk) -> None:
    assert differences(desk.database) == []
