from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.domain.address import Address
from services.fulfillment.domain.recall import Demand, Recall, RecallLine, RecallState, answered, demand, without
from services.fulfillment.domain.shipment import Shipment, ShipmentLine, State
from services.kernel.errors import Refused
from tests.fulfillment.desk import MONDAY


def shipment(serial: int, state: State = State.RELEASED, **lines: int) -> Shipment:
    content = tuple(ShipmentLine(line_id, "A", "Pump", units, 500) for line_id, units in lines.items())
    return Shipment(
        f"shp_{serial}", serial, "ord_1", "SO-1", "W1", Address("", "", "", "", "", "US"), content, None, MONDAY, state
    )


def asked(serial: int, line_id: str, units: int) -> RecallLine:
    return RecallLine(f"shp_{serial}", line_id, "A", "Pump", units)


def test_units_come_from_the_newest_shipment_first() -> None:
    wanted = demand({"L1": 4}, [shipment(1, L1=5), shipment(2, L1=3), shipment(3, State.CANCELLED, L1=9)])

    assert wanted == Demand((asked(2, "L1", 3), asked(1, "L1", 1)))


def test_what_is_picked_is_kept_when_the_rest_suffices() -> None:
    wanted = demand({"L1": 5}, [shipment(1, L1=3), shipment(2, State.PACKED, L1=5)])

    assert wanted == Demand((asked(1, "L1", 3),))


@pytest.mark.parametrize(
    ("keep", "reason"), [({"L1": 7}, "BELOW_PICKED"), ({"L1": 4}, "BELOW_PICKED"), ({}, "BELOW_SHIPPED")]
)
def test_what_is_picked_or_gone_cannot_be_asked_back(keep: dict[str, int], reason: str) -> None:
    shipments = [shipment(1, State.DELIVERED, L1=4), shipment(2, State.PICKED, L1=4), shipment(3, L1=1)]

    wanted = demand(keep, shipments)

    assert (wanted.lines, wanted.reason) == ((), reason)
    assert "L1" in wanted.message


def test_a_line_that_is_not_named_is_asked_back_whole_and_enough_asks_nothing() -> None:
    assert demand({"L2": 9}, [shipment(1, L1=5, L2=2)]).lines == (asked(1, "L1", 5),)
    assert demand({"L1": 5, "L2": 2}, [shipment(1, L1=5, L2=2)]) == Demand()
    assert demand({}, [shipment(1, L2=2, L1=5)]).lines == (asked(1, "L1", 5), asked(1, "L2", 2))


def test_a_single_unit_that_has_left_and_is_not_to_be_kept_is_told_as_gone() -> None:
    assert demand({}, [shipment(1, State.SHIPPED, L1=1)]).reason == "BELOW_SHIPPED"


STATES = st.sampled_from(list(State))


@given(st.lists(st.tuples(STATES, st.integers(1, 9), st.integers(1, 9)), max_size=5), st.integers(0, 40))
def test_after_the_units_left_shipments_carry_what_is_to_be_kept(
    content: list[tuple[State, int, int]], keep: int
) -> None:
    shipments = [shipment(n, state, L1=one, L2=two) for n, (state, one, two) in enumerate(content)]

    wanted = demand({"L1": keep, "L2": 100}, shipments)

    def units(some: list[Shipment], *states: State) -> int:
        return sum(
            line.quantity for each in some if each.state in states for line in each.lines if line.line_id == "L1"
        )

    live = [state for state in State if state is not State.CANCELLED]
    fixed = [state for state in live if state is not State.RELEASED]
    carried = units(shipments, *live)
    assert bool(wanted.reason) == (keep < units(shipments, *fixed) and keep < carried)
    if not wanted.reason:
        recall = Recall("rcl_1", "ord_1", "SO-1", "chg_1", MONDAY, wanted.lines)
        after = [
            without(each, recall, MONDAY) if each.shipment_id in recall.shipment_ids else each for each in shipments
        ]
        assert units(after, *live) == min(carried, keep)


def test_an_empty_shipment_is_cancelled_and_keeps_its_list() -> None:
    before = replace(shipment(1, L1=5), recall_id="rcl_1")
    recall = Recall("rcl_1", "ord_1", "SO-1", "chg_1", MONDAY, (asked(1, "L1", 5),))

    after = without(before, recall, MONDAY)

    assert (after.state, after.lines, after.recall_id) == (State.CANCELLED, before.lines, "")


def test_a_recall_is_not_answered_before_it_was_asked_whatever_the_clock_says() -> None:
    recall = Recall("rcl_1", "ord_1", "SO-1", "chg_1", MONDAY, (asked(1, "L1", 5),))

    said = answered(recall, is_acknowledged=True, reason="", now=MONDAY - timedelta(seconds=1))

    assert said.answered_at == MONDAY


def test_a_recall_is_answered_once() -> None:
    recall = Recall("rcl_1", "ord_1", "SO-1", "chg_1", MONDAY, (asked(1, "L1", 5),))

    said = answered(recall, is_acknowledged=False, reason="on the truck", now=MONDAY)

    assert (said.state, said.reason, said.answered_at) == (RecallState.REFUSED, "on the truck", MONDAY)
    with pytest.raises(Refused, match=r"the recall is refused already \(on the truck\)"):
        answered(said, is_acknowledged=True, reason="", now=MONDAY)
