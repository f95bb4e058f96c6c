"""Before an accepted order's goods go to a warehouse later on, the rules are asked again; what has changed holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import Refused
from services.orders.approvals.holds import FACTS_CHANGED
from services.orders.domain.masterdata import AllowedShipTo, PriceAgreement, Product
from services.orders.lifecycle import cancel
from services.orders.masterdata import catalog, customers, prices
from services.orders.policies import versions
from services.runtime.db import Database
from tests.orders.change_desk import apply, asked, propose, quantity
from tests.orders.desk import ACME, BUYER, SUPPORT, Desk, shipment, stock, together, usd
from tests.orders.review_desk import ReviewDesk

Change = Callable[[Any, Desk], object]


def _customer(**members: Any) -> Change:
    return lambda session, desk: customers.put_customer(session, replace(ACME, **members), "root", desk.now)


def _pump(**members: Any) -> Change:
    pump = Product("PUMP", "Pump", list_price=usd("129.00"), standard_cost=usd("80.00"), weight_grams=9000)
    return lambda session, desk: catalog.put_product(session, replace(pump, **members), "root", desk.now)


def _agreement(session: Any, desk: Desk) -> None:
    ended = PriceAgreement("cus_acme", "PUMP", usd("99.00"), date(2026, 1, 1), date(2026, 11, 1))
    prices.put_agreement(session, ended, "root", desk.now)


def _credit_rule(session: Any, desk: Desk) -> None:
    rule = {"code": "NO_ROOM", "when": "credit.headroom_minor < order.total_minor || credit.limit_minor == 0"}
    more = {"severity": "HOLD", "hold_type": "credit", "owner_role": "accounting", "message": "Credit leaves no room."}
    versions.put_policy(session, {"rules": [{**rule, **more}]}, "root", desk.now)


CHANGES: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "the customer is deactivated": (_customer(is_active=False), [("CUSTOMER_INACTIVE", FACTS_CHANGED)]),
    "the product is not sold any more": (_pump(is_sellable=False), [("SKU_NOT_SELLABLE", FACTS_CHANGED)]),
    "the ship-to is revoked": (
        _customer(allowed_ship_tos=(AllowedShipTo("CA"),)),
        [("SHIP_TO_NOT_ALLOWED", "ship_to")],
    ),
    "the price agreement has ended": (_agreement, []),
    "the list price is another": (_pump(list_price=usd("999.00")), []),
    "a rule compares what credit leaves": (_credit_rule, []),
    "nothing": (lambda _session, _desk: None, []),
}
"""What happens while backorders wait → the holds it leaves; a captured price stands, and credit is asked by the workflow."""


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def _happens(desk: Desk, change: Change) -> None:
    with desk.database.transaction() as session:
        change(session, desk)


def _backordered(desk: Desk) -> str:
    order_id = desk.accepted(("PUMP", 8))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (5, 3)}, "2026-12-01")))
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-1", "released", {"1": 5})))
    )
    desk.notify(desk.fact(order_id, "inventory", "stock_allocated", 2, stock({"1": (8, 0)})))
    return order_id


def _open(desk: Desk, order_id: str) -> list[tuple[str, str]]:
    return [(hold.code, hold.hold_type) for hold in desk.read(order_id).holds if hold.is_open]


@pytest.mark.parametrize("what", CHANGES)
def test_a_backorder_fill_is_released_only_if_the_rules_are_content(desk: ReviewDesk, what: str) -> None:
    change, holds = CHANGES[what]
    order_id = _backordered(desk)
    _happens(desk, change)

    found = desk.clear_release(order_id)

    assert found.is_clear == (not holds)
    assert _open(desk, order_id) == holds
    assert desk.read(order_id).order.phase == "accepted"
    assert desk.broken() == []


def test_an_accepted_order_that_is_held_waits_for_the_holds_owner_and_says_so(desk: ReviewDesk) -> None:
    order_id = _backordered(desk)
    _happens(desk, _customer(is_active=False))

    found = desk.clear_release(order_id)

    standing = desk.read(order_id).standing
    assert standing.status == "on_hold"
    assert standing.waiting_for is not None
    assert standing.waiting_for.text == "support: release of facts changed hold"
    assert (found.clearance.state, found.clearance.waiting_for) == (
        pb.CLEARANCE_STATE_WAITING,
        "support: release of facts changed hold",
    )
    assert [event.what for event in desk.events(order_id)][-1] == "facts_changed"
    assert desk.mails(order_id)[-1] == "order_on_hold"


def test_a_second_fill_of_a_held_order_asks_nobody_twice_and_stays_held(desk: ReviewDesk) -> None:
    order_id = _backordered(desk)
    _happens(desk, _customer(is_active=False))
    desk.clear_release(order_id)
    mails = desk.mails(order_id)

    again = desk.clear_release(order_id, key="2")

    assert not again.is_clear
    assert _open(desk, order_id) == [("CUSTOMER_INACTIVE", FACTS_CHANGED)]
    assert desk.mails(order_id) == mails


def test_what_a_rule_blocks_goes_on_once_the_fact_is_right_and_holds_again_when_it_is_wrong_again(
    desk: ReviewDesk,
) -> None:
    order_id = _backordered(desk)
    _happens(desk, _customer(is_active=False))
    desk.clear_release(order_id)
    [blocked] = [hold for hold in desk.read(order_id).holds if hold.is_open]

    with pytest.raises(Refused, match="not active"):
        desk.release(order_id, blocked.hold_id, SUPPORT)
    _happens(desk, _customer(is_active=True))
    desk.release(order_id, blocked.hold_id, SUPPORT)
    signals, is_clear = desk.signals(order_id)[-1], desk.clear_release(order_id, key="2").is_clear
    _happens(desk, _customer(is_active=False))
    last = desk.clear_release(order_id, key="3")

    assert (signals, is_clear, last.is_clear) == ("holds_released", True, False)
    assert _open(desk, order_id) == [("CUSTOMER_INACTIVE_2", FACTS_CHANGED)]
    assert desk.broken() == []


def test_the_release_of_the_last_hold_asks_again_and_wakes_nobody_while_something_else_is_wrong(
    desk: ReviewDesk,
) -> None:
    order_id = _backordered(desk)
    _happens(desk, _customer(allowed_ship_tos=(AllowedShipTo("CA"),)))
    desk.clear_release(order_id)
    [ship_to] = [hold for hold in desk.read(order_id).holds if hold.is_open]
    _happens(desk, _pump(is_sellable=False))
    signals = desk.signals(order_id)

    desk.release(order_id, ship_to.hold_id, SUPPORT)

    assert _open(desk, order_id) == [("SKU_NOT_SELLABLE", FACTS_CHANGED)]
    assert desk.signals(order_id) == signals
    assert desk.broken() == []


def test_a_change_of_something_else_does_not_answer_what_nobody_was_asked_about(desk: ReviewDesk) -> None:
    order_id = _backordered(desk)
    _happens(desk, _customer(allowed_ship_tos=(AllowedShipTo("CA"),)))
    fewer = propose(desk, order_id, asked(quantity("1", 7)), BUYER).change

    applied = apply(desk, order_id, fewer.change_id)

    assert applied.is_applied
    assert applied.clearance.state == pb.CLEARANCE_STATE_WAITING
    assert _open(desk, order_id) == [("SHIP_TO_NOT_ALLOWED", "ship_to")]
    assert not desk.clear_release(order_id).is_clear
    assert desk.broken() == []


@pytest.mark.parametrize(("left", "is_held"), [(5, False), (6, True)])
def test_a_change_that_leaves_nothing_to_release_takes_the_holds_with_it(
    desk: ReviewDesk, left: int, *, is_held: bool
) -> None:
    order_id = _backordered(desk)
    _happens(desk, _pump(is_sellable=False))
    desk.clear_release(order_id)
    fewer = propose(desk, order_id, asked(quantity("1", left)), BUYER).change

    apply(desk, order_id, fewer.change_id)

    assert bool(_open(desk, order_id)) == is_held
    assert (desk.read(order_id).standing.status == "on_hold") == is_held
    assert desk.broken() == []


def test_a_held_accepted_order_is_cancelled_as_any_other(desk: ReviewDesk) -> None:
    order_id = _backordered(desk)
    _happens(desk, _customer(is_active=False))
    desk.clear_release(order_id)

    with desk.database.transaction() as session:
        cancel.request(session, order_id, BUYER, "too late", desk.now)
    desk.record(order_id, "cancelled")

    assert desk.read(order_id).order.phase == "cancelled"
    assert _open(desk, order_id) == []
    assert not desk.clear_release(order_id, key="2").is_clear
    assert desk.broken() == []
