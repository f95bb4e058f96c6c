"""Open returns and their workflows: which should have one, and which are known to have none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, select
from sqlmodel import Session

from services.orders.domain.exceptions import RETURN_LOST
from services.orders.models import BusinessExceptionRow, ReturnRow, outbox
from services.runtime.db import table_of

_return, _exception = table_of(ReturnRow), table_of(BusinessExceptionRow)
_REPORTED = (_exception.c.kind == RETURN_LOST) & _exception.c.resolved_at.is_(None)


def open_returns(
    session: Session, starts: Sequence[str], *, requested_before: datetime, after: str, limit: int
) -> list[tuple[str, str]]:
    """Id and number of returns that have not ended, by id behind `after`; none whose workflow a message still is to start."""
    query = (
        select(_return.c.return_id, _return.c.number)
        .where(_return.c.ended_at.is_(None), _return.c.return_id > after)
        .where(_return.c.requested_at < requested_before, ~_starting(starts, _return.c.return_id))
        .order_by(_return.c.return_id)
        .limit(limit)
    )
    return [(row.return_id, row.number) for row in session.execute(query)]


def is_starting(session: Session, starts: Sequence[str], return_id: str) -> bool:
    """Whether a message still is to start its workflow."""
    query = select(_return.c.return_id).where(_return.c.return_id == return_id, _starting(starts, _return.c.return_id))
    return session.execute(query).first() is not None


def is_reported(session: Session, return_id: str) -> bool:
    """Whether an open exception says that nobody carries it on."""
    query = select(_exception.c.exception_id).where(_REPORTED, _exception.c.subject_id == return_id)
    return session.execute(query).first() is not None


def reported(session: Session, starts: Sequence[str]) -> dict[str, datetime]:
    """Returns of which an open exception says that nobody carries them on, since when; none whose start still waits."""
    query = select(_exception.c.subject_id, _exception.c.since)
    known = session.execute(query.where(_REPORTED, ~_starting(starts, _exception.c.subject_id)))
    return {row.subject_id: row.since for row in known}


def _starting(starts: Sequence[str], return_id: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(outbox.c.subject_id == return_id, outbox.c.kind.in_(starts), outbox.c.state == "unsent")
