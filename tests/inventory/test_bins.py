"""Bins: one of a SKU in a warehouse, named alike however it is typed, all of a request stored or none."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import bins_pb2 as pb
from services.inventory.domain.bins import bin_name
from services.kernel.errors import InvalidArgument, NotFound
from tests.inventory.stockroom import Stockroom
from tests.threads import Crew


def put(stockroom: Stockroom, *bins: tuple[str, str, str]) -> int:
    """(Warehouse, SKU, bin) of each; gives how many are new."""
    given = [pb.Bin(warehouse_id=place, sku=sku, bin=name) for place, sku, name in bins]
    return stockroom.servicer.PutBins(pb.PutBinsRequest(bins=given), None).changed_count


def listed(stockroom: Stockroom, **wanted: object) -> list[tuple[str, str, str]]:
    found = stockroom.servicer.ListBins(pb.ListBinsRequest(**wanted), None)  # type: ignore[arg-type]  # what a test asks for
    return [(one.warehouse_id, one.sku, one.bin) for one in found.bins]


@pytest.mark.on_postgres
def test_a_sku_lies_in_the_bin_that_was_said_last(stockroom: Stockroom) -> None:
    first = put(stockroom, ("w1", "PUMP", "A-01-3"), ("w2", "PUMP", "C-1"), ("w1", "SEAL", "A-02-1"))
    again = put(stockroom, ("w1", "PUMP", "a-01-3"), ("w2", "PUMP", "C-1"))
    moved = put(stockroom, ("w1", "PUMP", "B-07-1"), ("w1", "SEAL", ""), ("w1", "NONE", ""))

    assert (first, again, moved) == (3, 0, 2)
    assert listed(stockroom) == [("w1", "PUMP", "B-07-1"), ("w2", "PUMP", "C-1")]
    assert listed(stockroom, warehouse_id="w1") == [("w1", "PUMP", "B-07-1")]
    assert listed(stockroom, skus=["SEAL"]) == []


@pytest.mark.on_postgres
def test_bins_come_in_pages_by_sku_then_warehouse(stockroom: Stockroom) -> None:
    put(stockroom, *((place, sku, "A-1") for place in ("w2", "w1") for sku in ("B", "A")))

    first = stockroom.servicer.ListBins(pb.ListBinsRequest(limit=3), None)
    rest = stockroom.servicer.ListBins(pb.ListBinsRequest(limit=3, cursor=first.next_cursor), None)

    assert [(one.sku, one.warehouse_id) for one in first.bins] == [("A", "w1"), ("A", "w2"), ("B", "w1")]
    assert [(one.sku, one.warehouse_id) for one in rest.bins] == [("B", "w2")]
    assert rest.next_cursor == ""


def test_a_request_with_something_wrong_stores_nothing(stockroom: Stockroom) -> None:
    with pytest.raises(NotFound, match="no warehouse 'w9'"):
        put(stockroom, ("w1", "PUMP", "A-1"), ("w9", "PUMP", "A-1"))
    with pytest.raises(InvalidArgument, match="named twice for w1"):
        put(stockroom, ("w1", "PUMP", "A-1"), ("w1", "PUMP", "A-2"))
    with pytest.raises(InvalidArgument, match="such as A-01-3"):
        put(stockroom, ("w1", "SEAL", "A-1"), ("w1", "PUMP", "A=1"))
    with pytest.raises(InvalidArgument, match="at most 500 bins"):
        put(stockroom, *(("w1", f"S{number}", "A-1") for number in range(501)))

    assert listed(stockroom) == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [("a-01-3", "A-01-3"), ("  a   1 ", "A 1"), ("7", "7"), ("", ""), (" ", ""), ("A/1.2_x", "A/1.2_X"), ("A" * 32, "A" * 32)],
)  # fmt: skip
def test_a_bin_is_named_in_capitals(typed: str, name: str) -> None:
    assert bin_name(typed) == name


@pytest.mark.parametrize("typed", ["-A", "A-", "A=1", "Ä1", "A" * 33, "A\x00B", "<b>"])
def test_what_is_no_name_of_a_bin_is_refused(typed: str) -> None:
    with pytest.raises(InvalidArgument, match="such as A-01-3"):
        bin_name(typed)


@pytest.mark.on_postgres
def test_whoever_puts_bins_at_once_leaves_those_of_one_of_them(stockroom: Stockroom) -> None:
    skus = [f"S{number}" for number in range(20)]

    def say(name: str) -> None:
        order = skus if name == "A" else list(reversed(skus))
        put(stockroom, *(("w1", sku, name) for sku in order))

    with Crew(2) as crew:
        for done in [crew.submit(say, name) for name in ("A", "B")]:
            done.result()

    assert len({name for _, _, name in listed(stockroom)}) == 1
