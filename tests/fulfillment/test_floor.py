from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.tracking import is_tracking_number
from services.kernel.clock import from_micros
from services.kernel.errors import InvalidArgument, NotFound, Refused
from tests.fulfillment.floor import MONDAY, NO_CONTEXT, Floor
from tests.threads import at_once


def test_a_shipment_goes_from_the_shelf_to_the_road(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 4))
    picked = floor.pick(shipment, ("L1", 4))
    packed = floor.pack(shipment)
    floor.clock.pass_time(timedelta(hours=1))
    shipped = floor.ship(shipment)

    assert picked.lines[0].picked_quantity == 4
    assert (picked.state, packed.state, shipped.state) == (2, 3, 4)
    assert (shipped.carrier, shipped.freight_cost.minor_units) == ("slow", 900 + 2 * 10)  # 4 × 500 g are 2 kg
    assert shipped.freight_cost.currency == "USD"
    assert shipped.tracking_number == "SLO000000000018"
    assert from_micros(shipped.shipped_at_micros) == MONDAY + timedelta(hours=1)
    assert floor.get(shipment) == shipped
    assert floor.broken_rules() == {}


def test_each_step_is_told_with_counts_of_the_whole_order(floor: Floor) -> None:
    first, second = floor.release(("L1", "W1", 60), ("L1", "W2", 25))
    floor.pick(second)
    parcel = floor.send(first)
    floor.scan(parcel)

    assert floor.milestones("L1") == [
        ("shipments_released", 85, 0, 0, 0, 0),
        ("shipment_picked", 85, 25, 0, 0, 0),
        ("shipment_picked", 85, 85, 0, 0, 0),
        ("shipment_packed", 85, 85, 60, 0, 0),
        ("shipment_shipped", 85, 85, 60, 60, 0),
        ("shipment_delivered", 85, 85, 60, 60, 60),
    ]


def test_a_carrier_can_be_asked_for(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 4))

    shipped = floor.send(shipment, "fast")

    assert (shipped.carrier, shipped.freight_cost.minor_units) == ("fast", 1520)


def test_a_carrier_without_a_rate_changes_nothing_and_burns_no_number(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 4))

    with pytest.raises(Refused, match="pigeon has no rate"):
        floor.send(shipment, "pigeon")

    assert floor.get(shipment).state == pb.SHIPMENT_STATE_PACKED
    assert floor.ship(shipment).tracking_number == "SLO000000000018"


def test_tracking_numbers_are_unique_and_carry_a_check_digit(floor: Floor) -> None:
    parcels = [floor.send(each) for each in floor.release(("L1", "W1", 1), ("L1", "W2", 1), ("L1", "P", 1))]

    numbers = {parcel.tracking_number for parcel in parcels}

    assert len(numbers) == 3
    assert all(is_tracking_number(number) for number in numbers)


def test_a_service_is_performed_at_once_and_told_as_shipped_and_delivered(floor: Floor) -> None:
    (visit,) = floor.release(service=2)

    done = floor.ship(visit)

    assert (done.state, done.carrier, done.tracking_number) == (pb.SHIPMENT_STATE_DELIVERED, "", "")
    assert not done.HasField("freight_cost")
    assert floor.milestones("LS") == [
        ("shipments_released", 2, 0, 0, 0, 0),
        ("shipment_shipped", 2, 2, 2, 2, 0),
        ("shipment_delivered", 2, 2, 2, 2, 2),
    ]
    assert [detail["shipment"]["state"] for _, detail in floor.facts()[1:]] == ["shipped", "delivered"]
    assert floor.broken_rules() == {}


def test_a_repeat_replays_and_a_new_request_names_the_state(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 4))
    first = floor.pick(shipment, request_id="pick/1")
    again = floor.pick(shipment, request_id="pick/1")

    assert again == first
    with pytest.raises(Refused, match="SH-1001 is picked and cannot be picked; it can be packed or be cancelled"):
        floor.pick(shipment)
    assert [kind for kind, _ in floor.facts()] == ["shipments_released", "shipment_picked"]


def test_shipping_out_of_turn_is_refused_before_rates_are_asked(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W9", 4))  # no rate from there

    with pytest.raises(Refused, match="is released and cannot be shipped"):
        floor.ship(shipment)


def test_a_short_pick_is_refused_and_leaves_the_shipment_as_it_was(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 4))

    with pytest.raises(Refused) as refusal:
        floor.pick(shipment, ("L1", 3))

    assert refusal.value.reason == "SHORT_PICK_UNSUPPORTED"
    assert floor.get(shipment) == shipment


@pytest.mark.on_postgres
def test_of_twenty_who_ship_at_once_one_does(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 4))
    floor.pick(shipment)
    floor.pack(shipment)

    def attempt(number: int) -> bool:
        try:
            floor.ship(shipment, request_id=f"ship/{number}")
        except Refused:
            return False
        return True

    outcomes = at_once([partial(attempt, number) for number in range(20)], threads=10)

    assert outcomes.count(True) == 1
    assert [kind for kind, _ in floor.facts()].count("shipment_shipped") == 1


@pytest.mark.on_postgres
def test_steps_of_one_order_at_once_never_tell_stale_counts(floor: Floor) -> None:
    made = floor.release(("L1", "W1", 1), ("L1", "W2", 1), ("L1", "P", 1), service=1)
    goods = [each for each in made if not each.is_service]

    at_once([partial(floor.send, each) for each in goods])

    counts = [detail["lines"]["L1"] for _, detail in floor.facts()]
    for milestone in ("picked", "packed", "shipped"):
        told = [each[milestone] for each in counts]
        assert told == sorted(told)
        assert told[-1] == 3


def test_an_unknown_shipment_is_not_found(floor: Floor) -> None:
    stranger = pb.Shipment(shipment_id="shp_none")

    for ask in (floor.get, floor.pick, floor.pack, floor.ship):
        with pytest.raises(NotFound, match="there is no shipment shp_none"):
            ask(stranger)


@pytest.mark.on_postgres
def test_lists_filter_and_page_without_gap_or_repeat(floor: Floor) -> None:
    for number in range(5):
        floor.release(("L1", "W1", 1), ("L1", "W2", 1), order_id=f"ord_{number}")
    floor.pick(floor.page(order_id="ord_3").shipments[0])

    seen, cursor = [], ""
    while True:
        page = floor.page(limit=3, cursor=cursor)
        seen += [each.number for each in page.shipments]
        if len(seen) == 3:
            floor.release(("L1", "W1", 1), order_id="ord_late")  # joins at the end
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == [f"SH-{number}" for number in range(1001, 1012)]
    assert [each.number for each in floor.page(warehouse_id="W2", limit=2).shipments] == ["SH-1002", "SH-1004"]
    assert [each.order_id for each in floor.page(state=pb.SHIPMENT_STATE_PICKED).shipments] == ["ord_3"]
    assert floor.page(order_id="ord_none").shipments == []
    assert [each.number for each in floor.page(number="SH-1002").shipments] == ["SH-1002"]
    assert [list(floor.page(number=number).shipments) for number in ("SH-1", "SH-01002", "1002", "SH-x", "SH-")] == [
        []
    ] * 5


def test_a_pick_count_below_zero_is_invalid(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 4))

    with pytest.raises(InvalidArgument):
        floor.pick(shipment, ("L1", -4))
    with pytest.raises(InvalidArgument):
        floor.service.PackShipment(pb.PackShipmentRequest(request_id="r", shipment_id=""), NO_CONTEXT)
