"""Queries for what should have happened by now: what was asked of the workflow and has no answer, and orders that have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from services.orders.domain.cancellation import REQUESTED
from services.orders.domain.changes import AGREED, AWAITING_WAREHOUSE
from services.orders.domain.order import ACCEPTED, ENDED, RECEIVED
from services.orders.models import CancellationRow, ChangeRow, OrderRow, ProgressRow

Waiting = tuple[str, str, datetime]
"""An order's number, what of it waits, and since when."""


def unanswered(session: Session, before: datetime) -> Iterator[Waiting]:
    """What an order's workflow was asked before an instant and has not answered."""
    for what, query in _questions(before):
        for number, since in session.execute(query.order_by(col(OrderRow.number))):
            yield number, what, since


def _questions(before: datetime) -> Sequence[tuple[str, Any]]:
    number, is_open = col(OrderRow.number), col(OrderRow.phase).notin_(sorted(ENDED))
    placed, cleared = col(OrderRow.placed_at), col(OrderRow.cleared_at)
    asked, changed = col(CancellationRow.requested_at), col(ProgressRow.changed_at)
    of_order = col(OrderRow.order_id)
    at_warehouse = select(col(ChangeRow.change_id)).where(col(ChangeRow.state) == AWAITING_WAREHOUSE)
    return (
        (
            "its rules have not been run",
            select(number, placed).where(col(OrderRow.phase) == RECEIVED, placed < before),
        ),
        (
            "cleared, and its dates are not promised",
            select(number, cleared).where(
                col(OrderRow.phase) == ACCEPTED, col(OrderRow.accepted_at).is_(None), cleared < before
            ),
        ),
        (
            "a cancellation is not carried out",
            select(number, asked)
            .join(CancellationRow, col(CancellationRow.order_id) == of_order)
            .where(is_open, col(CancellationRow.state) == REQUESTED, asked < before)
            # whose silence is told to people by deadlines of its own
            .where(col(CancellationRow.change_id).notin_(at_warehouse)),
        ),
        (
            "a change that is agreed is not applied",
            select(number, changed)
            .join(ChangeRow, col(ChangeRow.order_id) == of_order)
            .join(ProgressRow, col(ProgressRow.order_id) == of_order)
            .where(is_open, col(ChangeRow.state) == AGREED, changed < before),
        ),
    )


def accepted(session: Session, *, after: str, limit: int) -> list[str]:
    """Ids of accepted orders that have not ended, by id behind `after`: their goods and their money are on the way."""
    wanted = col(OrderRow.phase) == ACCEPTED, col(OrderRow.order_id) > after
    query = select(col(OrderRow.order_id)).where(*wanted).order_by(col(OrderRow.order_id)).limit(limit)
    return [str(order_id) for order_id in session.scalars(query)]


def ended(session: Session, order_ids: Sequence[str]) -> dict[str, tuple[str, str, datetime]]:
    """Order id → number, phase and when it ended, of those orders that have."""
    columns = col(OrderRow.order_id), col(OrderRow.number), col(OrderRow.phase), col(OrderRow.ended_at)
    query = select(*columns).where(columns[0].in_(order_ids), columns[3].is_not(None))
    return {row.order_id: (row.number, row.phase, row.ended_at) for row in session.execute(query)}
