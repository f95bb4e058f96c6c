"""What a recall does inside its one transaction: ask, answer, or be answered by what the warehouse does instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.fulfillment import wire
from services.fulfillment.domain import facts
from services.fulfillment.domain.recall import (
    Demand,
    Recall,
    RecallLine,
    answered,
    carried_units,
    demand,
    of_cancellation,
    picked_units,
    without,
)
from services.fulfillment.domain.shipment import Shipment, State
from services.fulfillment.store import orders, recalls, shipments
from services.kernel.ids import new_id
from services.runtime.facts import emit_fact

log = structlog.get_logger()

ORDER_CANCELLED = "the order was canceled"
HOLD_GONE = "the order is held no longer: its goods go on"
_NOT_LEFT = (State.RELEASED, State.PICKED, State.PACKED)
_EARLIER = Demand(
    (), "RECALL_PENDING", "the warehouse has not answered an earlier recall of this order: wait for its answer"
)


def ask(
    session: Session, order_id: str, change_id: str, keep: Mapping[str, int] | None, now: datetime
) -> tuple[Recall | None, Demand]:
    """The recall that now waits, if there is anything to ask back and it can be; asking again for a change finds its recall.

    Without units to `keep` all is asked back that is not picked yet.
    """
    orders.claim(session, order_id)
    waiting = next(iter(recalls.pending_of(session, order_id)), None)
    if waiting is not None and waiting.change_id == change_id:
        return waiting, Demand()
    if waiting is not None:
        return None, _EARLIER
    siblings = shipments.of_order(session, order_id)
    wanted = demand(picked_units(siblings) if keep is None else keep, siblings)
    if not wanted.lines:
        return None, wanted
    return _request(session, siblings[0], change_id, wanted.lines, now, (State.RELEASED,)), wanted


def ask_for_cancelled(
    session: Session, order_id: str, change_id: str, keep: Mapping[str, int], now: datetime
) -> tuple[Recall | None, Demand, Mapping[str, int]]:
    """Like ask() for units that are cancelled: each shipment is asked on its own, picked and packed ones too, once a change.

    Also gives line id → units that shipments carry, once nothing is asked back any more: those that are kept.
    """
    orders.claim(session, order_id)
    siblings = shipments.of_order(session, order_id)
    waiting = next(iter(recalls.pending_of(session, order_id)), None)
    if waiting is not None:
        return (waiting, Demand(), {}) if waiting.change_id == change_id else (None, _EARLIER, {})
    if recalls.is_asked(session, order_id, change_id):
        return None, Demand(), carried_units(siblings)
    by_id = {each.shipment_id: each for each in siblings}
    asked = [
        _request(session, by_id[lines[0].shipment_id], change_id, lines, now, _NOT_LEFT)
        for lines in of_cancellation(keep, siblings)
    ]
    return (asked[0], Demand(), {}) if asked else (None, Demand(), carried_units(siblings))


def _request(
    session: Session,
    shipment: Shipment,
    change_id: str,
    lines: tuple[RecallLine, ...],
    now: datetime,
    states: Sequence[State],
) -> Recall:
    recall = Recall(new_id("rcl"), shipment.order_id, shipment.order_number, change_id, now, lines)
    recalls.add(session, recall, states)
    log.info("recall.requested", order_id=recall.order_id, recall_id=recall.recall_id, change_id=change_id)
    return recall


def take_back(
    session: Session, shipment: Shipment, wanted_by: str, lines: tuple[RecallLine, ...], reason: str, now: datetime
) -> Recall:
    """Ask for units of which the warehouse has said already that it cannot send them. The order must be claimed."""
    asked = _request(session, shipment, wanted_by, lines, now, (State.RELEASED,))
    return answer(session, asked.recall_id, is_acknowledged=True, reason=reason, now=now)


def answer(session: Session, recall_id: str, *, is_acknowledged: bool, reason: str, now: datetime) -> Recall:
    """The warehouse's word: the units leave their shipments, or nothing changes. Refused RECALL_ANSWERED."""
    orders.claim(session, recalls.get(session, recall_id).order_id)
    recall = answered(recalls.get(session, recall_id), is_acknowledged=is_acknowledged, reason=reason, now=now)
    siblings = shipments.of_order(session, recall.order_id)
    concerned = [each for each in siblings if each.recall_id == recall_id]
    for each in concerned:
        after = without(each, recall, now) if is_acknowledged else replace(each, recall_id="")
        shipments.save_recalled(session, each, after)
    _record(session, recall, now)
    return recall


def answer_by_action(session: Session, moved: Shipment, action: str, now: datetime) -> None:
    """The warehouse went on with a shipment instead of answering: that refuses the recall. The order must be claimed."""
    recall = recalls.get(session, moved.recall_id)
    quicker = f"the warehouse was quicker: {moved.number} was {action}"
    _close(session, answered(recall, is_acknowledged=False, reason=quicker, now=now), now)


def answer_by_cancellation(session: Session, order_id: str, now: datetime) -> None:
    """The order's cancellation has stopped all that a recall asked for. The order must be claimed."""
    for recall in recalls.pending_of(session, order_id):
        _close(session, answered(recall, is_acknowledged=True, reason=ORDER_CANCELLED, now=now), now)


def withdraw(session: Session, order_id: str, change_id: str, reason: str, now: datetime) -> int:
    """Ask no more for what a change wanted back that has ended; gives how many recalls waited. What has been given back stays so."""
    orders.claim(session, order_id)
    waiting = [one for one in recalls.pending_of(session, order_id) if one.change_id == change_id]
    for recall in waiting:
        _close(session, answered(recall, is_acknowledged=False, reason=reason, now=now), now)
    return len(waiting)


def answer_by_release(session: Session, order_id: str, now: datetime) -> None:
    """An order is released again: nothing is asked back any more for a hold of it. The order must be claimed."""
    for recall in recalls.pending_of(session, order_id):
        if recall.is_of_hold:
            _close(session, answered(recall, is_acknowledged=False, reason=HOLD_GONE, now=now), now)


def withheld_lines(session: Session, siblings: Sequence[Shipment]) -> frozenset[str]:
    """Lines of which nothing more is released until the order's pending recalls are answered."""
    recall_ids = {each.recall_id for each in siblings if each.recall_id}
    waiting = recalls.pending_of(session, siblings[0].order_id) if recall_ids else ()
    return frozenset(line.line_id for recall in waiting for line in recall.lines)


def _close(session: Session, recall: Recall, now: datetime) -> None:
    """Record an answer that leaves the quantities of shipments alone."""
    for each in shipments.of_order(session, recall.order_id):
        if each.recall_id == recall.recall_id:
            shipments.save_recalled(session, each, replace(each, recall_id=""))
    _record(session, recall, now)


def _record(session: Session, recall: Recall, now: datetime) -> None:
    recalls.answer(session, recall)
    siblings = shipments.of_order(session, recall.order_id)
    same = [one for one in recalls.pending_of(session, recall.order_id) if one.change_id == recall.change_id]
    answer = facts.recall_answered(siblings, recall, len(same))
    emit_fact(session, wire.recall_fact(answer), order_id=recall.order_id, subject_id=recall.recall_id, now=now)
    log.info(
        "recall.answered",
        order_id=recall.order_id,
        recall_id=recall.recall_id,
        is_acknowledged=answer.is_acknowledged,
    )
