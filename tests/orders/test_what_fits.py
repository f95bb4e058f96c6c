"""Orders of which a part has room under the credit limit: what waits is said, and who let a hold go is told apart from its money's coming."""

from __future__ import annotations

from typing import Any

import pytest

from services.orders.approvals.clearance import read_clearance
from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING
from tests.orders.review_desk import ReviewDesk

GRANTED = {"amount_minor": 41_506, "currency": "USD", "payment_method": "terms"}


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def hear(desk: ReviewDesk, order_id: str, kind: str, sequence: int, detail: dict[str, Any]) -> None:
    desk.notify(desk.fact(order_id, "billing", kind, sequence, detail))


def _open(desk: ReviewDesk, order_id: str) -> list[str]:
    return [hold.code for hold in desk.read(order_id).holds if hold.is_open]


def test_whether_somebody_let_a_hold_on_money_go_or_its_coming_did_is_told(desk: ReviewDesk) -> None:
    by_hand, by_itself = desk.place(("PUMP", 3)).order_id, desk.place(("PUMP", 3)).order_id
    for order_id in (by_hand, by_itself):
        desk.validate(order_id, is_granted=False)
    before = _is_let_go(desk, by_hand)
    [hold] = desk.read(by_hand).holds

    desk.release(by_hand, hold.hold_id, ACCOUNTING)
    hear(desk, by_itself, "credit_granted", 1, GRANTED)

    assert (before, _is_let_go(desk, by_hand), _is_let_go(desk, by_itself)) == (False, True, False)


def _is_let_go(desk: ReviewDesk, order_id: str) -> bool:
    with desk.database.reading() as session:
        return read_clearance(session, order_id).is_money_let_go


def test_the_rest_of_an_order_waits_for_accounting_and_goes_when_there_is_room(desk: ReviewDesk) -> None:
    """Its workflow alone knows what it has withheld: it is woken whenever less waits, and by no older fact."""
    order_id = desk.accepted(("PUMP", 3))

    hear(desk, order_id, "credit_rest_changed", 1, {"rest_minor": 20_000, "currency": "USD"})
    standing = desk.read(order_id).standing
    unwoken = desk.signals(order_id)
    hear(desk, order_id, "credit_rest_changed", 3, {"rest_minor": 5_000, "currency": "USD"})
    hear(desk, order_id, "credit_rest_changed", 2, {"rest_minor": 12_000, "currency": "USD"})
    hear(desk, order_id, "credit_rest_changed", 4, {"rest_minor": 0, "currency": "USD"})

    assert standing.waiting_for is not None
    assert standing.waiting_for.text == "accounting: room under the credit limit for 3 units"
    assert (unwoken, desk.signals(order_id)) == ([], ["holds_released", "holds_released"])
    after = desk.read(order_id)
    assert after.standing.waiting_for is not None
    assert "credit" not in after.standing.waiting_for.text
    assert (_open(desk, order_id), after.order.phase) == ([], "accepted")
    assert desk.broken() == []
