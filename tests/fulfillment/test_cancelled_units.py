"""Asking back what a cancellation no longer wants: each shipment on its own, whatever its state."""

from __future__ import annotations

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk


def cancel(desk: WarehouseDesk, request_id: str = "", **keep: int) -> pb.RequestRecallResponse:
    """`keep` is line id → units that stay wanted."""
    request = pb.RequestRecallRequest(
        request_id=request_id or desk.fresh(),
        order_id="ord_1",
        change_id="chg_1",
        lines=[types.LineQuantity(line_id=line_id, sku="A", quantity=units) for line_id, units in keep.items()],
        is_cancellation=True,
    )
    return desk.service.RequestRecall(request, NO_CONTEXT)


def asked(desk: WarehouseDesk) -> list[tuple[str, int]]:
    """Shipment and units of each recall that waits, by shipment."""
    waiting = desk.recalls(order_id="ord_1").recalls
    return sorted((line.shipment_number, line.quantity) for one in waiting for line in one.lines)


def recall_of(desk: WarehouseDesk, number: str) -> str:
    waiting = desk.recalls(order_id="ord_1").recalls
    return next(one.recall_id for one in waiting if one.lines[0].shipment_number == number)


def carried(response: pb.RequestRecallResponse) -> dict[str, int]:
    return {line.line_id: line.quantity for line in response.carried}


def three(desk: WarehouseDesk) -> list[pb.Shipment]:
    """10 shipped, 10 picked, 10 released of one line."""
    shipped, picked, released = desk.release(("L1", "W1", 10), ("L1", "W2", 10), ("L1", "W3", 10))
    desk.send(shipped)
    desk.pick(picked)
    return [shipped, picked, released]


@pytest.mark.on_postgres
def test_every_shipment_that_has_not_left_is_asked_on_its_own(desk: WarehouseDesk) -> None:
    shipped, picked, released = three(desk)

    first = cancel(desk, L1=10)

    assert first.state == pb.RECALL_STATE_PENDING
    assert asked(desk) == [("SH-1002", 10), ("SH-1003", 10)]
    desk.answer(recall_of(desk, "SH-1003"), yes=True)
    between = desk.facts()[-1][1]
    desk.answer(recall_of(desk, "SH-1002"), yes=True)
    last = desk.facts()[-1][1]
    again = cancel(desk, L1=10)

    assert (between["waiting_count"], last.get("waiting_count", 0)) == (1, 0)
    assert last["lines"]["L1"]["released"] == 10
    assert (again.state, carried(again)) == (pb.RECALL_STATE_NOTHING_TO_RECALL, {"L1": 10})
    states = [desk.get(one).state for one in (shipped, picked, released)]
    assert states[1:] == [pb.SHIPMENT_STATE_CANCELLED, pb.SHIPMENT_STATE_CANCELLED]
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_the_cheapest_units_are_asked_first_and_a_part_of_a_picked_shipment_leaves_it(desk: WarehouseDesk) -> None:
    _, picked, _ = three(desk)

    cancel(desk, L1=17)

    assert asked(desk) == [("SH-1002", 3), ("SH-1003", 10)]
    desk.answer(recall_of(desk, "SH-1002"), yes=True)
    [line] = desk.get(picked).lines
    assert (line.quantity, line.picked_quantity) == (7, 7)
    desk.answer(recall_of(desk, "SH-1003"), yes=True)
    desk.pack(picked)
    assert desk.broken_rules() == {}


def test_going_on_with_one_shipment_answers_for_that_one_and_nothing_is_asked_twice(desk: WarehouseDesk) -> None:
    _, picked, _ = three(desk)
    cancel(desk, L1=10)

    desk.pack(picked)
    refused = desk.facts()[-1][1]
    waiting = asked(desk)
    desk.ship(picked)
    desk.answer(recall_of(desk, "SH-1003"), yes=True)
    again = cancel(desk, L1=10)

    assert (refused.get("is_acknowledged", False), refused["waiting_count"]) == (False, 1)
    assert "SH-1002 was packed" in refused["reason"]
    assert waiting == [("SH-1003", 10)]
    assert (again.state, carried(again)) == (pb.RECALL_STATE_NOTHING_TO_RECALL, {"L1": 20})
    assert desk.broken_rules() == {}


def test_what_has_left_meanwhile_refuses_nothing(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 10))
    desk.send(shipment)

    answer = cancel(desk, L1=0)

    assert (answer.state, carried(answer)) == (pb.RECALL_STATE_NOTHING_TO_RECALL, {"L1": 10})


def test_the_end_of_the_order_answers_all_of_them(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 10), ("L1", "W2", 10))
    cancel(desk, L1=0)

    desk.service.CancelShipments(
        pb.CancelShipmentsRequest(request_id=desk.fresh(), order_id="ord_1", reason="enough"), NO_CONTEXT
    )

    assert asked(desk) == []
    assert desk.broken_rules() == {}


def test_a_request_that_is_tried_again_after_its_change_was_cut_has_its_first_answer(desk: WarehouseDesk) -> None:
    """What a warehouse keeps is taken off the change: who tries again reads the smaller one, and asks for the same all the same."""
    three(desk)
    first = cancel(desk, "recall/chg_1", L1=10)

    again = cancel(desk, "recall/chg_1", L1=20)

    assert again == first


@pytest.mark.on_postgres
def test_what_is_not_canceled_after_all_is_asked_back_no_more_and_what_was_given_back_goes_again(
    desk: WarehouseDesk,
) -> None:
    _, _, released = three(desk)
    cancel(desk, L1=10)
    desk.answer(recall_of(desk, "SH-1003"), yes=True)

    done, again = withdraw(desk, "withdraw/1"), withdraw(desk, "withdraw/2")
    kind, said = desk.facts()[-1]
    [after] = desk.release(("L1", "W1", 10), ("L1", "W2", 10), ("L1", "W3", 10))

    assert (done.withdrawn_count, again.withdrawn_count, asked(desk)) == (1, 0, [])
    assert (kind, said.get("is_acknowledged", False), said["reason"]) == ("recall_answered", False, "withdrawn")
    assert [(line.line_id, line.quantity) for line in after.lines] == [("L1", 10)]
    assert after.shipment_id != released.shipment_id
    assert desk.broken_rules() == {}


def withdraw(desk: WarehouseDesk, request_id: str) -> pb.WithdrawRecallResponse:
    request = pb.WithdrawRecallRequest(request_id=request_id, order_id="ord_1", change_id="chg_1", reason="withdrawn")
    return desk.service.WithdrawRecall(request, NO_CONTEXT)
