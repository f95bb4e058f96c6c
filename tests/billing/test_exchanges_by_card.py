"""Exchanges that a card secures: what is charged of them is captured from it, and for the rest nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.runtime.db import Database
from tests.billing.card_desk import Till, stripe_in
from tests.billing.desk import order_of
from tests.billing.test_exchanges import settle_exchange

ORDER = order_of({"1": (10, "100.00")}, invoicing="exchange", payment_method="card")
"""10 at 100.00, sent in advance."""


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


@pytest.mark.on_postgres
def test_of_a_shipment_in_place_of_goods_only_what_is_charged_is_captured(till: Till) -> None:
    till.commit_card()
    till.leave(ORDER, "shp_1", {"1": 4})

    nothing = till.capture("shp_1").state
    settle_exchange(till, ORDER, {"1": 6})
    settled = till.capture("", request_id="settle/capture").state
    till.leave(ORDER, "shp_2", {"1": 6})
    later = till.capture("shp_2").state
    till.settle()

    assert (nothing, settled, later) == ("nothing", "captured", "captured")
    assert [(one.status, one.total.minor_units) for one in till.listed()] == [("paid", 40_000), ("paid", 20_000)]
    assert till.at_stripe() == {"authorized": 0, "captured": 60_000, "refunded": 0}
    assert till.violations() == {}


def test_when_all_has_come_the_hold_is_let_go(till: Till) -> None:
    till.commit_card()
    till.leave(ORDER, "shp_1", {"1": 10})

    settle_exchange(till, ORDER, {})
    till.settle()

    assert till.at_stripe() == {"authorized": 0, "captured": 0, "refunded": 0}
    assert till.violations() == {}
