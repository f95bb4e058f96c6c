"""A ship confirm that was a mistake: on hand, allocated, backorders and cost are as they were before it."""

from __future__ import annotations

import pytest
from alembic import command

from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import InvalidArgument, Refused
from services.runtime.db import Database
from services.runtime.migrations import config_of, differences, upgrade
from tests.inventory.stockroom import Stockroom

FOUR = {"L1": ("A", 4)}


def reverse(
    stockroom: Stockroom, order_id: str, shipment_id: str, place: str, lines: dict[str, tuple[str, int]], key: str = ""
) -> int | None:
    """What the goods had cost that are back; None where none had been taken off."""
    request = pb.ReverseIssueRequest(
        request_id=key or stockroom.key(),
        order_id=order_id,
        shipment_id=shipment_id,
        warehouse_id=place,
        lines=[types.LineQuantity(line_id=line, sku=sku, quantity=units) for line, (sku, units) in lines.items()],
    )
    answer = stockroom.servicer.ReverseIssue(request, None)
    return answer.cost.minor_units if answer.HasField("cost") else None


@pytest.mark.on_postgres
def test_on_hand_and_allocated_return_to_ten_of_ten_when_a_shipment_of_four_had_not_left(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10, "2.50")
    stockroom.reserve("ord_1", {"L1": ("A", 10)})
    stockroom.ship("ord_1", "shp_1", "w1", FOUR)
    assert stockroom.stock("A") == {"w1": (6, 6)}

    cost = reverse(stockroom, "ord_1", "shp_1", "w1", FOUR)

    assert cost == 1000
    assert stockroom.stock("A") == {"w1": (10, 10)}
    assert stockroom.held("ord_1") == {("L1", "w1"): 10}
    assert stockroom.shipped("ord_1") == {}
    assert stockroom.value() == 2500
    [fact] = stockroom.facts("stock_issue_reversed")
    assert (fact["order_id"], fact["quantity"], fact["value_minor"]) == ("ord_1", 4, 1000)
    assert stockroom.broken() == {}


def test_goods_leave_again_at_the_cost_that_they_left_with(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 3, "1.00")
    stockroom.receive("w1", "A", 5, "2.00")
    stockroom.reserve("ord_1", FOUR)
    assert stockroom.ship("ord_1", "shp_1", "w1", FOUR) == 500  # 3 × 1.00 and 1 × 2.00
    reverse(stockroom, "ord_1", "shp_1", "w1", FOUR)

    again = stockroom.ship("ord_1", "shp_2", "w1", FOUR)

    assert again == 500
    assert stockroom.value() == 800
    assert stockroom.broken() == {}


def test_an_order_that_was_shipped_whole_holds_its_stock_again(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 4)
    stockroom.reserve("ord_1", FOUR)
    stockroom.ship("ord_1", "shp_1", "w1", FOUR)

    reverse(stockroom, "ord_1", "shp_1", "w1", FOUR)

    assert stockroom.held("ord_1") == {("L1", "w1"): 4}
    assert stockroom.release("ord_1") == (4, 0)
    assert stockroom.stock("A") == {"w1": (4, 0)}
    assert stockroom.broken() == {}


def test_who_waits_for_the_rest_waits_as_before(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 4)
    stockroom.reserve("ord_1", {"L1": ("A", 7)})
    stockroom.ship("ord_1", "shp_1", "w1", FOUR)

    reverse(stockroom, "ord_1", "shp_1", "w1", FOUR)

    assert (stockroom.held("ord_1"), stockroom.waiting("ord_1")) == ({("L1", "w1"): 4}, {"L1": 3})
    assert stockroom.stock("A") == {"w1": (4, 4)}
    assert stockroom.broken() == {}


def test_goods_of_an_order_that_let_its_stock_go_serve_who_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 6)
    stockroom.reserve("ord_1", {"L1": ("A", 6)})
    stockroom.ship("ord_1", "shp_1", "w1", FOUR)
    stockroom.release("ord_1")
    stockroom.reserve("ord_2", {"L1": ("A", 5)}, placed_days=1)

    reverse(stockroom, "ord_1", "shp_1", "w1", FOUR)

    assert stockroom.held("ord_1") == {}
    assert (stockroom.held("ord_2"), stockroom.waiting("ord_2")) == ({("L1", "w1"): 5}, {})
    assert stockroom.stock("A") == {"w1": (6, 5)}
    assert stockroom.broken() == {}


def test_a_reversal_counts_once_under_whatever_key_it_comes(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10)
    stockroom.reserve("ord_1", {"L1": ("A", 10)})
    stockroom.ship("ord_1", "shp_1", "w1", FOUR)

    costs = [reverse(stockroom, "ord_1", "shp_1", "w1", FOUR, key) for key in ("a", "a", "b")]

    assert costs == [400, 400, 400]
    assert stockroom.stock("A") == {"w1": (10, 10)}
    assert len(stockroom.facts("stock_issue_reversed")) == 1
    assert stockroom.broken() == {}


def test_a_ship_confirm_that_comes_after_its_reversal_takes_nothing_off(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10)
    stockroom.reserve("ord_1", {"L1": ("A", 10)})
    assert reverse(stockroom, "ord_1", "shp_1", "w1", FOUR) is None

    stockroom.ship("ord_1", "shp_1", "w1", FOUR)

    assert stockroom.stock("A") == {"w1": (10, 10)}
    assert stockroom.facts("stock_issued") == []
    assert stockroom.broken() == {}


def test_other_goods_than_left_are_refused(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10)
    stockroom.reserve("ord_1", {"L1": ("A", 10)})
    stockroom.ship("ord_1", "shp_1", "w1", FOUR)

    with pytest.raises(InvalidArgument, match="took other goods off stock"):
        reverse(stockroom, "ord_1", "shp_1", "w1", {"L1": ("A", 5)})

    assert stockroom.stock("A") == {"w1": (6, 6)}


@pytest.mark.on_postgres
def test_movements_of_the_release_before_are_kept_by_the_upgrade(database: Database, stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10)
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0005")

    upgrade(database)

    assert differences(database) == []
    assert stockroom.stock("A") == {"w1": (10, 0)}
    assert stockroom.broken() == {}


@pytest.mark.on_postgres
def test_what_comes_back_had_cost_what_it_left_with_at_last(stockroom: Stockroom) -> None:
    """4 at 2.00 never left; the 4 that did had cost 1.00 each."""
    stockroom.receive("w1", "A", 4, "2.00")
    stockroom.receive("w2", "A", 4, "1.00")
    stockroom.reserve("ord_1", {"L1": ("A", 4)}, costs={"w1": 1, "w2": 2})
    stockroom.ship("ord_1", "shp_1", "w1", FOUR)
    reverse(stockroom, "ord_1", "shp_1", "w1", FOUR)
    stockroom.release("ord_1")
    stockroom.reserve("ord_1", {"L1": ("A", 4)}, costs={"w2": 1})
    stockroom.ship("ord_1", "shp_2", "w2", FOUR)

    back = pb.TakeReturnRequest(
        request_id="insp_1",
        order_id="ord_1",
        return_id="rma_1",
        warehouse_id="w1",
        units=[pb.ReturnedUnits(sku="A", quantity=4, disposition="restock")],
    )
    cost = stockroom.servicer.TakeReturn(back, None).cost.minor_units
    with pytest.raises(Refused, match="0 units of A"):
        stockroom.servicer.TakeReturn(pb.TakeReturnRequest.FromString(back.SerializeToString() + b"\n\x06insp_2"), None)

    assert cost == 400
    assert stockroom.broken() == {}


@pytest.mark.on_postgres
def test_it_is_put_back_for_the_order_and_the_warehouse_that_it_left_for_alone(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10, "2.50")
    for order_id in ("ord_1", "ord_2"):
        stockroom.reserve(order_id, FOUR)
        stockroom.ship(order_id, f"shp_{order_id}", "w1", FOUR)

    asked = [("%", "w1", "L1"), ("ord_2", "w1", "L1"), ("ord_1", "w2", "L1"), ("ord_1", "w1", "L9")]
    refused = []
    for order_id, place, line in asked:
        with pytest.raises(InvalidArgument) as error:
            reverse(stockroom, order_id, "shp_ord_1", place, {line: ("A", 4)})
        refused.append(error.value.reason)

    assert refused == ["SHIPMENT_DIFFERS", "SHIPMENT_DIFFERS", "SHIPMENT_DIFFERS", "LINES_DIFFER"]
    assert stockroom.shipped("ord_2") == {("L1", "w1"): 4}
    assert stockroom.broken() == {}
