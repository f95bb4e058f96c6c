from __future__ import annotations

from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.domain.address import Address
from services.fulfillment.domain.shipment import Shipment, ShipmentLine
from services.fulfillment.store import orders, shipments
from tests.fulfillment.desk import DALLAS, MONDAY, NO_CONTEXT, WarehouseDesk
from tests.threads import at_once


def test_a2_sixty_and_twenty_five_then_fifteen(desk: WarehouseDesk) -> None:
    first = desk.release(("L1", "W1", 60), ("L1", "W2", 25))
    for each in first:
        desk.send(each)
    second = desk.release(("L1", "W1", 75), ("L1", "W2", 25))

    assert [(each.number, each.warehouse_id, each.lines[0].quantity) for each in [*first, *second]] == [
        ("SH-1001", "W1", 60),
        ("SH-1002", "W2", 25),
        ("SH-1003", "W1", 15),
    ]
    assert [each.lines[0].picked_quantity for each in second] == [0]
    assert [each.promised_on for each in first] == ["2026-03-06", "2026-03-05"]  # Monday + 1 + 3, + 1 + 2
    kind, detail = desk.facts()[-1]
    assert kind == "shipments_released"
    assert detail["lines"] == {
        "L1": {"released": 100, "picked": 85, "packed": 85, "shipped": 85, "delivered": 0, "intercepted": 0}
    }
    assert [each["number"] for each in detail["shipments"]] == ["SH-1003"]
    assert desk.broken_rules() == {}


def test_the_same_request_twice_gets_the_same_shipments(desk: WarehouseDesk) -> None:
    first = desk.release(("L1", "W1", 60), request_id="order/ord_1/release/1")
    again = desk.release(("L1", "W1", 60), request_id="order/ord_1/release/1")

    assert again == first
    assert len(desk.page().shipments) == 1
    assert [kind for kind, _ in desk.facts()] == ["shipments_released"]


def test_a_retry_that_names_units_allocated_since_gets_the_first_answer(desk: WarehouseDesk) -> None:
    first = desk.release(("L1", "W1", 60), request_id="order/ord_1/release/1")

    again = desk.release(("L1", "W1", 61), request_id="order/ord_1/release/1")
    later = desk.release(("L1", "W1", 61), request_id="order/ord_1/release/2")

    assert [each.shipment_id for each in again] == [each.shipment_id for each in first]
    assert [line.quantity for each in later for line in each.lines] == [61]


def test_what_was_released_is_not_released_again_whatever_state_it_is_in(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 60))

    for step in (desk.get, desk.pick, desk.pack, desk.ship, lambda each: desk.scan(desk.get(each)).shipment):
        step(shipment)
        assert desk.release(("L1", "W1", 60)) == []

    kinds = [kind for kind, _ in desk.facts()]
    assert kinds.count("shipments_released") == 1


def test_a_filled_backorder_releases_only_the_rest(desk: WarehouseDesk) -> None:
    (first,) = desk.release(("L1", "W1", 5), ("L2", "W1", 3))
    desk.pick(first)

    (rest,) = desk.release(("L1", "W1", 8), ("L2", "W1", 3))

    assert [(line.line_id, line.quantity) for line in rest.lines] == [("L1", 3)]


def test_a_fill_joins_what_its_warehouse_has_not_picked_and_another_warehouse_gets_a_shipment(
    desk: WarehouseDesk,
) -> None:
    (first,) = desk.release(("L1", "W1", 5))

    joined, other = desk.release(("L1", "W1", 8), ("L2", "W1", 3), ("L1", "W2", 2))

    assert (joined.number, [(line.line_id, line.quantity) for line in joined.lines]) == (
        first.number,
        [("L1", 8), ("L2", 3)],
    )
    assert joined.promised_on == first.promised_on
    assert (other.warehouse_id, [(line.line_id, line.quantity) for line in other.lines]) == ("W2", [("L1", 2)])
    kind, detail = desk.facts()[-1]
    assert (kind, detail["lines"]["L1"]["released"]) == ("shipments_released", 10)
    assert [one["number"] for one in detail["shipments"]] == [joined.number, other.number]
    assert desk.release(("L1", "W1", 8), ("L2", "W1", 3), ("L1", "W2", 2)) == []
    assert desk.broken_rules() == {}


def test_nothing_joins_a_shipment_whose_promised_day_is_over(desk: WarehouseDesk) -> None:
    (first,) = desk.release(("L1", "W1", 5))
    desk.clock.pass_time(timedelta(days=10))

    (late,) = desk.release(("L1", "W1", 6))

    assert (late.number != first.number, late.promised_on > first.promised_on) == (True, True)
    assert [line.quantity for line in late.lines] == [1]


def test_services_leave_together_without_a_warehouse(desk: WarehouseDesk) -> None:
    visit, goods = desk.release(("L1", "W1", 1), service=2)

    assert visit.is_service
    assert (visit.warehouse_id, visit.lines[0].sku, visit.promised_on) == ("", "INSTALL-8H", "2026-03-03")
    assert not goods.is_service


def test_nothing_allocated_is_an_empty_answer_without_a_fact(desk: WarehouseDesk) -> None:
    assert desk.release() == []
    assert desk.facts() == []


def test_an_address_without_a_zone_is_released_without_a_promise(desk: WarehouseDesk) -> None:
    nowhere = types.Address()
    nowhere.CopyFrom(DALLAS)
    nowhere.country = "AQ"
    line = pb.ReleaseLine(line_id="L1", sku="A", warehouse_id="W1", quantity=1)
    request = pb.ReleaseShipmentsRequest(
        request_id="r", order_id="ord_1", order_number="SO-1", ship_to=nowhere, lines=[line]
    )

    (shipment,) = desk.service.ReleaseShipments(request, NO_CONTEXT).shipments

    assert shipment.promised_on == ""


@pytest.mark.on_postgres
def test_looking_first_and_writing_later_would_release_twice(desk: WarehouseDesk) -> None:
    both_have_read = Barrier(2, timeout=60)

    def naive(number: int) -> None:
        with desk.database.reading() as session:
            known = shipments.of_order(session, "ord_1")
        both_have_read.wait()
        if not known:
            with desk.database.transaction() as session:
                orders.claim(session, "ord_1")
                lines = (ShipmentLine("L1", "A", "Pump", 60, 500),)
                label = Address("ACME", "1 Main St", "Dallas", "TX", "75001", "US")
                shipment = Shipment(f"shp_{number}", 1001 + number, "ord_1", "SO-1", "W1", label, lines, None, MONDAY)
                shipments.add(session, shipment)

    at_once([partial(naive, number) for number in range(2)])

    assert sum(each.lines[0].quantity for each in desk.page().shipments) == 120


@pytest.mark.on_postgres
def test_two_releases_at_once_release_each_unit_once(desk: WarehouseDesk) -> None:
    released = at_once([partial(desk.release, ("L1", "W1", 60), ("L2", "W2", 5), request_id=f"r{n}") for n in range(8)])

    made = [each for shipments_made in released for each in shipments_made]
    assert sorted((each.warehouse_id, each.lines[0].quantity) for each in made) == [("W1", 60), ("W2", 5)]
    assert desk.broken_rules() == {}


def test_nothing_joins_a_shipment_of_a_line_that_a_change_holds_back(desk: WarehouseDesk) -> None:
    (first,) = desk.release(("L1", "W1", 5))
    request = pb.ReleaseShipmentsRequest(
        request_id="r2",
        order_id="ord_1",
        order_number="SO-1001",
        ship_to=DALLAS,
        lines=[pb.ReleaseLine(line_id="L2", sku="A", description="Pump", warehouse_id="W1", quantity=3)],
        withheld_line_ids=["L1"],
    )

    (other,) = desk.service.ReleaseShipments(request, NO_CONTEXT).shipments

    assert (other.number != first.number, [line.line_id for line in other.lines]) == (True, ["L2"])
    assert [line.quantity for line in desk.get(first).lines] == [5]
