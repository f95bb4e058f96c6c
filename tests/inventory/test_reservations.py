from __future__ import annotations

from datetime import timedelta

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import AlreadyExists, NotFound, Refused
from tests.inventory.stockroom import Stockroom


def test_a2_a_partial_order_ships_in_three_parts_at_first_in_first_out_cost(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 60, "12.00")
    stockroom.receive("w2", "A", 25, "12.50")

    answer = stockroom.reserve("o1", {"l1": ("A", 100)})

    assert [(part.warehouse_id, part.quantity) for part in answer.allocations] == [("w1", 60), ("w2", 25)]
    assert [(short.line_id, short.quantity) for short in answer.shortages] == [("l1", 15)]

    first = stockroom.ship("o1", "s1", "w1", {"l1": ("A", 60)})
    second = stockroom.ship("o1", "s2", "w2", {"l1": ("A", 25)})
    receipt = stockroom.receive("w1", "A", 15, "13.00")

    assert (receipt.filled_quantity, list(receipt.filled_order_ids)) == (15, ["o1"])
    third = stockroom.ship("o1", "s3", "w1", {"l1": ("A", 15)})
    # 60 x 12.00 + 25 x 12.50 + 15 x 13.00 = 720.00 + 312.50 + 195.00
    assert (first, second, third, first + second + third) == (72_000, 31_250, 19_500, 122_750)
    assert stockroom.stock("A") == {"w1": (0, 0), "w2": (0, 0)}
    assert stockroom.shipped("o1") == {("l1", "w1"): 75, ("l1", "w2"): 25}
    assert list(stockroom.audit().holding_order_ids) == []
    assert (stockroom.value(), stockroom.broken()) == (0, {})


@pytest.mark.on_postgres
def test_a2_tells_orders_and_billing_what_happened(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 60, "12.00")
    stockroom.expect("w1", "A", 15, "2026-03-20")
    stockroom.reserve("o1", {"l1": ("A", 75)})
    stockroom.ship("o1", "s1", "w1", {"l1": ("A", 60)})
    stockroom.receive("w1", "A", 15, "13.00")

    notified = [
        (fact["kind"], fact.get("lines") or (fact["quantity"], fact["value_minor"])) for fact in stockroom.facts()
    ]
    assert notified == [
        ("stock_received", (60, 72_000)),
        ("stock_reserved", {"l1": {"allocated": 60, "backordered": 15, "expected_on": "2026-03-20"}}),
        ("stock_issued", (60, 72_000)),
        ("stock_allocated", {"l1": {"allocated": 75, "backordered": 0, "expected_on": ""}}),
        ("stock_received", (15, 19_500)),
    ]
    assert [fact["is_complete"] for fact in stockroom.facts(order_id="o1") if "lines" in fact] == [False, True]
    assert stockroom.facts("stock_issued")[0]["order_id"] == "o1"


def test_a3_two_lines_of_one_sku_are_summed(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "D", 10)

    answer = stockroom.reserve("o1", {"l1": ("D", 6), "l2": ("D", 6)})

    assert sum(part.quantity for part in answer.allocations) == 10
    assert [(short.line_id, short.quantity) for short in answer.shortages] == [("l2", 2)]
    assert stockroom.broken() == {}


def test_a_repeated_request_gets_the_first_answer(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)

    first = stockroom.reserve("o1", {"l1": ("A", 3)}, key="order/o1/reserve/1")
    # rates were changed between the two tries
    again = stockroom.reserve("o1", {"l1": ("A", 3)}, {"w1": 850, "w2": 990}, key="order/o1/reserve/1")

    assert first == again
    assert stockroom.stock("A") == {"w1": (5, 3)}
    with pytest.raises(AlreadyExists, match="was used for another request"):
        stockroom.reserve("o1", {"l1": ("A", 4)}, key="order/o1/reserve/1")


def test_an_order_is_reserved_once(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 3)})

    with pytest.raises(Refused) as refusal:
        stockroom.reserve("o1", {"l1": ("A", 1)})

    assert refusal.value.reason == "ORDER_ALREADY_RESERVED"
    assert stockroom.stock("A") == {"w1": (5, 3)}


def test_an_order_may_be_reserved_again_once_it_was_released(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 3)})
    stockroom.release("o1")

    stockroom.reserve("o1", {"l1": ("A", 2)})

    assert stockroom.held("o1") == {("l1", "w1"): 2}
    assert stockroom.facts("stock_reserved")[-1]["lines"]["l1"]["allocated"] == 2
    assert stockroom.broken() == {}


def test_an_order_without_stock_lines_holds_nothing(stockroom: Stockroom) -> None:
    answer = stockroom.reserve("o1", {})

    assert answer == pb.ReserveStockResponse()
    assert list(stockroom.audit().holding_order_ids) == []


@pytest.mark.on_postgres
def test_a_closed_warehouse_promises_nothing_until_it_opens_again(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.put_warehouse("w1", is_active=False)

    stockroom.reserve("o1", {"l1": ("A", 3)})

    assert stockroom.waiting("o1") == {"l1": 3}
    assert stockroom.broken() == {}
    stockroom.put_warehouse("w1")
    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l1", "w1"): 3}, {})
    assert stockroom.broken() == {}


def test_a_release_frees_all_and_a_second_one_frees_nothing(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 8)})

    assert stockroom.release("o1") == (5, 3)
    assert stockroom.release("o1") == (0, 0)
    assert stockroom.release("never-heard-of") == (0, 0)
    assert stockroom.stock("A") == {"w1": (5, 0)}
    (notified,) = stockroom.facts("stock_released")
    assert notified["lines"] == {"l1": {"allocated": 0, "backordered": 0, "expected_on": ""}}
    assert stockroom.broken() == {}


def test_a_release_keeps_what_was_shipped(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.ship("o1", "s1", "w1", {"l1": ("A", 2)})

    assert stockroom.release("o1") == (3, 0)

    assert stockroom.shipped("o1") == {("l1", "w1"): 2}
    assert stockroom.facts("stock_released")[0]["lines"]["l1"]["allocated"] == 2
    assert stockroom.stock("A") == {"w1": (3, 0)}
    assert stockroom.broken() == {}


def test_what_one_order_lets_go_fills_the_backorder_of_another(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 3)}, placed_days=1)
    stockroom.reserve("o3", {"l1": ("A", 3)}, placed_days=2)

    stockroom.release("o1")

    assert stockroom.held("o2") == {("l1", "w1"): 3}
    assert (stockroom.held("o3"), stockroom.waiting("o3")) == ({("l1", "w1"): 2}, {"l1": 1})
    notified = {fact["order_id"]: fact["is_complete"] for fact in stockroom.facts("stock_allocated")}
    assert notified == {"o2": True, "o3": False}
    assert stockroom.broken() == {}


def test_more_than_allocated_does_not_leave(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 9)
    stockroom.reserve("o1", {"l1": ("A", 5)})

    for place, sku, units in (("w1", "A", 6), ("w2", "A", 1), ("w1", "B", 1)):
        with pytest.raises(Refused) as refusal:
            stockroom.ship("o1", "s1", place, {"l1": (sku, units)})
        assert refusal.value.reason == "SHIPPED_MORE_THAN_ALLOCATED"

    assert stockroom.stock("A") == {"w1": (9, 5)}
    assert stockroom.ship("o1", "s1", "w1", {"l1": ("A", 5)}) == 500
    assert stockroom.broken() == {}


def test_a_shipment_leaves_once(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 9)
    stockroom.reserve("o1", {"l1": ("A", 6)})

    first = stockroom.ship("o1", "s1", "w1", {"l1": ("A", 3)}, key="shipment/s1/ship")
    again = stockroom.ship("o1", "s1", "w1", {"l1": ("A", 3)}, key="shipment/s1/ship")

    assert (first, again) == (300, 300)
    with pytest.raises(AlreadyExists) as refusal:
        stockroom.ship("o1", "s1", "w1", {"l1": ("A", 3)}, key="another")
    assert refusal.value.reason == "SHIPMENT_ALREADY_SHIPPED"
    assert stockroom.stock("A") == {"w1": (6, 3)}


def test_a_shipment_of_a_service_costs_nothing(stockroom: Stockroom) -> None:
    answer = stockroom.servicer.ShipStock(
        pb.ShipStockRequest(request_id="k", order_id="o1", shipment_id="s1", warehouse_id="", lines=[]), None
    )

    assert answer.cost.currency == ""


def test_a_shipment_of_several_skus_tells_billing_of_each(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 4, "2.00")
    stockroom.receive("w1", "B", 4, "3.00")
    stockroom.reserve("o1", {"l1": ("B", 2), "l2": ("A", 1), "l3": ("A", 1)})

    cost = stockroom.ship("o1", "s1", "w1", {"l1": ("B", 2), "l2": ("A", 1), "l3": ("A", 1)})

    assert cost == 1000
    issued = [(fact["sku"], fact["quantity"], fact["value_minor"]) for fact in stockroom.facts("stock_issued")]
    assert issued == [("A", 2, 400), ("B", 2, 600)]
    assert list(stockroom.audit().holding_order_ids) == []


@pytest.mark.on_postgres
def test_a_lease_runs_out_and_is_renewed(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 9)
    stockroom.reserve("o1", {"l1": ("A", 1)})
    stockroom.reserve("o2", {"l1": ("A", 1)}, lease_seconds=60)

    def lapsed() -> list[str]:
        return list(stockroom.servicer.ListLapsedReservations(pb.ListLapsedReservationsRequest(), None).order_ids)

    assert lapsed() == []
    stockroom.now += timedelta(seconds=899)
    assert lapsed() == ["o2"]
    stockroom.now += timedelta(seconds=2)
    assert lapsed() == ["o2", "o1"]
    renewed = stockroom.servicer.RenewLeases(pb.RenewLeasesRequest(order_ids=["o1", "o2", "o9"]), None)
    assert (renewed.renewed_count, lapsed()) == (2, [])
    stockroom.now += timedelta(seconds=61)
    assert lapsed() == ["o2"]
    stockroom.release("o2")
    assert lapsed() == []


def test_goods_do_not_arrive_in_a_warehouse_nobody_knows(stockroom: Stockroom) -> None:
    with pytest.raises(NotFound, match="there is no warehouse 'w9'"):
        stockroom.receive("w9", "A", 1)
