"""What a recall does inside its one transaction: ask, answer, or be answered by what the warehouse does instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.fulfillment import wire
from services.fulfillment.domain import facts
from services.fulfillment.domain.recall import Demand, Recall, answered, demand, picked_units, without
from services.fulfillment.domain.shipment import Shipment
from services.fulfillment.store import orders, recalls, shipments
from services.kernel.ids import new_id
from services.runtime.facts import emit_fact

log = structlog.get_logger()

ORDER_CANCELLED = "the order was cancelled"
HOLD_GONE = "the order is held no longer: its goods go on"


def ask(
    session: Session, order_id: str, change_id: str, keep: Mapping[str, int] | None, now: datetime
) -> tuple[Recall | None, Demand]:
    """The recall that now waits, if there is anything to ask back and it can be; asking again for a change finds its recall.

    Without units to `keep` all is asked back that is not picked yet.
    """
    orders.claim(session, order_id)
    waiting = recalls.pending_of(session, order_id)
    if waiting is not None and waiting.change_id == change_id:
        return waiting, Demand()
    if waiting is not None:
        sentence = "the warehouse has not answered an earlier recall of this order: wait for its answer"
        return None, Demand((), "RECALL_PENDING", sentence)
    siblings = shipments.of_order(session, order_id)
    wanted = demand(picked_units(siblings) if keep is None else keep, siblings)
    if not wanted.lines:
        return None, wanted
    recall = Recall(new_id("rcl"), order_id, siblings[0].order_number, change_id, now, wanted.lines)
    recalls.add(session, recall)
    log.info("recall.requested", order_id=order_id, recall_id=recall.recall_id, change_id=change_id)
    return recall, wanted


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
    recall = recalls.pending_of(session, order_id)
    if recall is not None:
        _close(session, answered(recall, is_acknowledged=True, reason=ORDER_CANCELLED, now=now), now)


def answer_by_release(session: Session, order_id: str, now: datetime) -> None:
    """An order is released again: nothing is asked back any more for a hold of it. The order must be claimed."""
    recall = recalls.pending_of(session, order_id)
    if recall is not None and recall.is_of_hold:
        _close(session, answered(recall, is_acknowledged=False, reason=HOLD_GONE, now=now), now)


def withheld_lines(session: Session, siblings: Sequence[Shipment]) -> frozenset[str]:
    """Lines of which nothing more is released until the order's pending recall is answered."""
    recall_id = next((each.recall_id for each in siblings if each.recall_id), "")
    return frozenset(line.line_id for line in recalls.get(session, recall_id).lines) if recall_id else frozenset()


def _close(session: Session, recall: Recall, now: datetime) -> None:
    """Record an answer that leaves the quantities of shipments alone."""
    for each in shipments.of_order(session, recall.order_id):
        if each.recall_id == recall.recall_id:
            shipments.save_recalled(session, each, replace(each, recall_id=""))
    _record(session, recall, now)


def _record(session: Session, recall: Recall, now: datetime) -> None:
    recalls.answer(session, recall)
    siblings = shipments.of_order(session, recall.order_id)
    answer = facts.recall_answered(siblings, recall)
    emit_fact(session, wire.recall_fact(answer), order_id=recall.order_id, subject_id=recall.recall_id, now=now)
    log.info(
        "recall.answered",
        order_id=recall.order_id,
        recall_id=recall.recall_id,
        is_acknowledged=answer.is_acknowledged,
    )
