from __future__ import annotations

import pytest
from sqlalchemy import text

from services.orders.overview.audit import findings
from services.runtime.db import Database
from tests.orders.review_desk import FAY, MAX, ReviewDesk

BREAKS = (
    ("UPDATE review_decision SET order_version = 2", "orders.approval_bound_to_a_version"),
    ("UPDATE review_decision SET decided_by = 'ann' WHERE decided_by = 'max'", "orders.no_approval_by_a_party"),
    ("UPDATE review_decision SET authority = 'ann' WHERE decided_by = 'max'", "orders.no_approval_by_a_party"),
    (
        "UPDATE review_decision SET is_void = (1 = 1) WHERE decided_by = 'fay'",
        "orders.approved_review_has_its_approvals",
    ),
    ("UPDATE review_step SET needed = 2", "orders.approved_review_has_its_approvals"),
    ("UPDATE review_decision SET authority = 'fay' WHERE decided_by = 'max'", "orders.distinct_people_approve"),
    ("UPDATE review SET state = 'open'", "orders.accepted_order_has_no_standing_review"),
)


@pytest.mark.parametrize(("statement", "name"), BREAKS)
@pytest.mark.on_postgres
def test_a_planted_break_of_a_review_is_named(database: Database, statement: str, name: str) -> None:
    desk = ReviewDesk(database)
    order_id = desk.reviewed(200)
    desk.decide(order_id, MAX)
    desk.decide(order_id, FAY)
    assert desk.broken() == []

    with database.reading() as session:
        if name == "orders.distinct_people_approve":
            session.execute(text("DROP INDEX review_decision_distinct_authority"))
        session.execute(text(statement))
        found = [one.name for one in findings(session) if one.violations]
        session.rollback()

    assert name in found
