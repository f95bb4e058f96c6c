"""Goods that a count has not found leave shipments that nobody has picked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import InvalidArgument
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk

pytestmark = pytest.mark.on_postgres


def uncover(
    desk: WarehouseDesk, short: tuple[pb.Shipment, int] | None = None, **covered: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Of W1, line id → units that are covered; what was taken, and what stays beyond them. L1 may be short in a shipment."""
    request = pb.RecallUncoveredRequest(
        order_id="ord_1",
        count_id="cnt_1",
        covered=[pb.LineUnits(line_id=line, warehouse_id="W1", quantity=units) for line, units in covered.items()],
        reason="counted",
        short=types.ShortUnits(shipment_id=short[0].shipment_id, line_id="L1", quantity=short[1]) if short else None,
    )
    done = desk.service.RecallUncovered(request, NO_CONTEXT)
    taken: dict[str, int] = {}
    for one in done.taken:
        taken[one.line_id] = taken.get(one.line_id, 0) + one.quantity
    return taken, {one.line_id: one.quantity for one in done.kept}


def test_what_is_not_covered_leaves_the_newest_shipment_of_that_warehouse_first(desk: WarehouseDesk) -> None:
    [first] = desk.release(("L1", "W1", 4), ("L2", "W1", 2))
    desk.clock.now += timedelta(days=7)  # its day is over, so that nothing joins it
    second, other = desk.release(("L1", "W1", 7), ("L1", "W2", 5), ("L2", "W1", 2))

    taken, kept = uncover(desk, L1=2)  # 7 are in shipments of W1: 3 of the second and 2 of the first come out

    assert (taken, kept) == ({"L1": 5}, {})
    assert [(line.line_id, line.quantity) for line in desk.get(first).lines] == [("L1", 2), ("L2", 2)]
    assert desk.get(second).state == pb.SHIPMENT_STATE_CANCELLED
    assert [line.quantity for line in desk.get(other).lines] == [5]
    kind, detail = desk.facts()[-1]
    assert (kind, detail["is_acknowledged"], detail["change_id"]) == ("recall_answered", True, "cnt_1")
    assert {line: at["released"] for line, at in detail["lines"].items()} == {"L1": 7, "L2": 2}
    assert desk.broken_rules() == {}


def test_what_is_picked_or_has_left_stays_and_is_said(desk: WarehouseDesk) -> None:
    [first] = desk.release(("L1", "W1", 4))
    desk.send(first)
    [second] = desk.release(("L1", "W1", 7))
    desk.pick(second)

    assert uncover(desk, L1=5) == ({}, {"L1": 2})
    assert [line.quantity for line in desk.get(second).lines] == [3]


def test_a_repeat_finds_nothing_to_take(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 4))

    assert uncover(desk, L1=1) == ({"L1": 3}, {})
    assert uncover(desk, L1=1) == ({}, {})
    assert desk.broken_rules() == {}


def test_what_a_recall_asks_back_already_is_left_to_its_answer(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 4))
    asked = desk.recall(L1=3)

    assert uncover(desk, L1=1) == ({}, {"L1": 3})
    desk.answer(asked.recall_id, yes=True)
    assert uncover(desk, L1=1) == ({"L1": 2}, {})
    assert desk.broken_rules() == {}


def test_of_an_order_that_has_no_shipment_or_was_canceled_nothing_is_taken(desk: WarehouseDesk) -> None:
    assert uncover(desk, L1=0) == ({}, {})
    desk.release(("L1", "W1", 4))
    desk.cancel()

    assert uncover(desk, L1=0) == ({}, {})


def test_fewer_than_no_units_are_refused(desk: WarehouseDesk) -> None:
    with pytest.raises(InvalidArgument, match="must not be negative"):
        uncover(desk, L1=-1)


def test_of_an_order_that_ships_complete_all_that_is_not_picked_comes_out(desk: WarehouseDesk) -> None:
    [picked] = desk.release(("L1", "W1", 4))
    desk.pick(picked)
    desk.release(("L1", "W1", 4), ("L1", "W2", 5), ("L2", "W1", 2))
    request = pb.RecallUncoveredRequest(order_id="ord_1", count_id="cnt_1", reason="counted", is_whole_order=True)

    done = desk.service.RecallUncovered(request, NO_CONTEXT)

    assert sorted((one.line_id, one.warehouse_id, one.quantity) for one in done.taken) == [
        ("L1", "W2", 5), ("L2", "W1", 2)
    ]  # fmt: skip
    assert [(one.line_id, one.quantity) for one in done.kept] == [("L1", 4)]
    assert desk.broken_rules() == {}


def test_what_a_picker_did_not_find_leaves_that_shipment_though_a_newer_one_has_the_line(desk: WarehouseDesk) -> None:
    [first] = desk.release(("L1", "W1", 15))
    desk.clock.now += timedelta(days=7)  # its day is over, so that nothing joins it
    [second] = desk.release(("L1", "W1", 20))

    taken, kept = uncover(desk, short=(first, 3), L1=17)
    again = uncover(desk, short=(first, 3), L1=17)

    assert (taken, kept, again) == ({"L1": 3}, {}, ({}, {}))
    assert [desk.get(one).lines[0].quantity for one in (first, second)] == [12, 5]
    assert desk.pick(first, ("L1", 12)).state == pb.SHIPMENT_STATE_PICKED
    assert desk.broken_rules() == {}


def test_what_was_not_found_leaves_its_shipment_though_more_came_before_it_was_taken_out(desk: WarehouseDesk) -> None:
    [first] = desk.release(("L1", "W1", 15))

    taken, kept = uncover(desk, short=(first, 3), L1=15)  # 3 came in between: they are covered, and not in its hands
    again = uncover(desk, short=(first, 3), L1=15)

    assert (taken, kept, again) == ({"L1": 3}, {}, ({}, {}))
    assert [line.quantity for line in desk.get(first).lines] == [12]


def test_beyond_what_was_short_the_newest_shipment_gives_first(desk: WarehouseDesk) -> None:
    [first] = desk.release(("L1", "W1", 15))
    desk.clock.now += timedelta(days=7)  # its day is over, so that nothing joins it
    [second] = desk.release(("L1", "W1", 20))

    taken, kept = uncover(desk, short=(second, 1), L1=10)

    assert (taken, kept) == ({"L1": 10}, {})
    assert [[line.quantity for line in desk.get(one).lines] for one in (first, second)] == [[6], [4]]
    with pytest.raises(InvalidArgument, match="what is short must be at least 1"):
        uncover(desk, short=(second, 0), L1=10)
