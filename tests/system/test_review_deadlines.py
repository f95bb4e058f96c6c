"""Reviews that run out of time, in the whole system."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.system.boardroom import DEADLINES, OVER_5000, Boardroom, placed
from tests.system.harness import System
from tests.system.trade import Trade, ok


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


def unanswered(trade: Trade, order_id: str) -> dict[str, Any]:
    """The order after five days in which nobody has answered: reminded, escalated, and out of time."""
    for hours in (4, 20, 96):
        trade.system.skip(order_id, timedelta(hours=hours, seconds=30))
        trade.when_idle(order_id)
    return trade.order(order_id)


@pytest.mark.parametrize(("on_expiry", "status"), [("reject", "expired"), ("hold", "on_hold")])
def test_a_review_that_nobody_decides_ends_as_the_policy_says(
    trade: Trade, room: Boardroom, on_expiry: str, status: str
) -> None:
    room.policy(OVER_5000, deadlines=DEADLINES | {"on_expiry": on_expiry})
    order = placed(room)

    ended = unanswered(trade, order["order_id"])

    assert (ended["status"], ended["reviews"][0]["state"]) == (status, "expired")
    assert not [s for s in trade.mails(order["number"]) if "accepted" in s.lower()]
    trade.until_audit_is_clean()


def test_a_released_expiry_hold_asks_the_review_again(trade: Trade, room: Boardroom) -> None:
    order = placed(room)
    held = unanswered(trade, order["order_id"])
    (hold,) = [one for one in held["holds"] if one["released_at"] is None]

    path = f"/v1/orders/{order['order_id']}/holds/{hold['hold_id']}/release"
    ok(trade.system.api(hold["owner_role"]).post(path, json={"note": "they are back"}))
    asked = trade.when_idle(order["order_id"])
    ok(room.decide("manager", order["order_id"], "approve", version=1))
    released = trade.when_idle(order["order_id"])

    assert [review["state"] for review in asked["reviews"]] == ["expired", "open"]
    assert [each["status"] for each in (held, asked, released)] == ["on_hold", "in_review", "in_fulfilment"]
    trade.until_audit_is_clean()
