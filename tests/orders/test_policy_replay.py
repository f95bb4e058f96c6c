"""Policies tried on orders of the past: what would have been decided otherwise, and that nothing is changed by asking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.orders.domain.policies import Policy, parse_policy
from services.orders.domain.replayed import Decision, ReplayedOrder
from services.orders.overview import replay
from services.orders.policies import engine, versions
from tests.orders.change_desk import asked, changed, quantity
from tests.orders.desk import NOON, Desk, amount

LARGE = {
    "code": "LARGE_ORDER",
    "when": "order.total_minor > 100000",
    "severity": "HOLD",
    "hold_type": "review",
    "owner_role": "support",
    "message": "The order is over 1,000.",
}
OVER_LIMIT = {"code": "OVER_LIMIT", "when": "!credit.is_granted", "severity": "BLOCK", "message": "No credit."}
ASKED = {
    "code": "ASKED",
    "when": "order.total_minor > 100000",
    "message": "The order is over 1,000.",
    "tiers": [{"role": "approver", "position": "sales_manager"}],
}
HARMLESS = {"code": "NEVER", "when": "order.total_minor < 0", "severity": "WARN", "message": "It never speaks."}


def policy(*rules: dict[str, Any], reviews: tuple[dict[str, Any], ...] = ()) -> Policy:
    return parse_policy({"rules": list(rules) or [HARMLESS], "reviews": list(reviews)}, 0)


def replayed(desk: Desk, tried: Policy, most: int = 100) -> list[ReplayedOrder]:
    with desk.database.reading() as session:
        found, _ = replay.replay(session, tried, (NOON, ""), desk.now + timedelta(days=1), most)
        return found


def everything(desk: Desk) -> dict[str, list[str]]:
    """Every row of every table."""
    with desk.database.reading() as session:
        return {
            name: sorted(str(tuple(row)) for row in session.execute(text(f"SELECT * FROM {name}")))
            for name in sorted(desk.database.metadata.tables)
        }


@pytest.mark.on_postgres
def test_what_would_be_held_asked_and_let_go_is_said_and_no_row_changes(desk: Desk) -> None:
    small, large = desk.accepted(("PUMP", 1)), desk.accepted(("PUMP", 10))
    refused = desk.place(("PUMP", 2)).order_id
    desk.validate(refused, is_granted=False)
    before = everything(desk)

    found = {one.order_id: one for one in replayed(desk, policy(LARGE, reviews=(ASKED,)))}

    assert everything(desk) == before
    assert not found[small].differs
    assert found[large].before == Decision("cleared")
    assert found[large].after == Decision("held", ("LARGE_ORDER",), ("ASKED",), ("sales manager",))
    assert (found[refused].before.outcome, found[refused].after) == ("held", Decision("cleared"))


def test_credit_counts_as_it_stood_on_the_day(desk: Desk) -> None:
    granted, refused = desk.accepted(("PUMP", 1)), desk.place(("PUMP", 1)).order_id
    desk.validate(refused, is_granted=False)

    found = {one.order_id: one.after.outcome for one in replayed(desk, policy(OVER_LIMIT))}

    assert found == {granted: "cleared", refused: "rejected"}


def test_of_orders_of_before_it_was_kept_no_rule_about_credit_is_asked(desk: Desk) -> None:
    desk.validate(desk.place(("PUMP", 1)).order_id, is_granted=False)
    with desk.database.transaction() as session:
        session.execute(text("DELETE FROM validation"))

    (found,) = replayed(desk, policy(OVER_LIMIT))

    assert (found.is_credit_known, found.after.outcome, found.before.outcome) == (False, "cleared", "cleared")


def test_the_policy_of_the_day_is_compared_with_and_not_that_of_today(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 10))
    desk.now += timedelta(hours=1)
    with desk.database.transaction() as session:
        versions.put_policy(session, {"rules": [LARGE]}, "root", desk.now)

    (found,) = replayed(desk, policy(LARGE))

    assert (found.order_id, found.policy_version) == (order_id, engine.built_in().version)
    assert (found.before.outcome, found.after.outcome) == ("cleared", "held")


def test_an_order_that_was_changed_is_taken_as_it_was_first_asked_about(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 10))
    changed(desk, order_id, asked(quantity("1", 1)))

    (found,) = replayed(desk, policy(LARGE))

    assert desk.read(order_id).order.version == 2
    assert (found.after.outcome, found.total) == ("held", amount("1383.53"))


def test_pages_join_to_the_whole_in_the_order_of_placing(desk: Desk) -> None:
    placed = [desk.accepted(("PUMP", units)) for units in (1, 2, 3)]

    found: list[str] = []
    after: replay.Place | None = (NOON, "")
    while after is not None:
        with desk.database.reading() as session:
            page, after = replay.replay(session, policy(), after, desk.now + timedelta(days=1), 2)
        found += [one.order_id for one in page]

    assert found == placed
