"""What people who review read: who placed an order, and who was quicker than they."""

from __future__ import annotations

import pytest

from services.kernel.errors import Refused
from services.runtime.db import Database
from tests.orders.desk import RITA
from tests.orders.review_desk import MAX, ReviewDesk


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def test_who_is_asked_reads_who_placed_the_order_and_for_whom(desk: ReviewDesk) -> None:
    own = desk.reviewed(100)
    by_phone = desk.reviewed(100, RITA, channel="phone", on_behalf_of="Priya O'Nair")

    notified = {one: desk.outbox("notify", one)[-1]["detail"] for one in (own, by_phone)}

    assert [each["mail"] for each in notified.values()] == ["approval_requested", "approval_requested"]
    assert notified[own]["variables"]["submitted_by"] == "Ann"
    assert notified[by_phone]["variables"]["submitted_by"] == "Rita for Priya O'Nair"


@pytest.mark.parametrize(
    ("decision", "notified"),
    [
        ("approve", "this step was decided already: Max approved it; the order is in review: reload it"),
        ("request_changes", "this step was decided already: Max asked for changes; the order is in review: reload it"),
    ],
)
def test_who_comes_second_hears_who_decided_and_how(desk: ReviewDesk, decision: str, notified: str) -> None:
    order_id = desk.reviewed(200)
    step = desk.open_step(order_id)
    desk.decide(order_id, MAX, decision)

    with pytest.raises(Refused) as refusal:
        desk.decide(order_id, MAX, step=step)

    assert refusal.value.message == notified
