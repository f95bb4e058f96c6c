"""Returns that nobody carries on: found by a sweep, told as exceptions, and over when their workflow goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.exceptions import RETURN_LOST, lost_return_reason
from services.orders.domain.mails import NOBODY
from services.orders.domain.returns import Return
from services.orders.order import exceptions, outbox
from services.orders.returns.changing import WORKFLOW, save, take
from services.orders.store import lost_returns as store
from services.runtime.db import Database

_GOES_ON = "Its workflow goes on."
_HAS_ENDED = "It goes on, or has ended."
STARTS = (outbox.START_RETURN,)


@dataclass(frozen=True, slots=True)
class LostReturns:
    """Ids of open returns that have no running workflow; `is_all` of them.

    Those requested before `searched_at` were looked at after it, but for those whose start waits in the outbox.
    """

    return_ids: Sequence[str]
    is_all: bool
    searched_at: datetime


def open_returns(session: Session, *, requested_before: datetime, after: str, limit: int) -> list[tuple[str, str]]:
    """Id and number of returns each of which must have a running workflow, by id."""
    return store.open_returns(session, STARTS, requested_before=requested_before, after=after, limit=limit)


def record(database: Database, lost: LostReturns, now: datetime) -> tuple[int, int]:
    """Open an exception for each, and resolve those of returns that the search found to go on, or to have ended; how many of both."""
    opened = 0
    for return_id in lost.return_ids:
        with database.transaction() as session:
            opened += _note(session, return_id, now)
    if not lost.is_all:
        return opened, 0
    with database.transaction() as session:
        known = store.reported(session, STARTS)
        over = sorted(
            return_id
            for return_id, since in known.items()
            if since < lost.searched_at and return_id not in lost.return_ids
        )
        exceptions.resolve_by_system(session, RETURN_LOST, over, _HAS_ENDED, now)
    return opened, len(over)


def _note(session: Session, return_id: str, now: datetime) -> bool:
    """Open the exception of a return that is still open and is not about to be started; False when it has one."""
    taken = take(session, return_id)
    found = taken.found
    if not found.is_open or store.is_starting(session, STARTS, return_id) or store.is_reported(session, return_id):
        return False
    reason = found.halted or lost_return_reason(found.number)
    halted = replace(found, halted=reason)
    save(session, taken, halted, WORKFLOW, "return_halted", NOBODY, now, why=reason)  # it has no mail
    exceptions.open_exception(session, found.order_id, RETURN_LOST, return_id, reason, now)
    return True


def note_halted(session: Session, found: Return, reason: str, now: datetime) -> None:
    """A workflow says that it ends before its return does."""
    exceptions.open_exception(session, found.order_id, RETURN_LOST, found.return_id, reason, now)


def goes_on(session: Session, return_id: str, now: datetime) -> None:
    """A workflow asks what comes next: what was said of its return is over."""
    exceptions.resolve_by_system(session, RETURN_LOST, [return_id], _GOES_ON, now)
