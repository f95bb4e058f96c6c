from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.tracking import is_tracking_number
from services.kernel.clock import from_micros
from services.kernel.errors import InvalidArgument, NotFound, Refused
from tests.fulfillment.desk import MONDAY, NO_CONTEXT, WarehouseDesk
from tests.threads import at_once


def test_a_shipment_goes_from_the_shelf_to_the_road(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 4))
    picked = desk.pick(shipment, ("L1", 4))
    packed = desk.pack(shipment)
    desk.clock.pass_time(timedelta(hours=1))
    shipped = desk.ship(shipment)

    assert picked.lines[0].picked_quantity == 4
    assert (picked.state, packed.state, shipped.state) == (2, 3, 4)
    assert (shipped.carrier, shipped.freight_cost.minor_units) == ("slow", 900 + 2 * 10)  # 4 × 500 g are 2 kg
    assert shipped.freight_cost.currency == "USD"
    assert shipped.tracking_number == "SLO000000000018"
    assert from_micros(shipped.shipped_at_micros) == MONDAY + timedelta(hours=1)
    assert desk.get(shipment) == shipped
    assert desk.broken_rules() == {}


def test_each_step_is_told_with_counts_of_the_whole_order(desk: WarehouseDesk) -> None:
    first, second = desk.release(("L1", "W1", 60), ("L1", "W2", 25))
    desk.pick(second)
    parcel = desk.send(first)
    desk.scan(parcel)

    assert desk.milestones("L1") == [
        ("shipments_released", 85, 0, 0, 0, 0),
        ("shipment_picked", 85, 25, 0, 0, 0),
        ("shipment_picked", 85, 85, 0, 0, 0),
        ("shipment_packed", 85, 85, 60, 0, 0),
        ("shipment_shipped", 85, 85, 60, 60, 0),
        ("shipment_delivered", 85, 85, 60, 60, 60),
    ]


def test_a_carrier_can_be_asked_for(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 4))

    shipped = desk.send(shipment, "fast")

    assert (shipped.carrier, shipped.freight_cost.minor_units) == ("fast", 1520)


def test_a_carrier_without_a_rate_changes_nothing_and_burns_no_number(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 4))

    with pytest.raises(Refused, match="pigeon has no rate"):
        desk.send(shipment, "pigeon")

    assert desk.get(shipment).state == pb.SHIPMENT_STATE_PACKED
    assert desk.ship(shipment).tracking_number == "SLO000000000018"


def test_tracking_numbers_are_unique_and_carry_a_check_digit(desk: WarehouseDesk) -> None:
    parcels = [desk.send(each) for each in desk.release(("L1", "W1", 1), ("L1", "W2", 1), ("L1", "P", 1))]

    numbers = {parcel.tracking_number for parcel in parcels}

    assert len(numbers) == 3
    assert all(is_tracking_number(number) for number in numbers)


def test_a_service_is_performed_at_once_and_told_as_shipped_and_delivered(desk: WarehouseDesk) -> None:
    (visit,) = desk.release(service=2)

    done = desk.ship(visit)

    assert (done.state, done.carrier, done.tracking_number) == (pb.SHIPMENT_STATE_DELIVERED, "", "")
    assert not done.HasField("freight_cost")
    assert desk.milestones("LS") == [
        ("shipments_released", 2, 0, 0, 0, 0),
        ("shipment_shipped", 2, 2, 2, 2, 0),
        ("shipment_delivered", 2, 2, 2, 2, 2),
    ]
    assert [detail["shipment"]["state"] for _, detail in desk.facts()[1:]] == ["shipped", "delivered"]
    assert desk.broken_rules() == {}


def test_a_repeat_replays_and_a_new_request_names_the_state(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 4))
    first = desk.pick(shipment, request_id="pick/1")
    again = desk.pick(shipment, request_id="pick/1")

    assert again == first
    with pytest.raises(Refused, match="SH-1001 is picked and cannot be picked; it can be packed or be cancelled"):
        desk.pick(shipment)
    assert [kind for kind, _ in desk.facts()] == ["shipments_released", "shipment_picked"]


def test_shipping_out_of_turn_is_refused_before_rates_are_asked(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W9", 4))  # no rate from there

    with pytest.raises(Refused, match="is released and cannot be shipped"):
        desk.ship(shipment)


def test_a_short_pick_is_refused_and_leaves_the_shipment_as_it_was(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 4))

    with pytest.raises(Refused) as refusal:
        desk.pick(shipment, ("L1", 3))

    assert refusal.value.reason == "PICK_INCOMPLETE"
    assert desk.get(shipment) == shipment


@pytest.mark.on_postgres
def test_of_twenty_who_ship_at_once_one_does(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 4))
    desk.pick(shipment)
    desk.pack(shipment)

    def attempt(number: int) -> bool:
        try:
            desk.ship(shipment, request_id=f"ship/{number}")
        except Refused:
            return False
        return True

    outcomes = at_once([partial(attempt, number) for number in range(20)], threads=10)

    assert outcomes.count(True) == 1
    assert [kind for kind, _ in desk.facts()].count("shipment_shipped") == 1


@pytest.mark.on_postgres
def test_steps_of_one_order_at_once_never_tell_stale_counts(desk: WarehouseDesk) -> None:
    made = desk.release(("L1", "W1", 1), ("L1", "W2", 1), ("L1", "P", 1), service=1)
    goods = [each for each in made if not each.is_service]

    at_once([partial(desk.send, each) for each in goods])

    counts = [detail["lines"]["L1"] for _, detail in desk.facts()]
    for milestone in ("picked", "packed", "shipped"):
        facts = [each[milestone] for each in counts]
        assert facts == sorted(facts)
        assert facts[-1] == 3


def test_an_unknown_shipment_is_not_found(desk: WarehouseDesk) -> None:
    stranger = pb.Shipment(shipment_id="shp_none")

    for ask in (desk.get, desk.pick, desk.pack, desk.ship):
        with pytest.raises(NotFound, match="there is no shipment shp_none"):
            ask(stranger)


@pytest.mark.on_postgres
def test_lists_filter_and_page_without_gap_or_repeat(desk: WarehouseDesk) -> None:
    for number in range(5):
        desk.release(("L1", "W1", 1), ("L1", "W2", 1), order_id=f"ord_{number}")
    desk.pick(desk.page(order_id="ord_3").shipments[0])

    seen, cursor = [], ""
    while True:
        page = desk.page(limit=3, cursor=cursor)
        seen += [each.number for each in page.shipments]
        if len(seen) == 3:
            desk.release(("L1", "W1", 1), order_id="ord_late")  # joins at the end
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == [f"SH-{number}" for number in range(1001, 1012)]
    assert [each.number for each in desk.page(warehouse_id="W2", limit=2).shipments] == ["SH-1002", "SH-1004"]
    assert [each.order_id for each in desk.page(state=pb.SHIPMENT_STATE_PICKED).shipments] == ["ord_3"]
    assert desk.page(order_id="ord_none").shipments == []
    assert [each.number for each in desk.page(number="SH-1002").shipments] == ["SH-1002"]
    assert [list(desk.page(number=number).shipments) for number in ("SH-1", "SH-01002", "1002", "SH-x", "SH-")] == [
        []
    ] * 5


def test_a_pick_count_below_zero_is_invalid(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 4))

    with pytest.raises(InvalidArgument):
        desk.pick(shipment, ("L1", -4))
    with pytest.raises(InvalidArgument):
        desk.service.PackShipment(pb.PackShipmentRequest(request_id="r", shipment_id=""), NO_CONTEXT)
