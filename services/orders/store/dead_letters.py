"""Dead letters: messages nobody took, facts that came too late or could not be read, and what people did about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal_column, select
from sqlmodel import Session, col

from services.kernel.errors import Refused
from services.orders.domain.dead_letters import DISMISS, FACT, LATE_FACT, MESSAGE, Action, DeadLetter
from services.orders.domain.facts import Fact
from services.orders.models import DeadLetterActionRow, FactRow, LateFactRow, OrderRow, outbox
from services.orders.store.facts import LateFact

_IS_DEAD = outbox.c.state == literal_column("'dead'")  # said in the statements themselves, the indexes of both serve
_IS_NOT_PROJECTED = col(FactRow.state) != literal_column("'projected'")


def outstanding(session: Session, limit: int = 200) -> list[DeadLetter]:
    """All dead letters of this service that nobody has dismissed, the oldest of each source first."""
    return [
        *_read(session, MESSAGE, outbox.c.fact_id, outbox.c.kind, outbox.c.last_error, outbox.c.order_id,
               outbox.c.occurred_at, _IS_DEAD, limit),
        *_read(session, LATE_FACT, LateFactRow.fact_id, LateFactRow.signal, LateFactRow.subject_id,
               LateFactRow.order_id, LateFactRow.arrived_at, None, limit),
        *_read(session, FACT, FactRow.fact_id, FactRow.kind, FactRow.state, FactRow.order_id, FactRow.received_at,
               _IS_NOT_PROJECTED, limit),
    ]  # fmt: skip


def _read(
    session: Session,
    source: str,
    subject: Any,
    what: Any,
    why: Any,
    order_id: Any,
    since: Any,
    condition: Any,
    limit: int,
) -> list[DeadLetter]:
    query = select(subject, what, why, func.coalesce(OrderRow.number, ""), since)
    query = query.select_from(subject.table if hasattr(subject, "table") else subject.class_)
    query = query.outerjoin(OrderRow, col(OrderRow.order_id) == order_id).where(_open(source, subject))
    if condition is not None:
        query = query.where(condition)
    return [DeadLetter(source, *row) for row in session.execute(query.order_by(since, subject).limit(limit))]


def _open(source: str, subject: Any) -> ColumnElement[bool]:
    """Nobody has dismissed it."""
    dismissed = exists().where(
        col(DeadLetterActionRow.source) == source,
        col(DeadLetterActionRow.subject_id) == subject,
        col(DeadLetterActionRow.action) == DISMISS,
    )
    return ~dismissed


def count(session: Session) -> dict[str, int]:
    """Source → how many dead letters of it this service has that nobody has dismissed."""
    parts = {
        MESSAGE: select(func.count()).select_from(outbox).where(_IS_DEAD, _open(MESSAGE, outbox.c.fact_id)),
        LATE_FACT: select(func.count()).select_from(LateFactRow).where(_open(LATE_FACT, col(LateFactRow.fact_id))),
        FACT: select(func.count()).select_from(FactRow).where(
            _IS_NOT_PROJECTED, _open(FACT, col(FactRow.fact_id))
        ),
    }  # fmt: skip
    row = session.execute(select(*(part.scalar_subquery() for part in parts.values()))).one()
    return dict(zip(parts, map(int, row), strict=True))


def dismissed(session: Session, source: str, subject_ids: list[str]) -> set[str]:
    """Those of the ids that somebody has dismissed."""
    query = select(col(DeadLetterActionRow.subject_id)).where(
        col(DeadLetterActionRow.source) == source,
        col(DeadLetterActionRow.subject_id).in_(subject_ids),
        col(DeadLetterActionRow.action) == DISMISS,
    )
    return set(session.scalars(query))


def add(session: Session, action: Action) -> None:
    """Keep what somebody did."""
    session.execute(insert(DeadLetterActionRow).values(**{name: getattr(action, name) for name in _ACTION}))


_ACTION = ("action_id", "source", "subject_id", "action", "reason", "done_by", "done_role", "done_at")


def newest_actions(session: Session, limit: int = 20) -> list[Action]:
    """What was done last, by anybody."""
    query = (
        select(DeadLetterActionRow)
        .order_by(col(DeadLetterActionRow.done_at).desc(), col(DeadLetterActionRow.action_id))
        .limit(limit)
    )
    return [Action(**{name: getattr(row, name) for name in _ACTION}) for row in session.scalars(query)]


_FACT = ("fact_id", "kind", "source", "order_id", "subject_id", "sequence", "occurred_at", "detail")
_LATE = ("fact_id", "signal", "order_id", "subject_id", "arrived_at")


def take_out(session: Session, fact_id: str) -> Fact:
    """Remove a fact that could not be projected, so that it may be read and taken in again; Refused for one that was."""
    gone = delete(FactRow).where(col(FactRow.fact_id) == fact_id, col(FactRow.state) != "projected")
    columns = [getattr(FactRow, name) for name in _FACT]
    row = session.execute(gone.returning(*columns), execution_options={"synchronize_session": False}).first()
    if row is None:
        raise Refused("FACT_IS_PROJECTED", "this fact needs nothing any more: reload the list")
    values = dict(zip(_FACT, row, strict=True))
    document = values.pop("detail")
    return Fact(**values, detail=None, document=document)


def late_of(session: Session, order_id: str) -> list[str]:
    """Ids of the facts that came while the order had no workflow, oldest first."""
    query = select(col(LateFactRow.fact_id)).where(col(LateFactRow.order_id) == order_id)
    return list(session.scalars(query.order_by(col(LateFactRow.arrived_at))))


def take_late(session: Session, fact_id: str) -> tuple[LateFact, bool]:
    """Remove a late fact, so that it may be handed over again, and tell whether it said that all is done; Refused for none."""
    columns = [getattr(LateFactRow, name) for name in _LATE]
    gone = delete(LateFactRow).where(col(LateFactRow.fact_id) == fact_id).returning(*columns)
    row = session.execute(gone, execution_options={"synchronize_session": False}).first()
    if row is None:
        raise Refused("FACT_NOT_LATE", "this fact needs nothing any more: reload the list")
    behind = select(col(FactRow.detail)).where(col(FactRow.fact_id) == fact_id.partition("/")[0])
    detail = session.execute(behind).scalar() or {}
    return LateFact(**dict(zip(_LATE, row, strict=True))), bool(detail.get("is_complete", False))
