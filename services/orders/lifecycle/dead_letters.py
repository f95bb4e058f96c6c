"""Acting on dead letters: try one again or dismiss it for a reason; both are recorded with who did it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, Refused
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.domain.dead_letters import (
    DISMISS,
    FACT,
    LATE_FACT,
    MAIL,
    MESSAGE,
    RETRY,
    SOURCES,
    Action,
    DeadLetter,
)
from services.orders.domain.mails import Contacts
from services.orders.lifecycle import apply_facts, fact_wire
from services.orders.order import outbox as order_outbox
from services.orders.store import counts
from services.orders.store import dead_letters as store
from services.runtime import outbox


def retry(session: Session, source: str, subject_id: str, caller: Caller, contacts: Contacts, now: datetime) -> Action:
    """Try a message, late fact or fact of this service again; Refused when it needs nothing any more.

    A message goes back in line. A late fact is handed to its workflow again and returns here if that has still ended. A fact is
    projected again and stays here if it still cannot be.
    """
    if source == MESSAGE:
        if not outbox.revive(session, subject_id):
            raise Refused("MESSAGE_NOT_DEAD", "this message needs nothing any more: reload the list")
    elif source == LATE_FACT:
        late, is_complete = store.take_late(session, subject_id)
        order_outbox.resignal(
            session, late.order_id, late.signal, late.fact_id, late.subject_id, now, is_complete=is_complete
        )
    elif source == FACT:
        apply_facts.take(session, [fact_wire.reread(store.take_out(session, subject_id))], contacts, now)
    return record(session, source, subject_id, RETRY, "", caller, now)


def dismiss(session: Session, source: str, subject_id: str, reason: str, caller: Caller, now: datetime) -> Action:
    """Take it off the list for good; InvalidArgument without a reason."""
    if not reason.strip():
        raise InvalidArgument("REASON_MISSING", "say why it can be dismissed: go back and write a reason")
    return record(session, source, subject_id, DISMISS, reason, caller, now)


def record(
    session: Session, source: str, subject_id: str, action: str, reason: str, caller: Caller, now: datetime
) -> Action:
    """Keep who did what about it."""
    if source not in SOURCES:
        raise InvalidArgument("SOURCE_UNKNOWN", f"a dead letter is one of {', '.join(SOURCES)}")
    done = Action(new_id("dla"), source, subject_id, action, reason, caller.principal.sub, caller.role, now)
    store.add(session, done)
    return done


def list_outstanding(session: Session) -> list[DeadLetter]:
    """All dead letters of this service that nobody has dismissed, the oldest of each source first."""
    return store.outstanding(session)


def count_outstanding(session: Session) -> int:
    """How many there are."""
    return sum(store.count(session).values())


def backlog(session: Session) -> tuple[int, datetime | None, int]:
    """How many messages wait, since when the oldest does, and how many messages and facts nobody could take.

    What somebody has dismissed counts no more, and late facts are told apart.
    """
    waiting, oldest, _ = outbox.backlog(session)
    dead = store.count(session)
    return waiting, oldest, dead[MESSAGE] + dead[FACT]


def list_actions(session: Session) -> list[Action]:
    """What was done about dead letters last, by anybody."""
    return store.newest_actions(session)


def not_dismissed(session: Session, mails: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Those of the mails that notifications gave up which nobody has dismissed here."""
    gone = store.dismissed(session, MAIL, [mail.subject_id for mail in mails])
    return [mail for mail in mails if mail.subject_id not in gone]


def count_late_facts(session: Session) -> int:
    """How many facts arrived after their order had ended."""
    return counts.late_facts(session)
