"""A ship confirm that was a mistake is reversed: the shipment never left, and another one is packed with its goods."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import Refused
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk


def reverse(desk: WarehouseDesk, shipment: pb.Shipment, key: str = "") -> pb.ReverseShipmentResponse:
    request = pb.ReverseShipmentRequest(
        request_id=key or desk.fresh(),
        shipment_id=shipment.shipment_id,
        reason="scanned the wrong pallet",
        reversed_by="warehouse.pat",
    )
    return desk.service.ReverseShipment(request, NO_CONTEXT)


def refusal(desk: WarehouseDesk, shipment: pb.Shipment) -> str:
    """The reason why its ship confirm cannot be reversed, as the check and the act both say."""
    reasons = []
    for act in (
        lambda: reverse(desk, shipment),
        lambda: desk.service.CheckReversal(pb.CheckReversalRequest(shipment_id=shipment.shipment_id), NO_CONTEXT),
    ):
        with pytest.raises(Refused) as refused:
            act()
        reasons.append(refused.value.reason)
    assert len(set(reasons)) == 1
    return reasons[0]


@pytest.mark.on_postgres
def test_its_goods_are_packed_again_under_a_number_of_their_own(desk: WarehouseDesk) -> None:
    [released] = desk.release(("L1", "W1", 4))
    sent = desk.send(released)
    desk.clock.pass_time(timedelta(minutes=5))

    done = reverse(desk, sent)

    gone, packed = done.shipment, done.replacement
    assert (gone.number, gone.state, gone.shipped_at_micros) == ("SH-1001", pb.SHIPMENT_STATE_CANCELLED, 0)
    how = gone.reversal
    assert (how.shipped_at_micros, how.replaced_by) == (sent.shipped_at_micros, "SH-1002")
    assert (how.reason, how.reversed_by) == ("scanned the wrong pallet", "warehouse.pat")
    assert how.reversed_at_micros - how.shipped_at_micros == 300_000_000
    assert (packed.number, packed.state, packed.replaces) == ("SH-1002", pb.SHIPMENT_STATE_PACKED, "SH-1001")
    assert (packed.carrier, packed.tracking_number) == ("", "")
    assert [(line.line_id, line.quantity, line.picked_quantity) for line in packed.lines] == [("L1", 4, 4)]
    assert desk.milestones("L1")[-1] == ("shipment_reversed", 4, 4, 4, 0, 0)
    kind, detail = desk.facts()[-1]
    assert (kind, detail["reason"]) == ("shipment_reversed", "scanned the wrong pallet")
    assert [(one["number"], one["state"]) for one in detail["shipments"]] == [
        ("SH-1001", "cancelled"),
        ("SH-1002", "packed"),
    ]
    assert desk.get(gone) == gone
    assert desk.broken_rules() == {}


def test_the_goods_ship_again_with_a_tracking_number_of_their_own(desk: WarehouseDesk) -> None:
    [released] = desk.release(("L1", "W1", 4))
    sent = desk.send(released)
    packed = reverse(desk, sent).replacement

    again = desk.ship(packed)
    desk.scan(again)

    assert again.tracking_number != sent.tracking_number
    assert desk.milestones("L1")[-1] == ("shipment_delivered", 4, 4, 4, 4, 4)
    assert desk.release(("L1", "W1", 4)) == []
    assert desk.broken_rules() == {}


def test_a_repeat_gets_the_first_answer_and_a_second_reversal_is_refused(desk: WarehouseDesk) -> None:
    [released] = desk.release(("L1", "W1", 4))
    sent = desk.send(released)
    first = reverse(desk, sent, "once")

    assert reverse(desk, sent, "once") == first
    assert refusal(desk, sent) == "SHIPMENT_REVERSED"
    assert len(desk.page(order_id="ord_1").shipments) == 2


def test_what_has_left_after_all_or_never_did_is_refused(desk: WarehouseDesk) -> None:
    [released] = desk.release(("L1", "W1", 4))
    assert refusal(desk, released) == "ILLEGAL_TRANSITION"
    sent = desk.send(released)
    desk.scan(sent, "in_transit")
    assert refusal(desk, sent) == "CARRIER_HAS_SHIPMENT"
    desk.scan(sent)
    assert refusal(desk, sent) == "SHIPMENT_DELIVERED"
    [visit] = desk.release(order_id="ord_2", service=1)
    assert refusal(desk, desk.ship(visit)) == "SHIPMENT_DELIVERED"
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_what_has_come_back_had_left(desk: WarehouseDesk) -> None:
    first, second = (desk.send(one) for one in desk.release(("L1", "W1", 4), ("L1", "W2", 2)))
    desk.expect_return(L1=5)
    desk.count_back(L1=3)
    assert refusal(desk, first) == "RETURN_RECEIVED"  # the other one had 2 of these 3
    assert reverse(desk, second).shipment.state == pb.SHIPMENT_STATE_CANCELLED
    assert refusal(desk, first) == "RETURN_RECEIVED"
    assert desk.broken_rules() == {}


def test_nothing_is_packed_again_for_an_order_that_was_cancelled(desk: WarehouseDesk) -> None:
    [released] = desk.release(("L1", "W1", 4))
    sent = desk.send(released)
    desk.cancel()

    assert refusal(desk, sent) == "ORDER_CANCELLED"


def test_an_order_can_be_cancelled_once_nothing_of_it_has_left(desk: WarehouseDesk) -> None:
    [released] = desk.release(("L1", "W1", 4))
    sent = desk.send(released)
    reverse(desk, sent)

    request = pb.CancelShipmentsRequest(request_id="all", order_id="ord_1", reason="wrong order", unless_shipped=True)
    answer = desk.service.CancelShipments(request, NO_CONTEXT)

    assert (answer.cancelled_count, answer.shipped_count) == (2, 0)
    assert list(answer.reversed_shipment_ids) == [sent.shipment_id]
    assert desk.broken_rules() == {}


def test_a_carrier_that_tells_of_it_after_all_is_an_exception(desk: WarehouseDesk) -> None:
    [released] = desk.release(("L1", "W1", 4))
    sent = desk.send(released)
    reverse(desk, sent)

    said = desk.scan(sent)

    assert said.is_new
    assert said.shipment.state == pb.SHIPMENT_STATE_CANCELLED
    kind, detail = desk.facts()[-1]
    assert (kind, detail["shipment"]["number"]) == ("shipment_exception", "SH-1001")
    assert desk.milestones("L1")[-1][3:] == (4, 0, 0)
    assert desk.broken_rules() == {}
