"""Warehouses are replaced by who has seen them as they are, and one that closes keeps what it has promised."""

from __future__ import annotations

from functools import partial

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import Refused
from tests.inventory.stockroom import Stockroom
from tests.threads import at_once

pytestmark = pytest.mark.on_postgres


def put(stockroom: Stockroom, name: str, seen: int | None = None, *, is_active: bool = True) -> pb.Warehouse | None:
    place = pb.Warehouse(warehouse_id="w1", name=name, kind="own", is_active=is_active)
    try:
        asked = pb.PutWarehouseRequest(warehouse=place, expected_version=seen)
        return stockroom.servicer.PutWarehouse(asked, None).warehouse
    except Refused as refused:
        if refused.reason != "VERSION_STALE":
            raise
        return None


def test_of_all_who_saw_one_version_exactly_one_replaces_it(stockroom: Stockroom) -> None:
    outcomes = at_once([partial(put, stockroom, f"Place {number}", 1) for number in range(6)])

    assert [one.version for one in outcomes if one is not None] == [2]


def test_the_same_again_changes_nothing_and_a_stale_version_neither(stockroom: Stockroom) -> None:
    stored = put(stockroom, "Place")
    assert stored is not None
    assert stored.version == 2

    assert put(stockroom, "Place") == put(stockroom, "Place", 2) == stored
    assert put(stockroom, "Place", 1) is None


def test_a_warehouse_that_closes_sends_what_it_has_promised_and_promises_no_more(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "C", 5)
    stockroom.reserve("o1", {"l1": ("C", 3)}, key="order/1")
    put(stockroom, "Place", is_active=False)

    stockroom.reserve("o2", {"l1": ("C", 1)}, key="order/2")
    stockroom.ship("o1", "shp_1", "w1", {"l1": ("C", 3)})

    assert stockroom.stock("C") == {"w1": (2, 0)}
    assert stockroom.broken() == {}
