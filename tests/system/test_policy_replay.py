"""The time machine: last month's orders under a changed policy, through the public API, and nothing of the running system changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.kernel.clock import utc_now
from tests.system.test_a1_sourcing import Shop
from tests.system.trade import Trade, ok

RULE = {
    "code": "TRIED_HOLD", "when": "order.total_minor > 25000", "severity": "HOLD", "hold_type": "review", "owner_role": "support",
    "message": "The order is over 250.",
}  # fmt: skip


@pytest.fixture
def shop(trade: Trade) -> Shop:
    made = Shop(trade)
    trade.afterwards.callback(made.put_policy, {})
    return made


def all_rows(trade: Trade, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ok(trade.system.api("auditor").post(f"{path}?limit=200&cursor={cursor}", json=body))
        rows, cursor = [*rows, *page["rows"]], page["next_cursor"]
    return rows


def test_a_changed_sourcing_policy_and_a_new_rule_are_tried_on_orders_of_the_past(shop: Shop) -> None:
    trade = shop.trade
    since = (utc_now() - timedelta(seconds=1)).isoformat()
    units, _ = shop.plan(w2=1900)
    order = ok(trade.system.api("auditor").get(f"/v1/orders?customer_id={shop.customer}"))["rows"][0]

    sent = {"since": since, "policy": {"split_penalty_minor": 500}}
    [plan] = [
        one for one in all_rows(trade, "/v1/sourcing-policy/replay", sent) if one["order_id"] == order["order_id"]
    ]
    tried = {"since": since, "policy": {"rules": [RULE]}}
    [held] = [one for one in all_rows(trade, "/v1/policies/replay", tried) if one["order_id"] == order["order_id"]]

    assert units == {"w1": 10, "w3": 4}
    assert (plan["before"]["paid"]["amount"], plan["after"]["paid"]["amount"]) == ("17.00", "19.00")
    assert (len(plan["before"]["warehouse_ids"]), len(plan["after"]["warehouse_ids"])) == (2, 1)
    assert (held["before"]["outcome"], held["after"]["outcome"], held["after"]["reasons"]) == (
        "cleared",
        "held",
        ["TRIED_HOLD"],
    )
    assert held["is_credit_known"]
    assert ok(trade.system.api("auditor").get("/v1/sourcing-policy"))["split_penalty_minor"] == 0
    assert trade.order(order["order_id"])["status"] == order["status"]
    trade.until_audit_is_clean()
