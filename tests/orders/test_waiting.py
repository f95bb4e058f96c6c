from __future__ import annotations

import pytest

from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING
from tests.orders.review_desk import ReviewDesk, review


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def test_a_held_order_that_is_also_reviewed_waits_for_both_each_named_once(desk: ReviewDesk) -> None:
    beside = desk.place(("PUMP", 100)).order_id
    desk.validate(beside, is_granted=False)
    desk.policy(reviews=[review("TERMS", "order.total > 1.0", {"role": "sales_rep"})])
    # 100.00 against a list price of 129.00 is a price that sales holds
    same = desk.place(("PUMP", 100, "100.00")).order_id
    desk.validate(same)

    waits = [desk.read(order_id).standing.waiting_for for order_id in (beside, same)]
    desk.release(beside, desk.read(beside).holds[0].hold_id, ACCOUNTING)
    after = desk.read(beside).standing.waiting_for

    assert [(one.who, one.what) for one in waits if one] == [
        ("accounting, approver", "release of credit hold; manager approval"),
        ("sales_rep", "release of price hold; sales rep validation"),
    ]
    assert [one.due is not None for one in waits if one] == [True, True]
    assert after is not None
    assert (after.who, after.what) == ("approver", "manager approval")
    assert desk.broken() == []
