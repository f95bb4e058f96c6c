"""Goods that customers send back: at what they had cost, into whichever warehouse, and what scrap and quarantine tell the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import Refused
from tests.inventory.stockroom import Stockroom


def _left(stockroom: Stockroom) -> None:
    """3 of PUMP left w1 for order o1: two at 50.00 and one at 60.01."""
    stockroom.receive("w1", "PUMP", 2, "50.00")
    stockroom.receive("w1", "PUMP", 1, "60.01")
    stockroom.reserve("o1", {"1": ("PUMP", 3)})
    stockroom.ship("o1", "shp_1", "w1", {"1": ("PUMP", 3)})


def _back(stockroom: Stockroom, place: str, *units: tuple[str, int, str], key: str = "") -> pb.TakeReturnResponse:
    request = pb.TakeReturnRequest(
        request_id=key or stockroom.key(),
        order_id="o1",
        return_id="rma_1",
        warehouse_id=place,
        units=[pb.ReturnedUnits(sku=sku, quantity=count, disposition=what) for sku, count, what in units],
    )
    return stockroom.servicer.TakeReturn(request, None)


def _values(stockroom: Stockroom, kind: str) -> list[Any]:
    return [(fact["warehouse_id"], fact["quantity"], fact["value_minor"]) for fact in stockroom.facts(kind)]


@pytest.mark.on_postgres
def test_what_is_restocked_elsewhere_comes_in_at_its_original_cost(stockroom: Stockroom) -> None:
    _left(stockroom)

    first = _back(stockroom, "w2", ("PUMP", 1, "restock"))
    rest = _back(stockroom, "w2", ("PUMP", 2, "restock"))

    # 160.01 over three: 53.34, then the rest
    assert (first.cost.minor_units, rest.cost.minor_units) == (53_34, 106_67)
    assert _values(stockroom, "stock_returned") == [("w2", 1, 53_34), ("w2", 2, 106_67)]
    [level] = [
        one
        for one in stockroom.servicer.ListStock(pb.ListStockRequest(sku="PUMP"), None).levels
        if one.warehouse_id == "w2"
    ]
    assert (level.on_hand, level.value.minor_units) == (3, 160_01)
    assert stockroom.broken() == {}


def test_scrap_and_quarantine_are_in_no_stock_and_the_ledger_hears_of_both(stockroom: Stockroom) -> None:
    _left(stockroom)

    _back(stockroom, "w1", ("PUMP", 1, "scrap"), ("PUMP", 1, "quarantine"))

    assert _values(stockroom, "stock_quarantined") == [("w1", 1, 53_34)]
    assert _values(stockroom, "stock_scrapped") == [("w1", 1, 53_34)]
    assert _values(stockroom, "stock_returned") == []
    [level] = stockroom.servicer.ListStock(pb.ListStockRequest(sku="PUMP"), None).levels
    assert level.on_hand == 0
    assert stockroom.broken() == {}


def test_no_more_comes_back_than_had_left_and_a_repeat_takes_nothing(stockroom: Stockroom) -> None:
    _left(stockroom)
    first = _back(stockroom, "w1", ("PUMP", 3, "restock"), key="insp_1")

    again = _back(stockroom, "w1", ("PUMP", 3, "restock"), key="insp_1")
    with pytest.raises(Refused, match="0 units of PUMP"):
        _back(stockroom, "w1", ("PUMP", 1, "restock"))
    with pytest.raises(Refused, match="nothing of VALVE"):
        _back(stockroom, "w1", ("VALVE", 1, "restock"))

    assert again == first
    assert len(stockroom.facts("stock_returned")) == 1


def test_restocked_units_serve_who_waits(stockroom: Stockroom) -> None:
    _left(stockroom)
    stockroom.reserve("o2", {"1": ("PUMP", 1)})

    _back(stockroom, "w1", ("PUMP", 1, "restock"))

    assert [fact["order_id"] for fact in stockroom.facts("stock_allocated")] == ["o2"]
    assert stockroom.broken() == {}
