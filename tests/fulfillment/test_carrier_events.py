from __future__ import annotations

from datetime import timedelta

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.tracking import tracking_number
from services.kernel.clock import from_micros
from services.kernel.errors import InvalidArgument, NotFound, Refused
from tests.fulfillment.desk import MONDAY, WarehouseDesk
from tests.threads import at_once


@pytest.fixture
def parcel(desk: WarehouseDesk) -> pb.Shipment:
    (shipment,) = desk.release(("L1", "W1", 4))
    sent = desk.send(shipment)
    desk.clock.pass_time(timedelta(days=3))
    return sent


def test_a_delivery_is_recorded_when_it_happened(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    answer = desk.scan(parcel, at=MONDAY + timedelta(days=2))

    assert answer.is_new
    assert answer.shipment.state == pb.SHIPMENT_STATE_DELIVERED
    assert from_micros(answer.shipment.delivered_at_micros) == MONDAY + timedelta(days=2)
    assert desk.facts()[-1][0] == "shipment_delivered"
    delivered_at = answer.shipment.delivered_at_micros
    assert desk.deliveries() == [{"shipment_id": parcel.shipment_id, "delivered_at_micros": delivered_at}]
    assert desk.broken_rules() == {}


def test_the_same_event_twice_is_delivered_once(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    first = desk.scan(parcel, event_id="e1")
    second = desk.scan(parcel, event_id="e1")

    assert (first.is_new, second.is_new) == (True, False)
    assert second.shipment == first.shipment
    assert [kind for kind, _ in desk.facts()].count("shipment_delivered") == 1
    assert len(desk.deliveries()) == 1


@pytest.mark.parametrize(
    ("status", "days"), [("delivered", 2), ("exception", 2), ("in_transit", 1)], ids=["status", "problem", "instant"]
)
def test_an_event_id_that_says_something_else_later_is_refused_not_lost(
    desk: WarehouseDesk, parcel: pb.Shipment, status: str, days: int
) -> None:
    desk.scan(parcel, "in_transit", event_id="e1", at=MONDAY + timedelta(days=2))

    with pytest.raises(Refused) as refusal:
        desk.scan(parcel, status, event_id="e1", at=MONDAY + timedelta(days=days))

    assert (refusal.value.reason, refusal.value.detail["order_id"]) == ("WEBHOOK_ID_REUSED", parcel.order_id)
    assert desk.scan(parcel, "delivered", event_id="e2").shipment.state == pb.SHIPMENT_STATE_DELIVERED


def test_two_different_deliveries_are_told_once(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    first = desk.scan(parcel, at=MONDAY + timedelta(days=1))
    second = desk.scan(parcel, at=MONDAY + timedelta(days=2))

    assert second.is_new
    assert second.shipment == first.shipment
    assert [kind for kind, _ in desk.facts()].count("shipment_delivered") == 1


def test_an_event_that_comes_late_is_kept_and_changes_nothing(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    delivered = desk.scan(parcel).shipment

    late = desk.scan(parcel, "out_for_delivery", at=MONDAY + timedelta(hours=2))

    assert late.is_new
    assert late.shipment == delivered
    assert not desk.scan(parcel, "out_for_delivery", event_id="key-late").shipment.state < delivered.state


@pytest.mark.parametrize("status", ["in_transit", "out_for_delivery"])
def test_other_events_move_nothing(desk: WarehouseDesk, parcel: pb.Shipment, status: str) -> None:
    answer = desk.scan(parcel, status)

    assert answer.is_new
    assert answer.shipment == parcel


def test_a_problem_on_the_way_is_told_and_stands_on_the_shipment_until_it_is_delivered(
    desk: WarehouseDesk, parcel: pb.Shipment
) -> None:
    problem = desk.scan(parcel, "exception", at=MONDAY + timedelta(days=1)).shipment
    older = desk.scan(parcel, "exception", at=MONDAY + timedelta(hours=8)).shipment
    delivered = desk.scan(parcel, at=MONDAY + timedelta(days=2)).shipment
    desk.scan(parcel, "exception", at=MONDAY + timedelta(days=1))

    assert (problem.state, from_micros(problem.exception_at_micros)) == (parcel.state, MONDAY + timedelta(days=1))
    assert older.exception_at_micros == problem.exception_at_micros
    assert delivered.exception_at_micros == 0
    facts = desk.facts()[-3:]
    assert [kind for kind, _ in facts] == ["shipment_exception", "shipment_exception", "shipment_delivered"]
    assert [detail["shipment"]["exception_at_micros"] for _, detail in facts] == [
        problem.exception_at_micros,
        problem.exception_at_micros,
        0,
    ]
    assert desk.broken_rules() == {}


def test_the_same_problem_twice_is_told_once(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    desk.scan(parcel, "exception", event_id="e1")
    desk.scan(parcel, "exception", event_id="e1")

    assert [kind for kind, _ in desk.facts()].count("shipment_exception") == 1


def test_a_delivery_cannot_come_before_the_parcel_was_shipped(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 4))
    foreseen = pb.Shipment(carrier="slow", tracking_number=tracking_number("slow", 1))

    with pytest.raises(NotFound) as refusal:
        desk.scan(foreseen)

    assert refusal.value.reason == "UNKNOWN_TRACKING_NUMBER"


def test_another_carrier_knows_nothing_of_the_parcel(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    stranger = pb.Shipment(carrier="fast", tracking_number=parcel.tracking_number)

    with pytest.raises(NotFound):
        desk.scan(stranger)


def test_a_misread_number_is_an_invalid_argument(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    misread = pb.Shipment(carrier="slow", tracking_number="SLO000000000019")

    with pytest.raises(InvalidArgument, match="check digit is wrong"):
        desk.scan(misread)


@pytest.mark.on_postgres
def test_twenty_copies_at_once_are_one_event(desk: WarehouseDesk, parcel: pb.Shipment) -> None:
    answers = at_once([lambda: desk.scan(parcel, event_id="e1")] * 20, threads=10)

    assert sum(answer.is_new for answer in answers) == 1
    assert [kind for kind, _ in desk.facts()].count("shipment_delivered") == 1
