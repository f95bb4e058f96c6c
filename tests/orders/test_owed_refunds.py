"""What orders hear of money that is owed back to a card: the timeline has it, and accounting an exception while it must act."""

from __future__ import annotations

import pytest

from services.orders.order import exceptions
from services.runtime.db import Database
from tests.orders.desk import Desk

OWED = {"refund_id": "rfd_1", "payment_id": "pay_1", "amount_minor": 75_000, "currency": "USD", "state": "open"}


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def heard(desk: Desk, order_id: str, sequence: int, **members: object) -> None:
    desk.notify(desk.fact(order_id, "billing", "owed_refund", sequence, {**OWED, **members}))


def open_ones(desk: Desk, order_id: str) -> list[tuple[str, str, str]]:
    with desk.database.reading() as session:
        return [(one.kind, one.owner_role, one.reason) for one in exceptions.list_open(session, order_id)]


@pytest.mark.parametrize(("how", "reference"), [("paid", ""), ("paid_otherwise", "WIRE-9")])
def test_a_refund_that_is_not_paid_is_an_exception_of_accounting_until_it_is(
    desk: Desk, how: str, reference: str
) -> None:
    order_id = desk.accepted(("PUMP", 4))

    heard(desk, order_id, 1)
    fresh = open_ones(desk, order_id)
    heard(desk, order_id, 2, reason="insufficient_funds")
    tried = open_ones(desk, order_id)
    heard(desk, order_id, 3, reason="insufficient_funds", is_escalated=True)
    refused = open_ones(desk, order_id)
    heard(desk, order_id, 4, state=how, is_escalated=True, reference=reference)

    assert (fresh, tried) == ([], [])
    reason = "750.00 USD that is owed back to the customer's card is not paid: insufficient_funds."
    assert refused == [("refund_unpaid", "accounting", reason)]
    assert open_ones(desk, order_id) == []
    whys = [one.why for one in desk.events(order_id) if one.what == "owed_refund"]
    paid = "750.00 USD is paid under WIRE-9" if reference else "750.00 USD is paid"
    assert whys == ["750.00 USD is owed", *["750.00 USD could not be paid yet"] * 2, paid]
    assert desk.broken() == []
