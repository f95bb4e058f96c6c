"""A parcel is stopped on its way: its carrier is asked once, and who was first, its word or the delivery, is the one outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.carriers import CarrierAway, SandboxCarriers
from services.fulfillment.settings import Settings
from services.kernel.errors import Conflict, InvalidArgument, Refused
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk
from tests.threads import at_once


class FakeCarriers:
    """Carriers that answer as they are set, once under a key, and are away as often as set; `meanwhile` happens before they answer."""

    def __init__(self, answer: str, away: int = 0, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.answer, self.away, self.meanwhile = answer, away, meanwhile
        self.asked: list[tuple[str, str, str]] = []

    def intercept(self, key: str, carrier: str, tracking_number: str) -> str:
        self.asked.append((key, carrier, tracking_number))
        if self.away:
            self.away -= 1
            raise CarrierAway(carrier)
        self.meanwhile()
        return self.answer


def intercept(desk: WarehouseDesk, shipment: pb.Shipment, key: str = "", answer: str = "") -> pb.Shipment:
    request = pb.InterceptShipmentRequest(
        request_id=key or desk.fresh(),
        shipment_id=shipment.shipment_id,
        reason="project stopped",
        asked_by="sue",
        carrier_answer=answer,
    )
    return desk.service.InterceptShipment(request, NO_CONTEXT).shipment


def sent(desk: WarehouseDesk, carriers: FakeCarriers | None) -> pb.Shipment:
    desk.service.carriers = carriers
    [released] = desk.release(("L1", "W1", 4))
    return desk.send(released)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises((Refused, Conflict, InvalidArgument)) as refused:
        act()
    return refused.value.reason


@pytest.mark.on_postgres
def test_a_carrier_that_says_yes_is_asked_once_and_emitted_once(desk: WarehouseDesk) -> None:
    carriers = FakeCarriers("intercepted")
    shipment = sent(desk, carriers)

    stopped = intercept(desk, shipment)
    again = intercept(desk, shipment)

    assert carriers.asked == [(f"intercept/{shipment.shipment_id}", shipment.carrier, shipment.tracking_number)]
    assert (stopped.state, stopped.interception.state) == (pb.SHIPMENT_STATE_SHIPPED, "intercepted")
    assert (stopped.interception.reason, stopped.interception.asked_by) == ("project stopped", "sue")
    assert again == stopped == desk.get(shipment)
    [(_, emitted)] = [one for one in desk.facts() if one[0] == "shipment_intercepted"]
    assert (emitted["lines"]["L1"]["intercepted"], emitted["reason"], emitted["asked_by"]) == (
        4,
        "project stopped",
        "sue",
    )
    assert desk.broken_rules() == {}


@pytest.mark.parametrize("answer", ["refused", "too_late"])
def test_a_carrier_that_says_no_leaves_it_shipped(desk: WarehouseDesk, answer: str) -> None:
    shipment = sent(desk, FakeCarriers(answer))

    stopped = intercept(desk, shipment)

    assert (stopped.state, stopped.interception.state) == (pb.SHIPMENT_STATE_SHIPPED, answer)
    assert [kind for kind, _ in desk.facts() if kind == "shipment_intercepted"] == []
    assert desk.scan(shipment, "delivered").shipment.state == pb.SHIPMENT_STATE_DELIVERED
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_a_delivery_that_comes_before_the_carriers_yes_wins(desk: WarehouseDesk) -> None:
    carriers = FakeCarriers("intercepted")
    shipment = sent(desk, carriers)
    carriers.meanwhile = lambda: desk.scan(shipment, "delivered")

    stopped = intercept(desk, shipment)

    assert (stopped.state, stopped.interception.state) == (pb.SHIPMENT_STATE_DELIVERED, "too_late")
    assert [kind for kind, _ in desk.facts()][-1] == "shipment_delivered"
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_a_delivery_that_is_told_of_after_the_yes_is_an_exception(desk: WarehouseDesk) -> None:
    shipment = sent(desk, FakeCarriers("intercepted"))
    intercept(desk, shipment)

    after = desk.scan(shipment, "delivered").shipment
    desk.scan(shipment, "exception")

    assert (after.state, after.interception.state) == (pb.SHIPMENT_STATE_SHIPPED, "intercepted")
    assert [kind for kind, _ in desk.facts()][-2:] == ["shipment_intercepted", "shipment_exception"]
    assert desk.deliveries() == []
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_interception_against_delivery_has_one_outcome(desk: WarehouseDesk) -> None:
    outcomes = set()
    for number in range(8):
        desk.service.carriers = FakeCarriers("intercepted")
        [released] = desk.release(("L1", "W1", 4), order_id=f"ord_{number}")
        shipment = desk.send(released)

        at_once([lambda one=shipment: _tried(desk, one), lambda one=shipment: desk.scan(one, "delivered")])  # type: ignore[misc]  # bound here

        found = desk.get(shipment)
        is_delivered, how = found.state == pb.SHIPMENT_STATE_DELIVERED, found.interception.state
        assert (is_delivered, how) in {(True, ""), (True, "too_late"), (False, "intercepted")}
        outcomes.add((is_delivered, how))
        emitted = [
            k for k, one in desk.facts() if k in ("shipment_delivered", "shipment_intercepted") and _of(one, found)
        ]
        assert emitted == ["shipment_delivered" if is_delivered else "shipment_intercepted"]
    assert outcomes
    assert desk.broken_rules() == {}


def two_packages(desk: WarehouseDesk, *answers: str) -> tuple[pb.Shipment, list[str]]:
    """A shipment in two packages whose carrier answers of each; its tracking numbers are returned, too."""
    given = dict(zip(("1Z-1", "1Z-2"), answers, strict=True))
    asked: list[str] = []

    class Each:
        def intercept(self, key: str, carrier: str, tracking_number: str) -> str:
            asked.append(tracking_number)
            return given[tracking_number]

    desk.service.carriers = Each()
    [released] = desk.release(("L1", "W1", 4))
    desk.pick(released)
    desk.pack(
        released,
        *(pb.Package(contents=[types.LineQuantity(line_id="L1", quantity=units)]) for units in (3, 1)),
    )
    return desk.ship(released, numbers=("1Z-1", "1Z-2")), asked


@pytest.mark.on_postgres
def test_each_package_is_asked_about_and_all_of_them_are_stopped_or_none_is(desk: WarehouseDesk) -> None:
    shipment, asked = two_packages(desk, "intercepted", "intercepted")
    desk.scan(shipment, "exception", number="1Z-2")

    stopped = intercept(desk, shipment)

    assert asked == ["1Z-1", "1Z-2"]
    assert stopped.interception.state == "intercepted"
    assert (stopped.exception_at_micros, [each.exception_at_micros for each in stopped.packages]) == (0, [0, 0])
    assert desk.get(shipment) == stopped
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
@pytest.mark.parametrize("answers", [("intercepted", "refused"), ("refused", "intercepted")])
def test_where_only_one_package_is_stopped_the_shipment_is_not_and_people_hear_of_it(
    desk: WarehouseDesk, answers: tuple[str, str]
) -> None:
    shipment, _ = two_packages(desk, *answers)

    after = intercept(desk, shipment)

    assert (after.state, after.interception.state) == (pb.SHIPMENT_STATE_SHIPPED, "refused")
    assert [bool(each.exception_at_micros) for each in after.packages] == [one == "intercepted" for one in answers]
    assert [kind for kind, _ in desk.facts()][-1] == "shipment_exception"
    assert intercept(desk, shipment) == after == desk.get(shipment)
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_a_package_that_is_stopped_after_another_has_arrived_is_heard_of(desk: WarehouseDesk) -> None:
    """The carrier stops both; the first is delivered before its answer is known."""
    shipment, _ = two_packages(desk, "intercepted", "intercepted")
    carriers = FakeCarriers("intercepted")
    carriers.meanwhile = lambda: desk.scan(shipment, "delivered", event_id="e1", number="1Z-1", at=desk.clock.now)
    desk.service.carriers = carriers

    after = intercept(desk, shipment)

    first, second = after.packages
    assert (after.state, after.interception.state) == (pb.SHIPMENT_STATE_SHIPPED, "too_late")
    assert (bool(first.delivered_at_micros), first.exception_at_micros, second.problem) == (
        True,
        0,
        "returned_to_sender",
    )
    assert [kind for kind, _ in desk.facts()][-1] == "shipment_exception"
    assert desk.get(shipment) == after
    assert desk.broken_rules() == {}


def test_what_is_said_of_a_stopped_parcel_is_a_problem_without_a_word_of_its_own(desk: WarehouseDesk) -> None:
    shipment = sent(desk, FakeCarriers("intercepted"))
    intercept(desk, shipment)

    [package] = desk.scan(shipment, "delivered").shipment.packages

    assert (bool(package.exception_at_micros), package.problem) == (True, "exception")


def _tried(desk: WarehouseDesk, shipment: pb.Shipment) -> str:
    try:
        return intercept(desk, shipment).interception.state
    except Refused as refused:
        return refused.reason


def _of(detail: dict[str, Any], shipment: pb.Shipment) -> bool:
    return bool(detail["shipment"]["number"] == shipment.number)


def test_a_carrier_that_is_away_is_asked_again_by_the_same_request(desk: WarehouseDesk) -> None:
    carriers = FakeCarriers("intercepted", away=1)
    shipment = sent(desk, carriers)

    first = refusal(lambda: intercept(desk, shipment, "k"))
    between = desk.get(shipment).interception.state
    stopped = intercept(desk, shipment, "k")

    assert (first, between, stopped.interception.state) == ("CARRIER_AWAY", "asked", "intercepted")
    assert len({key for key, *_ in carriers.asked}) == 1


def test_without_a_connected_carrier_a_person_says_what_it_answered(desk: WarehouseDesk) -> None:
    shipment = sent(desk, None)

    alone = refusal(lambda: intercept(desk, shipment))
    odd = refusal(lambda: intercept(desk, shipment, answer="perhaps"))
    stopped = intercept(desk, shipment, answer="intercepted")

    assert (alone, odd) == ("CARRIER_NOT_CONNECTED", "CARRIER_ANSWER_UNKNOWN")
    assert (stopped.interception.state, intercept(desk, shipment).interception.state) == ("intercepted", "intercepted")


def test_what_is_here_or_has_arrived_is_not_on_its_way(desk: WarehouseDesk) -> None:
    desk.service.carriers = FakeCarriers("intercepted")
    [here] = desk.release(("L1", "W1", 4))
    [visit] = desk.release(("V1", "", 1), order_id="ord_2", service=1)

    before = refusal(lambda: intercept(desk, here))
    service = refusal(lambda: intercept(desk, visit))
    arrived = desk.scan(desk.send(here), "delivered").shipment

    assert (before, service, refusal(lambda: intercept(desk, arrived))) == ("NOT_ON_ITS_WAY",) * 3


def test_the_ship_confirm_of_a_parcel_whose_carrier_was_asked_is_not_reversed(desk: WarehouseDesk) -> None:
    shipment = sent(desk, FakeCarriers("refused"))
    intercept(desk, shipment)
    check = pb.CheckReversalRequest(shipment_id=shipment.shipment_id)

    assert refusal(lambda: desk.service.CheckReversal(check, NO_CONTEXT)) == "CARRIER_HAS_SHIPMENT"


def test_sandbox_carriers_answer_as_their_names_say() -> None:
    sandbox = SandboxCarriers()

    answers = [sandbox.intercept("k", carrier, "T1") for carrier in ("roadrunner", "road-refuses", "road-late")]

    assert answers == ["intercepted", "refused", "too_late"]
    with pytest.raises(CarrierAway):
        sandbox.intercept("k", "road-away", "T1")


def test_a_system_that_ships_goods_has_no_sandbox_of_carriers() -> None:
    with pytest.raises(ValueError, match="a person asks the carrier"):
        Settings(mode="production", carriers="sandbox")

    assert Settings(mode="production").carriers == ""
