from __future__ import annotations

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from tests.fulfillment.floor import NO_CONTEXT, Floor


@pytest.mark.on_postgres
def test_everything_that_has_not_left_is_stopped(floor: Floor) -> None:
    visit, *goods = floor.release(("L1", "W1", 60), ("L1", "W2", 25), ("L1", "P", 1), service=1)
    floor.pick(goods[0])
    floor.pick(goods[1])
    floor.pack(goods[1])

    assert floor.cancel() == (4, 0)

    assert {floor.get(each).state for each in [visit, *goods]} == {pb.SHIPMENT_STATE_CANCELLED}
    kind, detail = floor.facts()[-1]
    assert kind == "shipments_cancelled"
    assert detail["lines"]["L1"] == {"released": 0, "picked": 0, "packed": 0, "shipped": 0, "delivered": 0}
    assert len(detail["shipments"]) == 4
    assert floor.broken_rules() == {}


def test_what_has_left_is_not_touched(floor: Floor) -> None:
    first, second, third = floor.release(("L1", "P", 1), ("L1", "W1", 60), ("L1", "W2", 25))
    delivered = floor.scan(floor.send(first)).shipment
    shipped = floor.send(second)

    assert floor.cancel() == (1, 2)

    assert floor.get(first) == delivered
    assert floor.get(second) == shipped
    assert floor.get(third).state == pb.SHIPMENT_STATE_CANCELLED
    assert floor.facts()[-1][1]["lines"]["L1"]["shipped"] == 61


def test_an_order_of_which_something_has_left_goes_on_where_all_or_nothing_is_to_be_stopped(floor: Floor) -> None:
    first, second = floor.release(("L1", "W1", 60), ("L1", "W2", 25))
    floor.send(first)

    assert floor.cancel(unless_shipped=True) == (0, 1)

    assert floor.get(second).state == pb.SHIPMENT_STATE_RELEASED
    assert [line.quantity for each in floor.release(("L1", "W1", 60), ("L1", "W2", 30)) for line in each.lines] == [5]
    assert floor.broken_rules() == {}


def test_an_order_of_which_nothing_has_left_is_stopped_for_good(floor: Floor) -> None:
    floor.release(("L1", "W1", 60))

    assert floor.cancel(unless_shipped=True) == (1, 0)
    assert floor.release(("L1", "W1", 60), ("L1", "W2", 25)) == []


def test_cancelling_again_counts_what_was_stopped_before_and_tells_nothing_new(floor: Floor) -> None:
    floor.release(("L1", "W1", 60))
    floor.cancel(request_id="cancel/1")

    assert floor.cancel(request_id="cancel/1") == (1, 0)
    assert floor.cancel() == (1, 0)
    assert [kind for kind, _ in floor.facts()].count("shipments_cancelled") == 1


def test_a_release_that_comes_after_the_cancellation_creates_nothing(floor: Floor) -> None:
    floor.release(("L1", "W1", 60))
    floor.cancel()

    assert floor.release(("L1", "W1", 60)) == []
    assert floor.release(("L1", "W1", 75), service=1) == []
    assert floor.broken_rules() == {}


def test_an_order_can_be_cancelled_before_its_release_arrives(floor: Floor) -> None:
    assert floor.cancel("ord_early") == (0, 0)

    assert floor.release(("L1", "W1", 60), order_id="ord_early") == []
    assert floor.facts() == []


def test_another_order_is_not_concerned(floor: Floor) -> None:
    floor.release(("L1", "W1", 60), order_id="ord_1")
    (other,) = floor.release(("L1", "W1", 60), order_id="ord_2")

    floor.cancel("ord_1")

    assert floor.get(other) == other


def test_a_cancelled_shipment_cannot_be_picked(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 60))
    floor.cancel()

    with pytest.raises(Refused, match="is cancelled and cannot be picked; nothing more can be done with it"):
        floor.pick(shipment)


def test_a_cancellation_names_its_order(floor: Floor) -> None:
    with pytest.raises(InvalidArgument):
        floor.service.CancelShipments(pb.CancelShipmentsRequest(request_id="r"), NO_CONTEXT)
