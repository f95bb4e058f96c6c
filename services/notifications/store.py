"""Every query of notifications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services.kernel.errors import NotFound
from services.notifications import domain
from services.notifications.domain import Aftermath, Delivery, Recipient
from services.notifications.models import DeliveryRow, VerdictRow

_IN_DATABASE_ONLY = {"synchronize_session": False}
"""The rows changed are not looked at again in this session."""

_UNDER_WAY = (domain.WAITING, domain.SENDING)


def add(session: Session, delivery: Delivery, now: datetime) -> str:
    """Keep a delivery unless its event was already told to its mailbox; the id of the one that is kept."""
    values = {
        "delivery_id": delivery.delivery_id,
        "event_id": delivery.event_id,
        "kind": delivery.kind,
        "order_id": delivery.order_id,
        "order_number": delivery.order_number,
        "email": delivery.recipient.email,
        "name": delivery.recipient.name,
        "role": delivery.recipient.role,
        "subject": delivery.subject,
        "variables": dict(delivery.variables),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "asked_at": now,
        "claimed_by": "",
    }
    session.execute(_insert(session)(DeliveryRow).values(**values).on_conflict_do_nothing())
    _wake_sender(session)
    is_ours = _is(delivery.event_id, delivery.recipient.email)
    return str(session.execute(select(col(DeliveryRow.delivery_id)).where(is_ours)).scalar_one())


def tell_verdict(session: Session, order_id: str, kind: str) -> str:
    """Remember the verdict unless one was told before; the one that stands."""
    fresh = _insert(session)(VerdictRow).values(order_id=order_id, kind=kind).on_conflict_do_nothing()
    session.execute(fresh)
    return str(session.execute(select(col(VerdictRow.kind)).where(col(VerdictRow.order_id) == order_id)).scalar_one())


def _insert(session: Session) -> Any:
    """The INSERT of the dialect that can leave a conflicting row alone."""
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert


def _is(event_id: str, email: str) -> ColumnElement[bool]:
    return and_(col(DeliveryRow.event_id) == event_id, col(DeliveryRow.email) == email)


def _wake_sender(session: Session) -> None:
    """The database wakes its listeners after a commit of a session that says so."""
    session.info["emitted"] = True


def backlog(session: Session) -> tuple[int, datetime | None, int]:
    """How many mails have not left, since when the oldest waits, and how many no server took."""
    is_waiting = col(DeliveryRow.state).in_(_UNDER_WAY)
    waiting = session.execute(select(func.count(), func.min(col(DeliveryRow.asked_at))).where(is_waiting)).one()
    dead = select(func.count()).select_from(DeliveryRow).where(col(DeliveryRow.state) == domain.DEAD)
    return int(waiting[0]), waiting[1], int(session.execute(dead).scalar_one())


def has_work(session: Session, sender: str, now: datetime) -> bool:
    """Whether any mail may leave or was lost by a sender; asked first, so that an idle sender never takes the write lock."""
    work = select(col(DeliveryRow.position)).where(or_(_may_leave(now), _is_lost(sender, now)))
    return session.execute(work.limit(1)).first() is not None


def _is_due(now: datetime) -> ColumnElement[bool]:
    is_time = or_(col(DeliveryRow.retry_at).is_(None), col(DeliveryRow.retry_at) <= now)
    return and_(col(DeliveryRow.state) == domain.WAITING, is_time)


def _is_lost(sender: str, now: datetime) -> ColumnElement[bool]:
    is_nobodys = or_(col(DeliveryRow.claimed_by) == sender, col(DeliveryRow.lease_until) < now)
    return and_(col(DeliveryRow.state) == domain.SENDING, is_nobodys)


def take_back(session: Session, sender: str, now: datetime) -> None:
    """Put back what this sender had begun before it died, and what any sender began longer ago than its lease."""
    back = update(DeliveryRow).where(_is_lost(sender, now))
    values = back.values(state=domain.WAITING, claimed_by="", lease_until=None)
    session.execute(values, execution_options=_IN_DATABASE_ONLY)


def claim(session: Session, sender: str, now: datetime) -> Delivery | None:
    """Mark the first mail that may leave now as being sent and give it, this try counted; None when there is none.

    A mail may leave when no earlier mail of its order to its mailbox is under way; dead ones do not hold it up.
    """
    may_leave = _may_leave(now)
    first = select(col(DeliveryRow.position)).where(may_leave).order_by(col(DeliveryRow.position)).limit(1)
    position = session.execute(first.with_for_update(skip_locked=True)).scalar_one_or_none()
    if position is None:
        return None
    # the state is asked again: correctness rests on this statement, not on the lock above
    begin = (
        update(DeliveryRow)
        .where(col(DeliveryRow.position) == position, may_leave)
        .values(
            state=domain.SENDING,
            claimed_by=sender,
            lease_until=now + domain.LEASE,
            attempts=col(DeliveryRow.attempts) + 1,
            retry_at=None,
        )
    )
    if session.execute(begin.returning(col(DeliveryRow.position)), execution_options=_IN_DATABASE_ONLY).first() is None:
        return None
    begun = select(DeliveryRow).where(col(DeliveryRow.position) == position)
    return _delivery(session.execute(begun, execution_options={"populate_existing": True}).scalar_one())


def _may_leave(now: datetime) -> ColumnElement[bool]:
    return and_(_is_due(now), ~_earlier_under_way())


def _earlier_under_way() -> ColumnElement[bool]:
    earlier = DeliveryRow.__table__.alias("earlier")  # type: ignore[attr-defined]  # SQLModel adds __table__ at run time
    return exists().where(
        earlier.c.order_id == col(DeliveryRow.order_id),
        earlier.c.email == col(DeliveryRow.email),
        earlier.c.position < col(DeliveryRow.position),
        earlier.c.state.in_(_UNDER_WAY),
    )


def record(session: Session, delivery_id: str, outcome: Aftermath) -> None:
    """Note what came of a try; a mail that another sender has taken over since is left alone."""
    under_way = update(DeliveryRow).where(
        col(DeliveryRow.delivery_id) == delivery_id, col(DeliveryRow.state) == domain.SENDING
    )
    values = under_way.values(
        state=outcome.state,
        last_error=outcome.last_error,
        sent_at=outcome.sent_at,
        retry_at=outcome.retry_at,
        claimed_by="",
        lease_until=None,
    )
    session.execute(values, execution_options=_IN_DATABASE_ONLY)


def record_absence(session: Session, error: str, now: datetime) -> None:
    """There was no mail server: say so on all that waits for it; no try is counted."""
    shown = domain.one_line(error)[:400]
    waiting = update(DeliveryRow).where(_is_due(now), col(DeliveryRow.last_error) != shown)
    session.execute(waiting.values(last_error=shown), execution_options=_IN_DATABASE_ONLY)


def get(session: Session, delivery_id: str) -> Delivery:
    """The delivery; NotFound when there is none."""
    row = session.execute(select(DeliveryRow).where(col(DeliveryRow.delivery_id) == delivery_id)).scalar_one_or_none()
    if row is None:
        raise NotFound("NO_SUCH_DELIVERY", "there is no such delivery: list the deliveries and take an id from there")
    return _delivery(row)


def is_acceptance_told(session: Session, order_id: str, email: str) -> bool:
    """Whether this mailbox has got, or is just getting, the "accepted" of the order."""
    told = select(col(DeliveryRow.position)).where(
        col(DeliveryRow.order_id) == order_id,
        col(DeliveryRow.email) == email,
        col(DeliveryRow.kind) == "order_accepted",
        col(DeliveryRow.state).in_((domain.SENDING, domain.SENT)),
    )
    return session.execute(told.limit(1)).first() is not None


def revive(session: Session, delivery_id: str, now: datetime) -> Delivery:
    """Put a dead delivery back in line with all its tries before it."""
    dead = update(DeliveryRow).where(col(DeliveryRow.delivery_id) == delivery_id, col(DeliveryRow.state) == domain.DEAD)
    values = dead.values(state=domain.next_state(domain.DEAD, "revive"), attempts=0, retry_at=None, revived_at=now)
    session.execute(values, execution_options=_IN_DATABASE_ONLY)
    _wake_sender(session)
    session.expire_all()
    return get(session, delivery_id)


def listing(session: Session, *, order_id: str, state: str, after: int, limit: int) -> list[Delivery]:
    """Deliveries by filter, oldest first, beginning after a position; an empty filter lets everything pass."""
    wanted = select(DeliveryRow).where(col(DeliveryRow.position) > after)
    if order_id:
        wanted = wanted.where(col(DeliveryRow.order_id) == order_id)
    if state:
        wanted = wanted.where(col(DeliveryRow.state).in_(_UNDER_WAY if state == domain.WAITING else (state,)))
    rows = session.execute(wanted.order_by(col(DeliveryRow.position)).limit(limit)).scalars()
    return [_delivery(row) for row in rows]


def _delivery(row: DeliveryRow) -> Delivery:
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
        position=row.position or 0,
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant and who breaks it; at most ten offenders are named."""

    name: str
    rule: str
    violations: int
    offenders: tuple[str, ...]


# name → (the rule as a sentence, a query whose single column names each offender)
_INVARIANTS: dict[str, tuple[str, str]] = {
    "notifications.one_mail_per_event": (
        "an event reaches a mailbox once",
        """SELECT event_id FROM deliveries
            WHERE state IN ('sending', 'sent') GROUP BY event_id, email HAVING count(*) > 1""",
    ),
    "notifications.received_before_accepted": (
        "nobody reads that an order is accepted before that it was received",
        """SELECT a.delivery_id FROM deliveries a JOIN deliveries r ON r.order_id = a.order_id AND r.email = a.email
            WHERE a.kind = 'order_accepted' AND a.state = 'sent' AND r.kind = 'order_received'
              AND (r.state IN ('waiting', 'sending') OR r.sent_at > a.sent_at)""",
    ),
    "notifications.one_verdict": (
        "no order is told to be both accepted and rejected",
        """SELECT a.order_id FROM deliveries a JOIN deliveries r ON r.order_id = a.order_id
            WHERE a.kind = 'order_accepted' AND r.kind = 'order_rejected' GROUP BY a.order_id""",
    ),
    "notifications.in_the_order_asked": (
        "the mails of an order to a mailbox leave in the order they were asked for, unless a person revived one",
        """SELECT e.delivery_id FROM deliveries e JOIN deliveries l
               ON l.order_id = e.order_id AND l.email = e.email AND l.position > e.position
            WHERE l.state = 'sent' AND e.revived_at IS NULL
              AND (e.state IN ('waiting', 'sending') OR e.sent_at > l.sent_at) GROUP BY e.delivery_id""",
    ),
}


def audit(session: Session) -> list[Finding]:
    """Every invariant of notifications and its offenders."""
    return [_finding(session, name, rule, query) for name, (rule, query) in _INVARIANTS.items()]


def _finding(session: Session, name: str, rule: str, query: str) -> Finding:
    offenders = [str(offender) for (offender,) in session.execute(text(query + " ORDER BY 1"))]
    return Finding(name, rule, len(offenders), tuple(offenders[:10]))
