"""Recalls: asking, answering, and listing those that wait."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, literal_column, update
from sqlmodel import Session, col, select

from services.fulfillment.domain.recall import Recall, RecallLine, RecallState
from services.fulfillment.domain.shipment import State
from services.fulfillment.models import RecallLineRow, RecallRow, ShipmentRow
from services.kernel.errors import Conflict, NotFound
from services.runtime.db import table_of
from services.runtime.statements import fitting

_PENDING = col(RecallRow.state) == literal_column("'pending'")
"""As the index of pending recalls says it: SQLite takes such an index for no parameter."""


def add(session: Session, recall: Recall, states: Sequence[State]) -> None:
    """Store a pending recall and mark the shipments it concerns. Raises Conflict when one of them has left these states meanwhile."""
    session.execute(
        insert(RecallRow).values(
            recall_id=recall.recall_id,
            order_id=recall.order_id,
            order_number=recall.order_number,
            change_id=recall.change_id,
            requested_at=recall.requested_at,
            state=recall.state.value,
            reason=recall.reason,
        )
    )
    session.execute(
        insert(RecallLineRow),
        [
            {
                "recall_id": recall.recall_id,
                "shipment_id": line.shipment_id,
                "line_id": line.line_id,
                "sku": line.sku,
                "description": line.description,
                "quantity": line.quantity,
            }
            for line in recall.lines
        ],
    )
    concerned = update(ShipmentRow).where(
        col(ShipmentRow.shipment_id).in_(sorted(recall.shipment_ids)), col(ShipmentRow.state).in_(states)
    )
    marked = session.execute(concerned.values(recall_id=recall.recall_id).returning(col(ShipmentRow.shipment_id)))
    if len(marked.all()) != len(recall.shipment_ids):
        raise Conflict("SHIPMENT_MOVED", f"a shipment of {recall.order_number} was picked just now: look again")


def answer(session: Session, recall: Recall) -> None:
    """Store the answer. Raises Conflict when somebody else has answered since it was read."""
    waiting = update(RecallRow).where(col(RecallRow.recall_id) == recall.recall_id, _PENDING)
    values = {"state": recall.state.value, "reason": recall.reason, "answered_at": recall.answered_at}
    if session.execute(waiting.values(**values).returning(col(RecallRow.recall_id))).first() is None:
        raise Conflict("RECALL_MOVED", "the recall was answered by somebody else just now: look again")


def get(session: Session, recall_id: str) -> Recall:
    """One recall. Raises NotFound."""
    wanted = select(RecallRow).where(col(RecallRow.recall_id) == recall_id)
    found = _load(session, session.exec(wanted.execution_options(populate_existing=True)).all())
    if not found:
        raise NotFound("RECALL_NOT_FOUND", f"there is no recall {recall_id}: list the recalls to find it")
    return found[0]


def pending_of(session: Session, order_id: str) -> list[Recall]:
    """The recalls of an order that wait for their answers, oldest first: all of one change."""
    waiting = select(RecallRow).where(col(RecallRow.order_id) == order_id, _PENDING).order_by(col(RecallRow.recall_id))
    return _load(session, session.exec(waiting).all())


def is_asked(session: Session, order_id: str, change_id: str) -> bool:
    """Whether units were ever asked back for a change of an order."""
    wanted = select(col(RecallRow.recall_id)).where(
        col(RecallRow.order_id) == order_id, col(RecallRow.change_id) == change_id
    )
    return session.exec(wanted.limit(1)).first() is not None


def page(session: Session, order_id: str, after: str, limit: int) -> tuple[list[Recall], str]:
    """Pending recalls from behind recall `after`, oldest first: their ids rise; and the `after` of the next page, or ""."""
    wanted = select(RecallRow).where(_PENDING, col(RecallRow.recall_id) > after)
    if order_id:
        wanted = wanted.where(col(RecallRow.order_id) == order_id)
    found = session.exec(wanted.order_by(col(RecallRow.recall_id)).limit(limit + 1)).all()
    fits = fitting(session, table_of(RecallLineRow).c.recall_id, [row.recall_id for row in found[:limit]])
    return _load(session, found[:fits]), found[fits - 1].recall_id if len(found) > fits else ""


def _load(session: Session, rows: Sequence[RecallRow]) -> list[Recall]:
    if not rows:
        return []
    wanted = select(RecallLineRow).where(col(RecallLineRow.recall_id).in_([row.recall_id for row in rows]))
    lines: dict[str, list[RecallLine]] = {}
    in_order = wanted.order_by(col(RecallLineRow.shipment_id), col(RecallLineRow.line_id), col(RecallLineRow.sku))
    for row in session.exec(in_order):
        line = RecallLine(row.shipment_id, row.line_id, row.sku, row.description, row.quantity)
        lines.setdefault(row.recall_id, []).append(line)
    return [
        Recall(
            row.recall_id,
            row.order_id,
            row.order_number,
            row.change_id,
            row.requested_at,
            tuple(lines.get(row.recall_id, ())),
            RecallState(row.state),
            row.reason,
            row.answered_at,
        )
        for row in rows
    ]
