"""Rules asked again of an order that is held or changed: what they say is kept once, and a standing hold names all that it is about."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from services.kernel.errors import Refused
from services.orders.domain.holds import Hold
from services.orders.domain.masterdata import Product
from services.orders.masterdata import catalog
from services.orders.policies import engine, versions
from services.orders.store.holds import violations_of
from services.runtime.db import Database
from tests.orders.change_desk import apply, asked, changed, propose, quantity
from tests.orders.desk import ADMIN, PRODUCTS, SUPPORT, Desk

SMALL = {
    "code": "SMALL",
    "scope": "line",
    "when": "line.quantity < product.min_quantity",
    "severity": "HOLD",
    "hold_type": "quantity",
    "owner_role": "support",
    "message": "Less than the minimum.",
}
BLOCKED = {"code": "CLOSED", "when": "order.unit_count > 100", "severity": "BLOCK", "message": "It is closed."}
BLOCKED_2 = {**BLOCKED, "code": "CLOSED_2", "message": "It is closed, too."}


def failing(code: str, when: str) -> dict[str, Any]:
    hold = {"severity": "HOLD", "hold_type": "odd", "owner_role": "support", "message": "It is odd."}
    return {"code": code, "when": when, **hold}


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def _policy(desk: Desk, *rules: dict[str, Any]) -> None:
    with desk.database.transaction() as session:
        versions.put_policy(session, {"rules": list(rules)}, "root", desk.now)


def _product(desk: Desk, sku: str, **members: Any) -> None:
    [known] = [one for one in PRODUCTS if one.sku == sku]
    changed_product: Product = replace(known, **members)
    with desk.database.transaction() as session:
        catalog.put_product(session, changed_product, "root", desk.now)


def _open(desk: Desk, order_id: str) -> list[Hold]:
    return [hold for hold in desk.read(order_id).holds if hold.is_open]


def test_a_standing_hold_names_the_lines_that_its_rule_speaks_of_later(desk: Desk) -> None:
    _policy(desk, SMALL)
    order_id = desk.accepted(("PUMP", 8), ("CENT", 8))
    _product(desk, "PUMP", min_quantity=10)
    desk.clear_release(order_id)
    _product(desk, "CENT", min_quantity=10)

    desk.clear_release(order_id, key="2")

    [small] = _open(desk, order_id)
    assert small.reason == "Less than the minimum. (line 1, 2)"
    assert desk.release(order_id, small.hold_id, SUPPORT).holds[0].reason == small.reason
    assert desk.clear_release(order_id, key="3").is_clear
    assert desk.broken() == []


def test_a_change_of_an_accepted_order_rephrases_a_hold_that_stands(desk: Desk) -> None:
    _policy(desk, SMALL)
    order_id = desk.accepted(("PUMP", 8), ("CENT", 8))
    _product(desk, "PUMP", min_quantity=10)
    desk.clear_release(order_id)
    agreed = propose(desk, order_id, asked(quantity("1", 7))).change
    _product(desk, "CENT", min_quantity=10)

    assert apply(desk, order_id, agreed.change_id).is_applied

    assert [hold.reason for hold in _open(desk, order_id)] == ["Less than the minimum. (line 1, 2)"]
    assert desk.broken() == []


def test_a_rule_that_fails_at_the_change_is_asked_about_although_another_ones_failure_was_decided(desk: Desk) -> None:
    odd_lines, odd_units = "8 / (order.line_count - 2) > 100", "8 / (order.unit_count - 5) > 100"
    _policy(desk, failing("ODD_LINES", odd_lines))
    order_id = desk.place(("PUMP", 4), ("CENT", 4)).order_id
    desk.validate(order_id)
    desk.release(order_id, _open(desk, order_id)[0].hold_id, ADMIN)
    desk.record(order_id, "accepted")
    agreed = propose(desk, order_id, asked(quantity("1", 1))).change
    _policy(desk, failing("ODD_LINES", odd_lines), failing("ODD_UNITS", odd_units))

    applied = apply(desk, order_id, agreed.change_id)

    assert (agreed.state, applied.is_applied) == ("agreed", True)
    [odd] = _open(desk, order_id)
    assert odd.reason.startswith("rule ODD_UNITS could not be evaluated")
    assert desk.broken() == []


def test_a_hold_of_rules_that_fail_says_what_each_of_them_failed_of(desk: Desk) -> None:
    rules = [failing(code, "8 / (order.line_count - 2) > 100") for code in ("ODD", "ODDER")]
    _policy(desk, *rules)
    order_id = desk.place(("PUMP", 4), ("CENT", 4)).order_id

    desk.validate(order_id)

    [hold] = _open(desk, order_id)
    assert [f"rule {code} could not be evaluated" in hold.reason for code in ("ODD", "ODDER")] == [True, True]


def test_what_a_rule_blocks_of_a_version_is_kept_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 8))
    _product(desk, "PUMP", is_sellable=False)

    changed(desk, order_id, asked(quantity("1", 7)))

    with desk.database.reading() as session:
        said = Counter((one.code, one.line_id) for one in violations_of(session, order_id))
    assert said == {("SKU_NOT_SELLABLE", "1"): 1}
    assert [hold.code for hold in _open(desk, order_id)] == ["SKU_NOT_SELLABLE"]


def test_a_hold_of_a_rule_that_is_content_is_released_although_one_with_the_shorter_name_blocks(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 8))
    always = {"when": "order.line_count > 0"}
    _policy(desk, BLOCKED, {**BLOCKED_2, **always})
    desk.clear_release(order_id)
    [second] = _open(desk, order_id)
    _policy(desk, {**BLOCKED, **always}, BLOCKED_2)

    desk.release(order_id, second.hold_id, SUPPORT)

    assert (second.code, [hold.code for hold in _open(desk, order_id)]) == ("CLOSED_2", ["CLOSED"])


def test_the_release_of_a_hold_asks_the_rules_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 8))
    _product(desk, "PUMP", is_sellable=False)
    desk.clear_release(order_id)
    [blocked] = _open(desk, order_id)
    with pytest.raises(Refused):
        desk.release(order_id, blocked.hold_id, SUPPORT)
    _product(desk, "PUMP", is_sellable=True)
    before = _evaluations()

    desk.release(order_id, blocked.hold_id, SUPPORT)

    assert _evaluations() == before + 1


def _evaluations() -> int:
    """Each takes the policy's programs once."""
    uses = engine.compiled.cache_info()
    return uses.hits + uses.misses
