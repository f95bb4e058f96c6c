"""Goods that come back: announced, counted in parts, inspected, and closed."""

from __future__ import annotations

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import AlreadyExists, InvalidArgument, NotFound, Refused
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk
from tests.fulfillment.test_reversal import reverse
from tests.threads import at_once


@pytest.fixture(autouse=True)
def shipment(desk: WarehouseDesk) -> pb.Shipment:
    """Nine units have left."""
    [released] = desk.release(("L1", "W1", 9))
    return desk.send(released)


@pytest.mark.on_postgres
def test_a_return_is_counted_in_parts_and_inspected_and_orders_hears_of_both(desk: WarehouseDesk) -> None:
    desk.expect_return(L1=4)
    again = desk.expect_return(L1=9)

    desk.count_back(L1=1)
    counted = desk.count_back(L1=2)
    desk.inspect_back(("L1", 2, "A", "restock", "customer"), ("L1", 1, "D", "scrap", "carrier"))

    assert (again.lines[0].quantity, counted.lines[0].received) == (4, 3)
    heard = [(kind, detail) for kind, detail in desk.facts() if kind.startswith("return_")]
    assert [kind for kind, _ in heard] == ["return_received", "return_received", "return_inspected"]
    assert [detail["lines"] for kind, detail in heard if kind == "return_received"] == [
        {"L1": {"received": 1}},
        {"L1": {"received": 3}},
    ]
    units = [(one["quantity"], one["sku"], one["disposition"], one["responsible"]) for one in heard[-1][1]["units"]]
    assert units == [(2, "A", "restock", "customer"), (1, "A", "scrap", "carrier")]
    assert heard[-1][1]["warehouse_id"] == "W2"
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_a_number_is_of_one_return(desk: WarehouseDesk) -> None:
    number = desk.expect_return(L1=2).number
    line = pb.ReturnLine(line_id="L1", sku="A", quantity=1)
    other = pb.ExpectedReturn(return_id="rma_2", number=number, order_id="ord_1", order_number="SO-1001", lines=[line])

    with pytest.raises(AlreadyExists) as taken:
        desk.service.ExpectReturn(pb.ExpectReturnRequest(request_id="other", expected=other), NO_CONTEXT)

    assert taken.value.reason == "RETURN_NUMBER_TAKEN"


def test_no_more_is_counted_than_was_announced_and_a_repeat_counts_nothing(desk: WarehouseDesk) -> None:
    desk.expect_return(L1=2)

    first, again = (desk.count_back(L1=2, request_id="scan") for _ in range(2))
    with pytest.raises(Refused) as refused:
        desk.count_back(L1=1)
    with pytest.raises(InvalidArgument, match="has no line L9"):
        desk.count_back(L9=1)
    with pytest.raises(NotFound):
        desk.count_back("rma_9", L1=1)

    assert first == again
    assert refused.value.reason == "MORE_THAN_ANNOUNCED"
    assert desk.broken_rules() == {}


def test_nothing_is_inspected_that_was_not_counted_or_was_inspected_before(desk: WarehouseDesk) -> None:
    desk.expect_return(L1=2)
    desk.count_back(L1=1)
    desk.inspect_back(("L1", 1, "A", "restock", "customer"))

    with pytest.raises(Refused) as refused:
        desk.inspect_back(("L1", 1, "A", "restock", "customer"))

    assert refused.value.reason == "NOT_COUNTED"


def test_a_closed_return_takes_no_more_and_what_came_is_still_inspected(desk: WarehouseDesk) -> None:
    desk.expect_return(L1=3)
    desk.count_back(L1=1)

    closed, never = desk.close_return(), desk.close_return("rma_never")
    with pytest.raises(Refused) as refused:
        desk.count_back(L1=1)
    after = desk.inspect_back(("L1", 1, "B", "quarantine", "seller"))

    assert (closed.expected.is_open, closed.expected.lines[0].received) == (False, 1)
    assert not never.HasField("expected")
    assert refused.value.reason == "RETURN_CLOSED"
    assert after.lines[0].inspected == 1
    assert desk.broken_rules() == {}


def test_nothing_comes_back_of_a_shipment_that_never_left(desk: WarehouseDesk, shipment: pb.Shipment) -> None:
    desk.expect_return(L1=3)
    packed = reverse(desk, shipment).replacement

    with pytest.raises(Refused, match="0 units of A of SO-1001 are with the customer, not 1") as refused:
        desk.count_back(L1=1)
    desk.ship(packed)

    assert refused.value.reason == "NOT_SHIPPED"
    assert desk.count_back(L1=1).lines[0].received == 1
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_two_who_scan_the_last_unit_at_once_count_it_once(desk: WarehouseDesk) -> None:
    desk.expect_return(L1=1)
    refused: list[str] = []

    def scan() -> None:
        try:
            desk.count_back(L1=1)
        except Refused as said:
            refused.append(said.reason)

    at_once([scan, scan, scan], 60)

    assert refused == ["MORE_THAN_ANNOUNCED"] * 2
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_goods_that_are_here_before_they_are_announced_are_counted_at_once_and_once(desk: WarehouseDesk) -> None:
    first, again = (desk.expect_return(arrived_in="W2", L1=2) for _ in range(2))
    desk.inspect_back(("L1", 2, "B", "return_to_vendor", "seller"))

    assert (first.lines[0].received, again.lines[0].received) == (2, 2)
    heard = [detail["lines"] for kind, detail in desk.facts() if kind == "return_received"]
    assert heard == [{"L1": {"received": 2}}]
    assert desk.broken_rules() == {}


def test_a_shipment_is_found_by_the_number_that_its_carrier_knows(desk: WarehouseDesk, shipment: pb.Shipment) -> None:
    found = desk.page(tracking_number=shipment.tracking_number).shipments

    assert [one.number for one in found] == [shipment.number]
    assert list(desk.page(tracking_number="none").shipments) == []
