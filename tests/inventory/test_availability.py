"""What there is and what comes of many SKUs at once, as people who decide read it."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import InvalidArgument
from tests.inventory.stockroom import Stockroom


def asked(stockroom: Stockroom, *skus: str) -> list[pb.SkuAvailability]:
    return list(stockroom.servicer.GetAvailability(pb.GetAvailabilityRequest(skus=skus), None).skus)


@pytest.mark.on_postgres
def test_open_warehouses_count_together_and_what_orders_wait_for_is_said(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "J", 30)
    stockroom.receive("w2", "J", 12)
    stockroom.reserve("o1", {"l1": ("J", 50)})  # all 42, and 8 wait
    stockroom.receive("w3", "K", 5)
    stockroom.expect("w2", "J", 40, "2026-12-08")
    stockroom.expect("w1", "J", 10, "2026-12-01")

    found_j, found_k, unknown = asked(stockroom, "K", "J", "NONE", "J")

    assert (found_j.sku, found_j.on_hand, found_j.available, found_j.backordered) == ("J", 42, 0, 8)
    assert [(one.expected_on, one.quantity, one.warehouse_id) for one in found_j.inbound] == [
        ("2026-12-01", 10, "w1"),
        ("2026-12-08", 40, "w2"),
    ]
    assert found_j.inbound_quantity == 50
    assert (found_k.on_hand, found_k.available, found_k.backordered, list(found_k.inbound)) == (5, 5, 0, [])
    assert (unknown.sku, unknown.on_hand, unknown.available) == ("NONE", 0, 0)


def test_a_closed_warehouse_and_what_comes_to_it_count_for_nothing(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "J", 3)
    stockroom.receive("w2", "J", 7)
    stockroom.expect("w2", "J", 9, "2026-12-01")
    stockroom.put_warehouse("w2", is_active=False)

    [found] = asked(stockroom, "J")

    assert (found.on_hand, found.available, found.inbound_quantity) == (3, 3, 0)


def test_many_expected_receipts_are_cut_and_their_sum_is_not(stockroom: Stockroom) -> None:
    for day in range(1, 26):
        stockroom.expect("w1", "J", 2, f"2026-12-{day:02d}")

    [found] = asked(stockroom, "J")

    assert (len(found.inbound), found.inbound[0].expected_on, found.inbound_quantity) == (20, "2026-12-01", 50)


def test_more_skus_than_an_order_has_are_refused(stockroom: Stockroom) -> None:
    with pytest.raises(InvalidArgument, match="at most 2000 SKUs"):
        asked(stockroom, *(f"S{number}" for number in range(2001)))
