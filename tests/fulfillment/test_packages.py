from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.number_packages import PackingRules
from services.fulfillment.servicer import FulfillmentServicer
from services.fulfillment.settings import Settings
from services.kernel.errors import DomainError, NotFound, Refused
from tests.fulfillment.desk import WarehouseDesk
from tests.fulfillment.test_reversal import reverse
from tests.threads import at_once


def package(units: int, number: str = "", grams: int = 0) -> pb.Package:
    contents = [types.LineQuantity(line_id="L1", quantity=units)]
    return pb.Package(contents=contents, tracking_number=number, weight_grams=grams)


def picked(desk: WarehouseDesk, units: int = 4, order_id: str = "ord_1") -> pb.Shipment:
    (shipment,) = desk.release(("L1", "W1", units), order_id=order_id)
    return desk.pick(shipment)


def three(desk: WarehouseDesk) -> pb.Shipment:
    """Four units on their way in three packages: 1Z-1, 1Z-2 and 1Z-3."""
    packed = desk.pack(picked(desk), package(2, grams=1500), package(1), package(1))
    sent = desk.ship(packed, numbers=["1z-1", "1Z -2", "1Z-3"])
    desk.clock.pass_time(timedelta(days=2))
    return sent


@pytest.mark.on_postgres
def test_each_package_has_its_contents_its_code_and_the_carriers_own_number(desk: WarehouseDesk) -> None:
    sent = three(desk)

    assert sent == desk.get(sent)
    assert [(each.number, each.contents[0].quantity, each.weight_grams) for each in sent.packages] == [
        (1, 2, 1500),
        (2, 1, 500),
        (3, 1, 500),
    ]
    assert [each.sscc for each in sent.packages] == ["095213210000000018", "095213210000000025", "095213210000000032"]
    assert [each.tracking_number for each in sent.packages] == ["1Z-1", "1Z-2", "1Z-3"]
    assert sent.tracking_number == "1Z-1"
    # slow: 9.00 and 0.10 for each started kilogram of 2.5
    assert sent.freight_cost.minor_units == 930
    detail = desk.facts()[-1][1]["shipment"]
    assert [each["tracking_number"] for each in detail["packages"]] == ["1Z-1", "1Z-2", "1Z-3"]
    assert desk.broken_rules() == {}


def test_who_packs_and_ships_without_packages_has_one_with_everything(desk: WarehouseDesk) -> None:
    sent = desk.ship(desk.pack(picked(desk)))

    (one,) = sent.packages
    assert (one.contents[0].quantity, one.weight_grams, one.tracking_number) == (4, 2000, sent.tracking_number)
    assert sent.tracking_number == "SLO000000000018"


@pytest.mark.on_postgres
def test_a_shipment_is_delivered_when_all_its_packages_are_by_the_number_of_each(desk: WarehouseDesk) -> None:
    sent = three(desk)

    states = [desk.scan(sent, number=number).shipment.state for number in ("1Z-3", "1Z-1", "1Z-3", "1Z-2")]

    shipped, delivered = pb.SHIPMENT_STATE_SHIPPED, pb.SHIPMENT_STATE_DELIVERED
    assert states == [shipped, shipped, shipped, delivered]
    assert [kind for kind, _ in desk.facts()].count("shipment_delivered") == 1
    assert len(desk.deliveries()) == 1
    assert desk.broken_rules() == {}


def test_a_lost_package_is_an_exception_that_names_its_number_until_it_comes(desk: WarehouseDesk) -> None:
    sent = three(desk)
    desk.scan(sent, number="1Z-1")

    lost = desk.scan(sent, "exception", number="1Z-2").shipment
    late = desk.scan(sent, "exception", number="1Z-1").shipment

    assert [bool(each.exception_at_micros) for each in lost.packages] == [False, True, False]
    assert late == lost
    kind, detail = desk.facts()[-1]
    assert (kind, [bool(each["exception_at_micros"]) for each in detail["shipment"]["packages"]]) == (
        "shipment_exception",
        [False, True, False],
    )
    assert desk.scan(sent, number="1Z-2").shipment.exception_at_micros == 0  # it has come, and no other has a problem
    found = desk.scan(sent, number="1Z-3").shipment
    assert (found.state, found.exception_at_micros) == (pb.SHIPMENT_STATE_DELIVERED, 0)
    assert desk.broken_rules() == {}


def test_a_number_of_another_shipment_is_refused_when_packed_and_when_shipped(desk: WarehouseDesk) -> None:
    three(desk)
    other = picked(desk, 2, "ord_2")

    with pytest.raises(Refused, match="1Z-2 is on a package of SH-1001") as at_pack:
        desk.pack(other, package(2, "1Z-2"))
    packed = desk.pack(other, package(1), package(1))
    with pytest.raises(Refused) as at_ship:
        desk.ship(packed, numbers=["1Z-9", "1Z-3"])

    assert (at_pack.value.reason, at_ship.value.reason) == ("TRACKING_NUMBER_TAKEN", "TRACKING_NUMBER_TAKEN")
    assert desk.get(packed).state == pb.SHIPMENT_STATE_PACKED


def test_a_system_that_ships_goods_makes_no_number_up_and_has_no_code_without_a_prefix(desk: WarehouseDesk) -> None:
    desk.service = FulfillmentServicer(desk.database, desk.clock, packing=PackingRules("", invents_numbers=False))
    packed = desk.pack(picked(desk), package(3, "1Z-1"), package(1))

    with pytest.raises(Refused, match="package 2 has no tracking number") as refusal:
        desk.ship(packed)
    sent = desk.ship(packed, numbers=["1Z-1", "1Z-2"])

    assert refusal.value.reason == "TRACKING_NUMBER_MISSING"
    assert [(each.sscc, each.tracking_number) for each in sent.packages] == [("", "1Z-1"), ("", "1Z-2")]


def test_production_is_asked_for_numbers_and_the_embedded_mode_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_GS1_COMPANY_PREFIX", "")
    embedded = Settings().packing
    production = Settings(mode="production").packing
    own = Settings(mode="production", gs1_company_prefix="4012345").packing

    assert embedded == PackingRules("9521321", invents_numbers=True)
    assert production == PackingRules("", invents_numbers=False)
    assert own == PackingRules("4012345", invents_numbers=False)


@pytest.mark.parametrize(
    ("packages", "reason"),
    [
        ([package(3)], "UNITS_NOT_PACKED"),
        ([package(3), package(2)], "PACKED_TWICE"),
        ([package(4, "!")], "TRACKING_NUMBER_MISREAD"),
        ([package(0)], "QUANTITY_NOT_POSITIVE"),
        ([package(1)] * 201, "TOO_MANY_ROWS"),
        (
            [pb.Package(contents=[types.LineQuantity(line_id="L1", quantity=4)], weight_grams=-1)],
            "QUANTITY_OUT_OF_RANGE",
        ),
    ],
)
def test_packages_that_cannot_be_are_refused_and_nothing_is_packed(
    desk: WarehouseDesk, packages: list[pb.Package], reason: str
) -> None:
    shipment = picked(desk)

    with pytest.raises(DomainError) as refusal:
        desk.pack(shipment, *packages)

    assert refusal.value.reason == reason
    assert desk.get(shipment).state == pb.SHIPMENT_STATE_PICKED


@pytest.mark.on_postgres
def test_units_that_are_asked_back_leave_the_last_package(desk: WarehouseDesk) -> None:
    packed = desk.pack(picked(desk), package(2), package(2, grams=1234))
    request = pb.RequestRecallRequest(
        request_id=desk.fresh(),
        order_id="ord_1",
        change_id="chg_1",
        lines=[types.LineQuantity(line_id="L1", sku="A", quantity=3)],
        is_cancellation=True,
    )
    recall_id = desk.service.RequestRecall(request, None).recall_id  # type: ignore[arg-type]  # the servicer never looks at it

    desk.answer(recall_id, yes=True)

    after = desk.get(packed)
    assert [(each.contents[0].quantity, each.weight_grams) for each in after.packages] == [(2, 1000), (1, 500)]
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_a_reversed_shipment_is_packed_as_it_was_under_new_codes(desk: WarehouseDesk) -> None:
    sent = desk.ship(desk.pack(picked(desk), package(3), package(1)), numbers=["1Z-1", "1Z-2"])

    again = reverse(desk, sent).replacement

    assert [each.contents for each in again.packages] == [each.contents for each in sent.packages]
    assert not {each.sscc for each in again.packages} & {each.sscc for each in sent.packages}
    assert not any(each.tracking_number for each in again.packages)
    assert desk.scan(sent, "in_transit", number="1Z-2").is_new
    assert desk.broken_rules() == {}


def test_what_a_carrier_told_of_any_package_is_not_reversed_and_what_arrived_is_not_stopped(
    desk: WarehouseDesk,
) -> None:
    sent = three(desk)
    desk.scan(sent, number="1Z-2")
    stop = pb.InterceptShipmentRequest(
        request_id="stop", shipment_id=sent.shipment_id, reason="no", asked_by="Sue", carrier_answer="intercepted"
    )

    with pytest.raises(Refused) as reversal:
        reverse(desk, sent)
    with pytest.raises(Refused, match="package 2 of SH-1001 is delivered") as interception:
        desk.service.InterceptShipment(stop, None)  # type: ignore[arg-type]  # the servicer never looks at it

    assert (reversal.value.reason, interception.value.reason) == ("CARRIER_HAS_SHIPMENT", "NOT_ON_ITS_WAY")


def test_a_shipment_is_found_by_the_number_of_any_package(desk: WarehouseDesk) -> None:
    sent = three(desk)

    assert [each.number for each in desk.page(tracking_number="1z -3").shipments] == [sent.number]
    assert not desk.page(tracking_number="1Z-4").shipments
    with pytest.raises(NotFound):
        desk.scan(sent, number="1Z-4")


@pytest.mark.on_postgres
def test_all_packages_scanned_at_once_deliver_the_shipment_once(desk: WarehouseDesk) -> None:
    sent = three(desk)
    scans = [partial(desk.scan, sent, number=number) for number in ("1Z-1", "1Z-2", "1Z-3")]

    at_once(scans * 4, threads=6)

    assert desk.get(sent).state == pb.SHIPMENT_STATE_DELIVERED
    assert [kind for kind, _ in desk.facts()].count("shipment_delivered") == 1
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_one_number_for_two_shipments_at_once_is_on_one(desk: WarehouseDesk) -> None:
    packed = [desk.pack(picked(desk, 1, f"ord_{number}")) for number in range(6)]

    def ship(shipment: pb.Shipment) -> str:
        try:
            desk.ship(shipment, numbers=["1Z-1"])
        except Refused as refused:
            return refused.reason
        return "shipped"

    answers = at_once([partial(ship, one) for one in packed], threads=6)

    assert sorted(answers) == ["TRACKING_NUMBER_TAKEN"] * 5 + ["shipped"]
    assert desk.broken_rules() == {}
