"""Asking released units back, on both databases."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument, NotFound, Refused
from tests.fulfillment.desk import WarehouseDesk
from tests.threads import at_once


def facts(desk: WarehouseDesk) -> dict[str, Any]:
    """The last fact, which must be an answer."""
    kind, detail = desk.facts()[-1]
    assert kind == "recall_answered"
    return detail


@pytest.mark.on_postgres
def test_units_that_are_asked_back_leave_their_shipments_when_the_warehouse_says_yes(desk: WarehouseDesk) -> None:
    first, second = desk.release(("L1", "W1", 60), ("L2", "W1", 3), ("L1", "W2", 25))

    asked = desk.recall(L1=40)

    assert asked.state == pb.RECALL_STATE_PENDING
    assert [desk.get(each).recall_requested for each in (first, second)] == [True, True]
    assert [row.recall_requested for row in desk.page(order_id="ord_1").shipments] == [True, True]
    assert [line.quantity for line in desk.get(first).lines] == [60, 3]

    done = desk.answer(asked.recall_id, yes=True, reason="back on the shelf")

    # 85 + 3 were released: all 25 of the newer shipment and 20 of the older one come back, and all 3 of the line that is gone
    assert [(line.shipment_number, line.line_id, line.quantity) for line in done.lines] == [
        ("SH-1001", "L1", 20),
        ("SH-1001", "L2", 3),
        ("SH-1002", "L1", 25),
    ]
    assert [(line.line_id, line.quantity) for line in desk.get(first).lines] == [("L1", 40)]
    assert desk.get(second).state == pb.SHIPMENT_STATE_CANCELLED
    detail = facts(desk)
    assert {line: at["released"] for line, at in detail["lines"].items()} == {"L1": 40, "L2": 0}
    assert [row["state"] for row in detail["shipments"]] == ["released", "cancelled"]
    assert {name: detail[name] for name in ("change_id", "recall_id", "is_acknowledged", "reason")} == {
        "change_id": "chg_1",
        "recall_id": asked.recall_id,
        "is_acknowledged": True,
        "reason": "back on the shelf",
    }
    assert desk.broken_rules() == {}


def test_what_was_given_back_is_not_released_again_unless_it_is_wanted_again(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 60), ("L1", "W2", 25))
    desk.answer(desk.recall(L1=40).recall_id, yes=True)

    assert desk.release(("L1", "W1", 40)) == []
    (more,) = desk.release(("L1", "W1", 40), ("L1", "W2", 5))

    assert [(more.warehouse_id, line.quantity) for line in more.lines] == [("W2", 5)]
    assert desk.broken_rules() == {}


def test_a_refusal_changes_nothing_and_says_why(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 60))
    asked = desk.recall(L1=40)

    with pytest.raises(InvalidArgument, match="a refusal needs a reason"):
        desk.answer(asked.recall_id, yes=False)
    desk.answer(asked.recall_id, yes=False, reason="the truck is loaded")

    assert desk.get(shipment) == shipment
    detail = facts(desk)
    assert (detail["is_acknowledged"], detail["reason"]) == (False, "the truck is loaded")
    assert detail["lines"]["L1"]["released"] == 60
    assert desk.broken_rules() == {}


def test_nothing_beyond_what_is_kept_needs_no_answer(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 60))

    assert desk.recall(L1=60).state == pb.RECALL_STATE_NOTHING_TO_RECALL
    assert desk.recall("ord_unknown", L1=1).state == pb.RECALL_STATE_NOTHING_TO_RECALL

    assert not desk.get(shipment).recall_requested
    assert list(desk.recalls().recalls) == []


@pytest.mark.on_postgres
def test_what_is_picked_or_gone_is_refused_at_once(desk: WarehouseDesk) -> None:
    first, second = desk.release(("L1", "W1", 60), ("L1", "W2", 25))
    desk.pick(second)

    picked = desk.recall(L1=24)
    desk.send(first)
    gone = desk.recall(L1=59)

    assert (picked.state, picked.reason) == (pb.RECALL_STATE_REFUSED, "BELOW_PICKED")
    assert picked.message == "1 units of line L1 that are to come back are picked already"
    assert (gone.state, gone.reason, gone.recall_id) == (pb.RECALL_STATE_REFUSED, "BELOW_SHIPPED", "")
    assert list(desk.recalls().recalls) == []


def test_a_warehouse_that_picks_instead_of_answering_has_refused(desk: WarehouseDesk) -> None:
    first, second = desk.release(("L1", "W1", 60), ("L1", "W2", 25))
    asked = desk.recall(L1=40)

    picked = desk.pick(second)

    assert (picked.state, picked.recall_requested) == (pb.SHIPMENT_STATE_PICKED, False)
    assert not desk.get(first).recall_requested
    assert [kind for kind, _ in desk.facts()][-2:] == ["shipment_picked", "recall_answered"]
    detail = facts(desk)
    assert (detail["is_acknowledged"], detail["reason"]) == (False, "the warehouse was quicker: SH-1002 was picked")
    assert (detail["lines"]["L1"]["released"], detail["lines"]["L1"]["picked"]) == (85, 25)
    with pytest.raises(Refused, match="the recall is refused already") as refusal:
        desk.answer(asked.recall_id, yes=True)
    assert refusal.value.reason == "RECALL_ANSWERED"
    assert desk.broken_rules() == {}


def test_a_visit_that_is_performed_instead_of_answered_has_refused(desk: WarehouseDesk) -> None:
    (visit,) = desk.release(service=2)
    desk.recall(LS=1)

    desk.ship(visit)

    assert [kind for kind, _ in desk.facts()][1:] == ["shipment_shipped", "recall_answered", "shipment_delivered"]
    assert desk.broken_rules() == {}


def test_a_shipment_that_is_not_concerned_goes_on(desk: WarehouseDesk) -> None:
    first, second = desk.release(("L1", "W1", 60), ("L1", "W2", 25))
    asked = desk.recall(L1=60)

    desk.send(first)

    assert desk.get(second).recall_requested
    assert desk.answer(asked.recall_id, yes=True).state == pb.RECALL_STATE_ACKNOWLEDGED


def test_asking_again_finds_the_recall_that_waits_and_another_change_must_wait(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 60))

    first = desk.recall(L1=40)
    again = desk.recall(L1=40)
    other = desk.recall(change_id="chg_2", L1=30)

    assert again == first
    assert (other.state, other.reason) == (pb.RECALL_STATE_REFUSED, "RECALL_PENDING")
    desk.answer(first.recall_id, yes=True)
    assert desk.recall(change_id="chg_1", L1=40).state == pb.RECALL_STATE_NOTHING_TO_RECALL
    assert desk.recall(change_id="chg_2", L1=30).state == pb.RECALL_STATE_PENDING


def test_lines_that_are_asked_back_are_not_released_further_until_the_answer(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 10))
    asked = desk.recall(L1=5)

    (other,) = desk.release(("L1", "W1", 20), ("L2", "W1", 1))
    assert [line.line_id for line in other.lines] == ["L2"]

    desk.answer(asked.recall_id, yes=False, reason="no")
    (rest,) = desk.release(("L1", "W1", 20), ("L2", "W1", 1))
    # it joins the oldest that is not picked
    assert [(line.line_id, line.quantity) for line in rest.lines] == [("L1", 20)]
    assert [line.line_id for line in desk.get(other).lines] == ["L2"]


def test_a_cancelled_order_has_given_its_units_back(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 60))
    asked = desk.recall(L1=40)

    desk.cancel()

    assert (facts(desk)["is_acknowledged"], facts(desk)["reason"]) == (True, "the order was canceled")
    with pytest.raises(Refused):
        desk.answer(asked.recall_id, yes=False, reason="no")
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_pending_recalls_are_listed_oldest_first_in_pages(desk: WarehouseDesk) -> None:
    for number in range(3):
        desk.release(("L1", "W1", 5), order_id=f"ord_{number}")
        desk.recall(f"ord_{number}", L1=number)
        desk.clock.pass_time(timedelta(hours=1))

    page = desk.recalls(limit=2)
    rest = desk.recalls(limit=2, cursor=page.next_cursor)

    assert [row.order_id for row in [*page.recalls, *rest.recalls]] == ["ord_0", "ord_1", "ord_2"]
    assert rest.next_cursor == ""
    (one,) = desk.recalls(order_id="ord_1").recalls
    assert (one.order_number, one.change_id, one.answered_at_micros) == ("SO-1001", "chg_1", 0)
    assert one.requested_at_micros == micros(desk.clock.now - timedelta(hours=2))
    assert [(line.shipment_number, line.warehouse_id, line.quantity) for line in one.lines] == [("SH-1002", "W1", 4)]
    desk.answer(one.recall_id, yes=True)
    assert [row.order_id for row in desk.recalls().recalls] == ["ord_0", "ord_2"]


def test_a_repeated_answer_gets_the_first_one_and_an_unknown_recall_is_not_found(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 5))
    asked = desk.recall(L1=1)

    first = desk.answer(asked.recall_id, yes=True, request_id="answer/1")

    assert desk.answer(asked.recall_id, yes=True, request_id="answer/1") == first
    with pytest.raises(NotFound):
        desk.answer("rcl_none", yes=True)


@pytest.mark.on_postgres
def test_the_answer_and_the_pick_at_once_have_one_outcome(desk: WarehouseDesk) -> None:
    def answer(recall_id: str) -> None:
        with suppress(Refused):
            desk.answer(recall_id, yes=True)

    for number in range(10):
        order_id = f"ord_{number}"
        (shipment,) = desk.release(("L1", "W1", 5), order_id=order_id)
        asked = desk.recall(order_id, L1=2)

        acts: list[Callable[[], object]] = [partial(answer, asked.recall_id), partial(desk.pick, shipment)]
        at_once(acts)

        answers = [detail for kind, detail in desk.facts() if kind == "recall_answered"]
        assert len(answers) == number + 1
        picked = desk.get(shipment)
        assert picked.state == pb.SHIPMENT_STATE_PICKED
        assert (
            picked.lines[0].picked_quantity == picked.lines[0].quantity == (2 if answers[-1]["is_acknowledged"] else 5)
        )
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_a_naive_twin_that_looks_before_it_claims_the_order_has_two_outcomes(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 5))
    asked = desk.recall(L1=2)
    both_have_read = threading.Barrier(2, timeout=60)

    def answer_naively(state: str) -> bool:
        with desk.database.reading() as session:
            found = session.execute(text("SELECT state FROM recall WHERE recall_id = :id"), {"id": asked.recall_id})
            is_pending = str(found.scalar_one()) == "pending"
        both_have_read.wait()
        if is_pending:
            with desk.database.transaction() as session:
                said = {"id": asked.recall_id, "state": state}
                session.execute(
                    text(
                        "UPDATE recall SET state = :state, reason = 'so', answered_at = requested_at WHERE recall_id = :id"
                    ),
                    said,
                )
        return is_pending

    answers = at_once([partial(answer_naively, state) for state in ("acknowledged", "refused")])

    assert answers == [True, True]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_asked_back_and_answered_every_rule_holds(desk: WarehouseDesk, seed: int) -> None:
    chance = random.Random(seed)
    wanted, kept = dict.fromkeys(("L1", "L2"), 0), dict[str, int]()
    for _ in range(50):
        shipments = desk.page(order_id="ord_1").shipments
        waiting = desk.recalls().recalls
        match chance.choice(["release", "recall", "answer", "step"]):
            case "release":
                line_id = chance.choice(list(wanted))
                wanted[line_id] += 0 if waiting else chance.randint(1, 5)
                desk.release(
                    *((line, warehouse, units) for line, units in wanted.items() if units for warehouse in ("W1",))
                )
            case "recall" if not waiting:
                keep = {line: chance.randint(0, units) for line, units in wanted.items()}
                if desk.recall(L1=keep["L1"], L2=keep["L2"]).state == pb.RECALL_STATE_PENDING:
                    kept = keep
            case "answer" if waiting:
                is_yes = chance.random() < 0.6
                desk.answer(waiting[0].recall_id, yes=is_yes, reason="so it is")
                wanted = kept if is_yes else wanted
            case "step" if shipments:
                with suppress(Refused):
                    acts: list[Callable[..., object]] = [desk.pick, desk.pack, desk.ship]
                    chance.choice(acts)(chance.choice(shipments))
        assert desk.broken_rules() == {}
    for recall in desk.recalls().recalls:
        desk.answer(recall.recall_id, yes=False, reason="no")

    released = {line: units for line, units in wanted.items() if units}
    desk.release(*((line, "W1", units) for line, units in released.items()))
    carried = dict.fromkeys(wanted, 0)
    for shipment in desk.page(order_id="ord_1", limit=500).shipments:
        for line in shipment.lines if shipment.state != pb.SHIPMENT_STATE_CANCELLED else ():
            carried[line.line_id] += line.quantity
    assert carried == wanted


def test_what_a_closed_warehouse_has_not_picked_is_back_at_once_and_nobody_is_asked(desk: WarehouseDesk) -> None:
    first, second = desk.release(("L1", "W1", 6), ("L1", "W2", 4))
    desk.pick(first)
    [third] = desk.release(("L1", "W1", 9), ("L1", "W2", 4))

    request = pb.RecallUnsendableRequest(
        request_id="again/1", order_id="ord_1", sourcing_request_id="srq_1", warehouse_ids=["W1"], reason="W1 is closed"
    )
    done = [desk.service.RecallUnsendable(request, None) for _ in range(2)]  # type: ignore[arg-type]  # no call context

    assert [(one.recalled_quantity, one.waiting_quantity) for one in done] == [(3, 0)] * 2
    states = [pb.ShipmentState.Name(desk.get(one).state)[15:] for one in (first, second, third)]
    assert states == ["PICKED", "RELEASED", "CANCELLED"]
    detail = facts(desk)
    assert (detail["change_id"], detail["is_acknowledged"], detail["reason"]) == ("srq_1", True, "W1 is closed")
    assert not desk.recalls().recalls
    assert desk.broken_rules() == {}


def test_units_that_another_recall_asks_for_are_left_to_its_answer(desk: WarehouseDesk) -> None:
    desk.release(("L1", "W1", 6))
    asked = desk.recall(L1=2)
    request = pb.RecallUnsendableRequest(
        request_id="again/1", order_id="ord_1", sourcing_request_id="srq_1", warehouse_ids=["W1"], reason="W1 is closed"
    )

    waits = desk.service.RecallUnsendable(request, None)  # type: ignore[arg-type]  # no call context
    desk.answer(asked.recall_id, yes=False, reason="it is sealed")
    request.request_id = "again/2"
    done = desk.service.RecallUnsendable(request, None)  # type: ignore[arg-type]  # no call context

    assert (waits.recalled_quantity, waits.waiting_quantity) == (0, 6)
    assert (done.recalled_quantity, done.waiting_quantity) == (6, 0)
