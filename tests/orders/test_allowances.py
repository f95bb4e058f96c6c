"""A hold on credit or payment released up to an amount and until a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.kernel.errors import Refused
from services.kernel.money import Money
from services.orders.domain.holds import Allowance
from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING, APPROVER, NOON, RITA, Desk, shipment, stock, together
from tests.orders.review_desk import ReviewDesk

OWNERS = {"approver": APPROVER, "sales_rep": RITA}
TOTAL = 41_506
"""3 pumps at 129.00 with 7.25 % tax."""


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def _held(desk: Desk, method: str = "terms") -> tuple[str, str]:
    """An order held for its money, and the hold."""
    order_id = desk.place(("PUMP", 3), payment_method=method).order_id
    desk.validate(order_id, is_granted=False)
    [hold] = desk.read(order_id).holds
    return order_id, hold.hold_id


def _open(desk: Desk, order_id: str) -> list[str]:
    return [hold.code for hold in desk.read(order_id).holds if hold.is_open]


def _part_released(desk: Desk, order_id: str) -> None:
    """One of three pumps is with its warehouse, two wait for stock."""
    desk.record(order_id, "accepted")
    desk.notify(
        desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (1, 2)})),
        desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-1", "released", {"1": 1}))),
    )


def test_a_release_keeps_who_let_how_much_go_until_when(desk: ReviewDesk) -> None:
    order_id, hold_id = _held(desk)
    until = desk.now.date() + timedelta(days=10)

    desk.release(order_id, hold_id, ACCOUNTING, "agreed on the phone", Allowance(usd(50_000), until))

    [hold] = desk.read(order_id).holds
    assert (hold.up_to_minor, hold.valid_until, hold.released_by) == (50_000, until, ACCOUNTING.principal.sub)
    released = [event for event in desk.events(order_id) if event.what == "hold_released"]
    assert [(event.after["up_to"], event.after["until"]) for event in released] == [("500.00 USD", until.isoformat())]
    assert desk.broken() == []


@pytest.mark.parametrize(
    ("allowance", "reason"),
    [
        (Allowance(usd(TOTAL - 1)), "RELEASE_BELOW_TOTAL"),
        (Allowance(Money(TOTAL, "EUR")), "RELEASE_BELOW_TOTAL"),
        (Allowance(until=NOON.date() - timedelta(days=2)), "RELEASE_DAY_PASSED"),
    ],
)
def test_a_release_that_cannot_hold_is_refused(desk: ReviewDesk, allowance: Allowance, reason: str) -> None:
    order_id, hold_id = _held(desk)

    with pytest.raises(Refused) as refused:
        desk.release(order_id, hold_id, ACCOUNTING, allowance=allowance)

    assert refused.value.reason == reason
    assert _open(desk, order_id) == ["CREDIT_EXCEEDED"]


def test_what_has_not_left_when_a_release_is_over_is_held_again(desk: ReviewDesk) -> None:
    order_id, hold_id = _held(desk)
    desk.release(order_id, hold_id, ACCOUNTING, allowance=Allowance(until=desk.now.date()))
    _part_released(desk, order_id)

    same_day = desk.clear_release(order_id).is_clear
    desk.now += timedelta(days=2)
    later = desk.clear_release(order_id, key="2").is_clear
    held = _open(desk, order_id)
    [again] = [hold for hold in desk.read(order_id).holds if hold.is_open]
    desk.release(order_id, again.hold_id, ACCOUNTING)

    assert (same_day, later, held) == (True, False, ["RELEASE_EXPIRED"])
    assert again.owner_role == "accounting"
    assert desk.clear_release(order_id, key="3").is_clear
    assert desk.broken() == []


def test_an_order_whose_release_is_over_before_it_is_accepted_is_held_again(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3, "90.00")).order_id
    desk.validate(order_id, is_granted=False)
    holds = {hold.code: hold for hold in desk.read(order_id).holds}
    credit = holds.pop("CREDIT_EXCEEDED")
    desk.release(order_id, credit.hold_id, ACCOUNTING, allowance=Allowance(until=desk.now.date()))

    desk.now += timedelta(days=5)
    for other in holds.values():
        desk.release(order_id, other.hold_id, OWNERS[other.owner_role])
    phase, held = desk.read(order_id).order.phase, _open(desk, order_id)
    [again] = [hold for hold in desk.read(order_id).holds if hold.is_open]
    desk.release(order_id, again.hold_id, ACCOUNTING)

    assert (phase, held) == ("in_review", ["RELEASE_EXPIRED"])
    assert desk.read(order_id).order.phase == "accepted"
    assert desk.signals(order_id)[-1:] == ["holds_released"]
    assert desk.broken() == []


def test_an_order_that_is_paid_by_then_goes_on(desk: ReviewDesk) -> None:
    order_id, hold_id = _held(desk, "prepaid")
    desk.release(order_id, hold_id, ACCOUNTING, allowance=Allowance(until=desk.now.date()))
    _part_released(desk, order_id)
    paid: dict[str, Any] = {
        "payment_id": "pay_1", "amount_minor": TOTAL, "currency": "USD", "reference": "WIRE-1", "held_minor": TOTAL,
    }  # fmt: skip
    desk.notify(desk.fact(order_id, "billing", "deposit_received", 5, paid))

    desk.now += timedelta(days=2)

    assert desk.clear_release(order_id).is_clear
