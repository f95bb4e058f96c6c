"""Every query of notifications. Statements are built once: putting one together costs several times what running it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, func, or_, select, update
from sqlmodel import Session

from services.kernel.errors import NotFound
from services.notifications import domain
from services.notifications.domain import Aftermath, Attachment, Candidate, Delivery, Recipient
from services.notifications.models import UNDER_WAY, Table
from services.runtime.audit import Finding, Invariant, find_all
from services.runtime.db import UtcDateTime
from services.runtime.sessions import wake_after_commit
from services.runtime.statements import inserting

_deliveries = Table.metadata.tables["deliveries"]
_verdicts = Table.metadata.tables["verdicts"]
_row = _deliveries.c


# Storing deliveries.

_ADD = inserting(_deliveries, "delivery_id")
_KEPT = select(_row.delivery_id).where(_row.event_id == bindparam("event"), _row.email == bindparam("mailbox"))
_RECORD_VERDICT = inserting(_verdicts, "kind")
_VERDICT = select(_verdicts.c.kind).where(_verdicts.c.order_id == bindparam("order"))


def add(session: Session, deliveries: Sequence[Delivery], now: datetime) -> list[str]:
    """Store each delivery, in this order, unless its mailbox has the event already; returns the ids of the stored ones."""
    rows = [_values(each, now) for each in deliveries]
    added = frozenset(session.execute(_ADD, rows).scalars())
    if added:
        wake_after_commit(session)
    return [each.delivery_id if each.delivery_id in added else _kept(session, each) for each in deliveries]


def _kept(session: Session, repeat: Delivery) -> str:
    key = {"event": repeat.event_id, "mailbox": repeat.recipient.email}
    return str(session.execute(_KEPT, key).scalar_one())


def _values(delivery: Delivery, now: datetime) -> dict[str, Any]:
    return {
        "delivery_id": delivery.delivery_id,
        "event_id": delivery.event_id,
        "kind": delivery.kind,
        "order_id": delivery.order_id,
        "order_number": delivery.order_number,
        "email": delivery.recipient.email,
        "name": delivery.recipient.name,
        "role": delivery.recipient.role,
        "subject": delivery.subject,
        "variables": delivery.variables,
        "attachment": asdict(delivery.attachment) if delivery.attachment else {},
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "asked_at": now,
        "claimed_by": "",
    }


def record_verdict(session: Session, order_id: str, kind: str) -> str:
    """Record the verdict unless the order has one; returns the one that stands."""
    verdict = session.execute(_RECORD_VERDICT, {"order_id": order_id, "kind": kind}).scalar_one_or_none()
    if verdict is None:
        verdict = session.execute(_VERDICT, {"order": order_id}).scalar_one()
    return str(verdict)


def backlog(session: Session) -> tuple[int, datetime | None, int]:
    """How many mails have not left, since when the oldest waits, and how many no server took."""
    waiting = session.execute(select(func.count(), func.min(_row.asked_at)).where(UNDER_WAY)).one()
    dead = select(func.count()).select_from(_deliveries).where(_row.state == domain.DEAD)
    return int(waiting[0]), waiting[1], int(session.execute(dead).scalar_one())


# Claiming mails and recording the outcome.

_COLUMNS = (
    _row.delivery_id,
    _row.event_id,
    _row.kind,
    _row.order_id,
    _row.order_number,
    _row.email,
    _row.name,
    _row.role,
    _row.variables,
    _row.subject,
    _row.state,
    _row.attempts,
    _row.last_error,
    _row.position,
    _row.attachment,
)
_NOW = bindparam("now", type_=UtcDateTime())
_EARLIER = _deliveries.alias("earlier")
_IS_OVERTAKING = exists().where(
    _EARLIER.c.order_id == _row.order_id,
    _EARLIER.c.email == _row.email,
    _EARLIER.c.position < _row.position,
    _EARLIER.c.state.in_((domain.WAITING, domain.SENDING)),
)
# UNDER_WAY says again what the states say, in the words of the index: without it every wake would read every mail ever sent
_IS_DUE = and_(UNDER_WAY, _row.state == domain.WAITING, or_(_row.retry_at.is_(None), _row.retry_at <= _NOW))
_MAY_LEAVE = and_(_IS_DUE, ~_IS_OVERTAKING)
_IS_LOST = and_(
    UNDER_WAY,
    _row.state == domain.SENDING,
    or_(_row.claimed_by == bindparam("sender"), _row.lease_until < _NOW),
)
_WORK = select(_row.position).where(UNDER_WAY, or_(_MAY_LEAVE, _IS_LOST)).limit(1)
_TAKE_BACK = update(_deliveries).where(_IS_LOST).values(state=domain.WAITING, claimed_by="", lease_until=None)
_CANDIDATES = (
    select(_row.position, _row.attempts)
    .where(_MAY_LEAVE)
    .order_by(_row.position)
    .limit(domain.MOST_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_BEGIN = (
    update(_deliveries)
    # the state is asked again: correctness rests on this statement, not on the locks before
    .where(_row.position.in_(bindparam("positions", expanding=True)), _MAY_LEAVE)
    .values(
        state=domain.SENDING,
        claimed_by=bindparam("sender"),
        lease_until=bindparam("until"),
        attempts=_row.attempts + 1,
        retry_at=None,
    )
    .returning(*_COLUMNS)
)
_RECORD = (
    update(_deliveries)
    .where(
        _row.delivery_id == bindparam("id"),
        _row.state == domain.SENDING,
        _row.claimed_by == bindparam("sender"),
    )
    .values(
        state=bindparam("next_state"),
        attempts=_row.attempts - bindparam("uncounted"),
        last_error=bindparam("error"),
        sent_at=bindparam("left_at"),
        retry_at=bindparam("again_at"),
        claimed_by="",
        lease_until=None,
    )
)
_ABSENT = (
    update(_deliveries).where(_IS_DUE, _row.last_error != bindparam("error")).values(last_error=bindparam("error"))
)


def has_work(session: Session, sender: str, now: datetime) -> bool:
    """Whether any mail may leave or was lost by a sender; asked first, so that an idle sender never takes the write lock."""
    return session.execute(_WORK, {"sender": sender, "now": now}).first() is not None


def take_back(session: Session, sender: str, now: datetime) -> None:
    """Put back what this sender had begun before it died, and what any sender began longer ago than its lease."""
    session.execute(_TAKE_BACK, {"sender": sender, "now": now})


def claim(session: Session, sender: str, now: datetime) -> list[Delivery]:
    """Mark the first mails that may leave now as being sent and give them, this try counted; none when there are none.

    A mail may leave when no earlier mail of its order to its mailbox is under way; dead ones do not hold it up.
    """
    found = session.execute(_CANDIDATES, {"now": now}).all()
    chosen = domain.together([Candidate(row.position, row.attempts) for row in found])
    if not chosen:
        return []
    terms = {"positions": chosen, "now": now, "sender": sender, "until": now + domain.LEASE}
    begun = [_delivery(row) for row in session.execute(_BEGIN, terms)]
    return sorted(begun, key=lambda each: each.position)


def record(session: Session, sender: str, outcomes: Mapping[str, Aftermath]) -> None:
    """Note what came of each try (by delivery id); a mail that another sender has taken over since is left alone."""
    noted = [
        {
            "id": delivery_id,
            "sender": sender,
            "next_state": outcome.state,
            "uncounted": 0 if outcome.is_tried else 1,
            "error": outcome.last_error,
            "left_at": outcome.sent_at,
            "again_at": outcome.retry_at,
        }
        for delivery_id, outcome in outcomes.items()
    ]
    session.execute(_RECORD, noted)


def record_absence(session: Session, error: str, now: datetime) -> None:
    """There was no mail server: say so on all that waits for it; no try is counted."""
    session.execute(_ABSENT, {"now": now, "error": domain.one_line(error)[:400]})


# Queries and retries.


def get(session: Session, delivery_id: str) -> Delivery:
    """The delivery; NotFound when there is none."""
    row = session.execute(select(*_COLUMNS).where(_row.delivery_id == delivery_id)).one_or_none()
    if row is None:
        raise NotFound("NO_SUCH_DELIVERY", "there is no such delivery: list the deliveries and take an id from there")
    return _delivery(row)


def is_acceptance_sent(session: Session, order_id: str, email: str) -> bool:
    """Whether this mailbox has got, or is just getting, the "accepted" of the order."""
    verdict = select(_row.position).where(
        _row.order_id == order_id,
        _row.email == email,
        _row.kind == "order_accepted",
        _row.state.in_((domain.SENDING, domain.SENT)),
    )
    return session.execute(verdict.limit(1)).first() is not None


def revive(session: Session, delivery_id: str, now: datetime) -> Delivery:
    """Put a dead delivery back in line with all its tries before it."""
    dead = update(_deliveries).where(_row.delivery_id == delivery_id, _row.state == domain.DEAD)
    next_state = domain.next_state(domain.DEAD, "revive")
    session.execute(dead.values(state=next_state, attempts=0, retry_at=None, revived_at=now))
    wake_after_commit(session)
    return get(session, delivery_id)


def listing(session: Session, *, order_id: str, state: str, after: int, limit: int) -> list[Delivery]:
    """Deliveries by filter, oldest first, beginning after a position; an empty filter lets everything pass."""
    wanted = select(*_COLUMNS).where(_row.position > after)
    if order_id:
        wanted = wanted.where(_row.order_id == order_id)
    if state:
        wanted = wanted.where(UNDER_WAY if state == domain.WAITING else _row.state == state)
    return [_delivery(row) for row in session.execute(wanted.order_by(_row.position).limit(limit))]


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        event_id=row.event_id,
        kind=row.kind,
        order_id=row.order_id,
        order_number=row.order_number,
        recipient=Recipient(row.email, row.name, row.role),
        variables=row.variables,
        subject=row.subject,
        state=row.state,
        attempts=row.attempts,
        last_error=row.last_error,
        position=row.position,
        attachment=Attachment(**row.attachment) if row.attachment else None,
    )


_INVARIANTS = (
    Invariant(
        "notifications.one_mail_per_event",
        "an event reaches a mailbox once",
        """SELECT event_id FROM deliveries
            WHERE state IN ('sending', 'sent') GROUP BY event_id, email HAVING count(*) > 1""",
    ),
    Invariant(
        "notifications.received_before_accepted",
        'nobody reads "accepted" before "received"',
        """SELECT a.delivery_id FROM deliveries a JOIN deliveries r ON r.order_id = a.order_id AND r.email = a.email
            WHERE a.kind = 'order_accepted' AND a.state = 'sent' AND r.kind = 'order_received'
              AND (r.state IN ('waiting', 'sending') OR r.sent_at > a.sent_at)""",
    ),
    Invariant(
        "notifications.one_verdict",
        "no order is announced as both accepted and rejected",
        """SELECT a.order_id FROM deliveries a JOIN deliveries r ON r.order_id = a.order_id
            WHERE a.kind = 'order_accepted' AND r.kind = 'order_rejected' GROUP BY a.order_id""",
    ),
    Invariant(
        "notifications.in_the_order_asked",
        "the mails of an order to a mailbox leave in the order of the requests, unless a person retried one",
        """SELECT e.delivery_id FROM deliveries e JOIN deliveries l
               ON l.order_id = e.order_id AND l.email = e.email AND l.position > e.position
            WHERE l.state = 'sent' AND e.revived_at IS NULL
              AND (e.state IN ('waiting', 'sending') OR e.sent_at > l.sent_at) GROUP BY e.delivery_id""",
    ),
)


def audit(session: Session) -> list[Finding]:
    """Every invariant of notifications and its offenders."""
    return find_all(session, _INVARIANTS)
