from __future__ import annotations

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk


@pytest.mark.on_postgres
def test_everything_that_has_not_left_is_stopped(desk: WarehouseDesk) -> None:
    visit, *goods = desk.release(("L1", "W1", 60), ("L1", "W2", 25), ("L1", "P", 1), service=1)
    desk.pick(goods[0])
    desk.pick(goods[1])
    desk.pack(goods[1])

    assert desk.cancel() == (4, 0)

    assert {desk.get(each).state for each in [visit, *goods]} == {pb.SHIPMENT_STATE_CANCELLED}
    kind, detail = desk.facts()[-1]
    assert kind == "shipments_cancelled"
    assert detail["lines"]["L1"] == {
        "released": 0,
        "picked": 0,
        "packed": 0,
        "shipped": 0,
        "delivered": 0,
        "intercepted": 0,
    }
    assert len(detail["shipments"]) == 4
    assert desk.broken_rules() == {}


def test_what_has_left_is_not_touched(desk: WarehouseDesk) -> None:
    first, second, third = desk.release(("L1", "P", 1), ("L1", "W1", 60), ("L1", "W2", 25))
    delivered = desk.scan(desk.send(first)).shipment
    shipped = desk.send(second)

    assert desk.cancel() == (1, 2)

    assert desk.get(first) == delivered
    assert desk.get(second) == shipped
    assert desk.get(third).state == pb.SHIPMENT_STATE_CANCELLED
    assert desk.facts()[-1][1]["lines"]["L1"]["shipped"] == 61


def test_an_order_of_which_something_has_left_goes_on_where_all_or_nothing_is_to_be_stopped(
    desk: WarehouseDesk,
) -> None:
    first, second = desk.release(("L1", "W1", 60), ("L1", "W2", 25))
    desk.send(first)

    assert desk.cancel(unless_shipped=True) == (0, 1)

    assert desk.get(second).state == pb.SHIPMENT_STATE_RELEASED
    assert [line.quantity for each in desk.release(("L1", "W1", 60), ("L1", "W2", 30)) for line in each.lines] == [30]
    assert desk.broken_rules() == {}


def test_an_order_of_which_nothing_has_left_is_stopped_for_good(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 60))

    assert desk.cancel(unless_shipped=True) == (1, 0)
    assert desk.release(("L1", "W1", 60), ("L1", "W2", 25)) == []


def test_cancelling_again_counts_what_was_stopped_before_and_tells_nothing_new(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 60))
    desk.cancel(request_id="cancel/1")

    assert desk.cancel(request_id="cancel/1") == (1, 0)
    assert desk.cancel() == (1, 0)
    assert [kind for kind, _ in desk.facts()].count("shipments_cancelled") == 1


def test_a_release_that_comes_after_the_cancellation_creates_nothing(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 60))
    desk.cancel()

    assert desk.release(("L1", "W1", 60)) == []
    assert desk.release(("L1", "W1", 75), service=1) == []
    assert desk.broken_rules() == {}


def test_an_order_can_be_cancelled_before_its_release_arrives(desk: WarehouseDesk) -> None:
    assert desk.cancel("ord_early") == (0, 0)

    assert desk.release(("L1", "W1", 60), order_id="ord_early") == []
    assert desk.facts() == []


def test_another_order_is_not_concerned(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 60), order_id="ord_1")
    (other,) = desk.release(("L1", "W1", 60), order_id="ord_2")

    desk.cancel("ord_1")

    assert desk.get(other) == other


def test_a_cancelled_shipment_cannot_be_picked(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 60))
    desk.cancel()

    with pytest.raises(Refused, match="is cancelled and cannot be picked; nothing more can be done with it"):
        desk.pick(shipment)


def test_a_cancellation_names_its_order(desk: WarehouseDesk) -> None:
    with pytest.raises(InvalidArgument):
        desk.service.CancelShipments(pb.CancelShipmentsRequest(request_id="r"), NO_CONTEXT)
