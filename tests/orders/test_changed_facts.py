"""Rules are asked again when people let an order go on: what has changed since it was placed holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.kernel.errors import Refused
from services.orders.approvals.holds import FACTS_CHANGED
from services.orders.domain.masterdata import AllowedShipTo, PriceAgreement, Product
from services.orders.masterdata import catalog, customers, prices
from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING, ACME, RITA, SUPPORT, Desk, usd
from tests.orders.review_desk import MAX, ReviewDesk

Change = Callable[[Any, Desk], object]


def _customer(**members: Any) -> Change:
    return lambda session, desk: customers.put_customer(session, replace(ACME, **members), "root", desk.now)


def _pump(**members: Any) -> Change:
    pump = Product("PUMP", "Pump", list_price=usd("129.00"), standard_cost=usd("80.00"), weight_grams=9000)
    return lambda session, desk: catalog.put_product(session, replace(pump, **members), "root", desk.now)


def _agreement(session: Any, desk: Desk) -> None:
    agreed = PriceAgreement("cus_acme", "PUMP", usd("99.00"), date(2026, 11, 1))
    prices.put_agreement(session, agreed, "root", desk.now)


CHANGES: dict[str, tuple[Change, str, str]] = {
    "the customer is deactivated": (_customer(is_active=False), "CUSTOMER_INACTIVE", FACTS_CHANGED),
    "the product is not sold any more": (_pump(is_sellable=False), "SKU_NOT_SELLABLE", FACTS_CHANGED),
    "the minimum quantity is raised": (_pump(min_quantity=1000), "QUANTITY_BELOW_MINIMUM", FACTS_CHANGED),
    "the packing unit is another": (_pump(multiple=7), "QUANTITY_NOT_ON_MULTIPLE", FACTS_CHANGED),
    "the ship-to is revoked": (_customer(allowed_ship_tos=(AllowedShipTo("CA"),)), "SHIP_TO_NOT_ALLOWED", "ship_to"),
}
"""What changes while the order waits → the rule that speaks now, and the type of the hold it leaves."""


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def _happens(desk: Desk, change: Change) -> None:
    with desk.database.transaction() as session:
        change(session, desk)


def _held_by(desk: Desk, order_id: str) -> list[tuple[str, str]]:
    found = desk.read(order_id)
    assert found.order.phase == "in_review"
    return [(hold.code, hold.hold_type) for hold in found.holds if hold.is_open]


def _credit_hold(desk: ReviewDesk) -> tuple[str, str]:
    order_id = desk.place(("PUMP", 8)).order_id
    desk.validate(order_id, is_granted=False)
    [hold] = desk.read(order_id).holds
    return order_id, hold.hold_id


@pytest.mark.parametrize("what", CHANGES)
def test_the_last_approval_holds_an_order_whose_facts_have_changed(desk: ReviewDesk, what: str) -> None:
    change, code, hold_type = CHANGES[what]
    order_id = desk.reviewed(40)
    _happens(desk, change)

    desk.decide(order_id, MAX)

    assert _held_by(desk, order_id) == [(code, hold_type)]
    assert "facts_changed" in [event.what for event in desk.events(order_id)]
    assert "order_on_hold" in desk.mails(order_id)
    assert desk.broken() == []


@pytest.mark.parametrize("what", CHANGES)
def test_the_release_of_the_last_hold_holds_an_order_whose_facts_have_changed(desk: ReviewDesk, what: str) -> None:
    change, code, hold_type = CHANGES[what]
    order_id, credit = _credit_hold(desk)
    _happens(desk, change)

    desk.release(order_id, credit, ACCOUNTING)

    assert _held_by(desk, order_id) == [(code, hold_type)]
    assert desk.signals(order_id) == []
    assert desk.broken() == []


def test_what_a_rule_blocks_is_not_let_pass_and_passes_once_the_fact_is_right_again(desk: ReviewDesk) -> None:
    order_id, credit = _credit_hold(desk)
    _happens(desk, _customer(is_active=False))
    desk.release(order_id, credit, ACCOUNTING)
    [blocked] = [hold for hold in desk.read(order_id).holds if hold.is_open]

    with pytest.raises(Refused) as refusal:
        desk.release(order_id, blocked.hold_id, SUPPORT)
    _happens(desk, _customer(is_active=True))
    after = desk.release(order_id, blocked.hold_id, SUPPORT)

    assert refusal.value.reason == "FACTS_STILL_WRONG"
    assert after.order.phase == "accepted"
    assert desk.signals(order_id) == ["holds_released"]
    assert desk.broken() == []


def test_the_captured_price_stands_although_another_is_agreed_by_now(desk: ReviewDesk) -> None:
    order_id, credit = _credit_hold(desk)
    _happens(desk, _agreement)

    after = desk.release(order_id, credit, ACCOUNTING)

    assert (after.order.phase, after.order.lines[0].unit_price) == ("accepted", usd("129.00"))


def test_what_was_decided_before_is_not_asked_twice(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 8, "140.00")).order_id
    desk.validate(order_id)
    [price] = desk.read(order_id).holds

    after = desk.release(order_id, price.hold_id, RITA)

    assert after.order.phase == "accepted"
