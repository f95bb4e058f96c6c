from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain import shipment as steps
from services.fulfillment.domain.address import Address
from services.fulfillment.domain.carrier_event import CarrierEvent, CarrierStatus, delivers
from services.fulfillment.domain.facts import MILESTONES, line_counts, one_shipment
from services.fulfillment.domain.packages import Package, tracked
from services.fulfillment.domain.reversal import reverse
from services.fulfillment.domain.shipment import (
    LEFT,
    SERVICE_TRANSITIONS,
    TRANSITIONS,
    Consignment,
    Counted,
    Shipment,
    ShipmentLine,
    State,
    Verb,
)
from services.fulfillment.wire import shipment_fact
from services.kernel.clock import micros
from services.kernel.errors import DomainError, InvalidArgument, Refused
from services.kernel.money import Money
from tests.facts import members

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LABEL = Address("ACME", "1 Main St", "Dallas", "TX", "75001", "US")
NUMBER = "SLO000000000018"


def shipment(warehouse_id: str = "W1", shipment_id: str = "shp_1", quantity: int = 5) -> Shipment:
    lines = (ShipmentLine("L1", "A", "Pump", quantity, 500), ShipmentLine("L2", "B", "Seal", 2, 10))
    return Shipment(shipment_id, 1001, "ord_1", "SO-1001", warehouse_id, LABEL, lines, date(2026, 3, 6), NOW)


def handed_over(goods: Shipment, now: datetime) -> Shipment:
    packages = tracked(goods.packages, [NUMBER], None)
    return steps.ship(goods, Consignment("slow", packages, Money(900, "USD")), now)


def apply(verb: Verb, before: Shipment, now: datetime) -> Shipment:
    match verb:
        case Verb.PICK:
            return steps.pick(before, [], "Pat", now)
        case Verb.PACK:
            return steps.pack(before, now)
        case Verb.SHIP:
            return steps.perform(before, "", now) if before.is_service else handed_over(before, now)
        case Verb.DELIVER:
            return steps.deliver(before, now, now)
        case Verb.CANCEL:
            return steps.cancel(before, now)
        case Verb.REVERSE:
            return reverse(before, 1002, "pat", "wrong pallet", now)


def test_goods_pass_through_every_state_in_order() -> None:
    goods = shipment()
    seen = [goods.state]

    for verb in (Verb.PICK, Verb.PACK, Verb.SHIP, Verb.DELIVER):
        goods = apply(verb, goods, NOW)
        seen.append(goods.state)

    assert seen == [State.RELEASED, State.PICKED, State.PACKED, State.SHIPPED, State.DELIVERED]


def test_every_state_and_verb_is_either_in_the_table_or_refused() -> None:
    for table, warehouse in ((TRANSITIONS, "W1"), (SERVICE_TRANSITIONS, "")):
        for state in State:
            for verb in Verb:
                here = replace(shipment(warehouse), state=state)
                if verb in table.get(state, {}):
                    assert steps.moved(here, verb) is table[state][verb]
                else:
                    with pytest.raises(Refused, match=f"is {state}") as refusal:
                        steps.moved(here, verb)
                    assert refusal.value.detail["state"] == state


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(Verb), st.integers(-100, 100)), max_size=30),
)
def test_random_verbs_reach_no_illegal_state_and_counters_only_rise(tries: list[tuple[int, Verb, int]]) -> None:
    order = [shipment("W1", "shp_0"), shipment("W2", "shp_1", 3), shipment("", "shp_2", 1)]
    for index, verb, minutes in tries:
        before, counts = order[index], line_counts(order)
        try:
            after = apply(verb, before, NOW + timedelta(minutes=minutes))  # clocks may step back
        except DomainError:
            continue
        order[index] = after

        legal = (SERVICE_TRANSITIONS if before.is_service else TRANSITIONS)[before.state]
        assert after.state in legal.values()
        assert (after.state in LEFT) == (after.shipped_at is not None)
        assert (after.state is State.DELIVERED) == (after.delivered_at is not None)
        instants = [after.released_at, after.picked_at, after.packed_at, after.shipped_at, after.delivered_at]
        known = [instant for instant in instants if instant]
        assert known == sorted(known)
        for line_id, reached in line_counts(order).items():
            milestones = [reached[milestone] for milestone in MILESTONES]
            assert milestones == sorted(milestones, reverse=True)
            if verb not in (Verb.CANCEL, Verb.REVERSE):
                assert all(reached[milestone] >= counts[line_id][milestone] for milestone in MILESTONES)
            assert verb is Verb.REVERSE or reached["shipped"] >= counts[line_id]["shipped"]


def test_a_full_count_picks_everything() -> None:
    picked = steps.pick(shipment(), [Counted("L1", "A", 4), Counted("L1", "", 1), Counted("L2", "B", 2)], "Pat", NOW)

    assert [line.picked_quantity for line in picked.lines] == [5, 2]


@pytest.mark.parametrize(
    ("counted", "reason"),
    [
        ([Counted("L1", "", 4), Counted("L2", "", 2)], "PICK_INCOMPLETE"),
        ([Counted("L1", "", 5)], "PICK_INCOMPLETE"),
        ([Counted("L1", "", 6), Counted("L2", "", 2)], "PICK_EXCEEDS_SHIPMENT"),
    ],
)
def test_a_pick_of_another_quantity_is_refused(counted: list[Counted], reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        steps.pick(shipment(), counted, "Pat", NOW)

    assert refusal.value.reason == reason


@pytest.mark.parametrize("stranger", [Counted("L9", "", 1), Counted("L1", "B", 5)])
def test_a_pick_of_something_else_is_an_invalid_argument(stranger: Counted) -> None:
    with pytest.raises(InvalidArgument, match="pick what is on its list"):
        steps.pick(shipment(), [stranger], "Pat", NOW)


def test_a_service_visit_is_neither_picked_nor_packed() -> None:
    with pytest.raises(Refused, match="service visit SH-1001 is released and cannot be picked"):
        steps.pick(shipment(""), [], "Pat", NOW)


def test_a_service_visit_has_no_carrier() -> None:
    with pytest.raises(InvalidArgument, match="leave the carrier empty"):
        steps.perform(shipment(""), "slow", NOW)


@given(st.integers(-10_000, 10_000), st.integers(0, 1000))
def test_delivery_lies_between_shipping_and_now(said_minutes: int, later_minutes: int) -> None:
    sent = apply(Verb.SHIP, apply(Verb.PACK, apply(Verb.PICK, shipment(), NOW), NOW), NOW)
    heard = NOW + timedelta(minutes=later_minutes)

    delivered = steps.deliver(sent, NOW + timedelta(minutes=said_minutes), heard)

    assert delivered.delivered_at is not None
    assert NOW <= delivered.delivered_at <= heard


@pytest.mark.parametrize("status", CarrierStatus)
@pytest.mark.parametrize("state", State)
def test_only_a_delivery_of_something_shipped_moves_it(status: CarrierStatus, state: State) -> None:
    event, package = CarrierEvent("slow", "e1", NUMBER, status, NOW), Package(1, (), tracking_number=NUMBER)

    assert delivers(event, replace(shipment(), state=state, packages=(package,)), package) == (
        status is CarrierStatus.DELIVERED and state is State.SHIPPED
    )


def test_a_shipment_in_a_fact_has_the_agreed_members() -> None:
    sent = apply(Verb.SHIP, apply(Verb.PACK, apply(Verb.PICK, shipment(), NOW), NOW), NOW)

    fact = shipment_fact("shipment_shipped", one_shipment([sent], sent))

    assert members(fact.shipment) == {
        "shipment_id": "shp_1",
        "number": "SH-1001",
        "state": "shipped",
        "warehouse_id": "W1",
        "carrier": "slow",
        "tracking_number": "SLO000000000018",
        "promised_on": "2026-03-06",
        "is_service": False,
        "shipped_at_micros": micros(NOW),
        "delivered_at_micros": 0,
        "exception_at_micros": 0,
        "intercepted_at_micros": 0,
        "lines": [
            {"line_id": "L1", "sku": "A", "description": "Pump", "quantity": 5},
            {"line_id": "L2", "sku": "B", "description": "Seal", "quantity": 2},
        ],
        # 5 of 500 g and 2 of 10 g
        "packages": [
            {
                "sscc": "",
                "tracking_number": NUMBER,
                "weight_grams": 2520,
                "delivered_at_micros": 0,
                "exception_at_micros": 0,
                "problem": "",
            }
        ],
    }
