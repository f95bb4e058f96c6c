"""A cancellation without a refund, as agreed for a swap: support alone, with a reason; what was paid stays on the customer's account."""

from __future__ import annotations

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import NotPermitted
from services.runtime.db import Database
from tests.orders.cancel_desk import ask, ask_without_refund, found, settle
from tests.orders.desk import ANY, BUYER, RITA, SUPPORT, Desk, amount


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def prepaid(desk: Desk) -> str:
    """4 at 129.00 and 7.25 % tax, 553.41 in all, is paid ahead."""
    order_id = desk.accepted(("PUMP", 4), payment_method="prepaid")
    held = {"payment_id": "pay_1", "amount_minor": 55_341, "currency": "USD", "reference": "wire", "held_minor": 55_341}
    desk.notify(desk.fact(order_id, "billing", "deposit_received", 1, held))
    return order_id


def test_nothing_is_refunded_and_the_difference_is_on_account(desk: Desk) -> None:
    """vendure#569: credit 0, the difference on account shown."""
    order_id = prepaid(desk)

    done = ask_without_refund(desk, order_id, {"1": 1}, SUPPORT)
    answer = settle(desk, order_id, done)

    kept = found(desk, order_id, done)
    assert kept.consequence is not None
    assert (kept.consequence.refund, kept.consequence.freed_cash) == (amount("0.00"), amount("138.35"))
    assert (answer.frees_cash, answer.keeps_cash) == (True, True)
    mail = desk.outbox("notify", order_id)[-1]["detail"]
    assert (mail["mail"], mail["variables"]["freed"], mail["variables"]["is_kept"]) == (
        "units_cancelled",
        "138.35",
        True,
    )
    assert desk.broken() == []


@pytest.mark.parametrize("by", [BUYER, RITA])
def test_only_support_may(desk: Desk, by: object) -> None:
    order_id = prepaid(desk)

    with pytest.raises(NotPermitted) as refused:
        ask_without_refund(desk, order_id, {"1": 1}, by)

    assert refused.value.reason == "REFUND_IS_OWED"
    assert desk.read(order_id).asked.change is None


def test_of_an_order_that_ends_its_workflow_hears_so_too(desk: Desk) -> None:
    order_id = prepaid(desk)
    ask_without_refund(desk, order_id, {"1": None}, SUPPORT)
    another = prepaid(desk)
    ask(desk, another)

    keeps = [
        desk.servicer.GetClearance(pb.GetClearanceRequest(order_id=one), ANY).keeps_cash for one in (order_id, another)
    ]

    assert keeps == [True, False]


def test_a_workflow_that_asks_again_once_the_order_has_ended_hears_of_the_same_request(desk: Desk) -> None:
    """Its worker died after it recorded the end and before it said so: what it asked before must lead it the same way again."""
    order_id, stays = prepaid(desk), prepaid(desk)
    cancellation_id = ask_without_refund(desk, order_id, {"1": None}, SUPPORT).cancellation.cancellation_id
    settle(desk, stays, ask(desk, stays, {"1": 1}))

    def heard(of: str) -> tuple[str, bool]:
        found = desk.servicer.GetClearance(pb.GetClearanceRequest(order_id=of), ANY)
        return found.clearance.cancellation_id, found.keeps_cash

    before = heard(order_id)
    desk.record(order_id, "cancelled", cancellation_id)

    assert before == heard(order_id) == (cancellation_id, True)
    assert heard(stays)[0] == ""
