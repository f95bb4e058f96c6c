"""Temporal is killed and comes back while orders keep coming: what was acknowledged is never lost."""

from __future__ import annotations

import time

import pytest

from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.summary import Differences, differences


def changed(shop: Shop, orders: int, per_s: float, outages: int, down_s: float, finished: int) -> list[Differences]:
    """Place under outages, then walk some orders to their end while Temporal dies once more; what they come to otherwise than an undisturbed one."""
    wanted = Journey(shop, shop.goods()).travel()

    with under_load(shop, orders, per_s) as load:
        for _ in range(outages):
            time.sleep(1)
            shop.running.kill("temporal", down_s)
            time.sleep(down_s)
            shop.running.wait_ready()
    released = load.released()
    for journey in released[:finished]:
        journey.ship()
    shop.running.kill("temporal", down_s)
    for journey in released[:finished]:
        journey.finish()
    outcomes = [journey.came_to() for journey in released[:finished]]

    print(f"answers {dict(load.answers)}, slowest {load.slowest_s:.2f} s")
    assert set(load.answers) <= {201, 202, 503}
    assert load.answers[201] + load.answers[202] == orders
    shop.trade().until_audit_is_clean()
    return [found for got in outcomes if (found := differences(wanted, got))]


def test_an_order_acknowledged_while_temporal_is_down_is_fulfilled(shop: Shop) -> None:
    assert changed(shop, orders=10, per_s=5, outages=1, down_s=1.5, finished=2) == []


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_two_outages_under_load_lose_no_order_and_no_fact(shop: Shop) -> None:
    assert changed(shop, orders=60, per_s=5, outages=2, down_s=3, finished=10) == []
