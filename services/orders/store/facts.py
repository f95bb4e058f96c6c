"""Facts of other services, late facts, and the outbox rows that only orders treats specially."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services.orders.domain.facts import Fact
from services.orders.models import FactRow, LateFactRow, outbox
from services.runtime.db import table_of

_fact = table_of(FactRow)
# the clause is PostgreSQL's and SQLite's alike
_KEEP = postgresql.insert(_fact).on_conflict_do_nothing(index_elements=["fact_id"]).returning(_fact.c.fact_id)
_UNSENT = select(outbox.c.order_id).where(
    outbox.c.kind == bindparam("kind"),
    outbox.c.order_id.in_(bindparam("of", expanding=True)),
    outbox.c.state == "unsent",
)
_DETAIL = select(outbox.c.detail).where(outbox.c.fact_id == bindparam("id"))
_MARK_DONE = (
    update(outbox)
    .where(outbox.c.fact_id == bindparam("id"), outbox.c.state != "sent")
    .values(state="sent", retry_at=None)
)
_COLUMNS = ("fact_id", "kind", "source", "order_id", "subject_id", "sequence", "occurred_at")


@dataclass(frozen=True, slots=True)
class LateFact:
    """A signal that came too late for its workflow."""

    fact_id: str
    signal: str
    order_id: str
    subject_id: str
    arrived_at: datetime


def known(session: Session, fact_ids: Sequence[str]) -> set[str]:
    """Those ids that are stored already."""
    query = select(col(FactRow.fact_id)).where(col(FactRow.fact_id).in_(fact_ids))
    return set(session.scalars(query))


def keep(session: Session, facts: Sequence[tuple[Fact, str]], now: datetime) -> set[str]:
    """Store facts, each with its state; gives the ids of those that were not stored before."""
    rows = [
        {
            **{name: getattr(fact, name) for name in _COLUMNS},
            "detail": fact.document,
            "state": state,
            "received_at": now,
        }
        for fact, state in facts
    ]
    return set(session.execute(_KEEP, rows).scalars()) if rows else set()


def mark(session: Session, fact_id: str, state: str) -> None:
    """Correct the state of a fact that was just kept."""
    statement = update(FactRow).where(col(FactRow.fact_id) == fact_id).values(state=state)
    session.execute(statement, execution_options={"synchronize_session": False})


def of_order(session: Session, order_id: str) -> list[Fact]:
    """Every fact kept about an order, in the order of arrival."""
    query = select(FactRow).where(col(FactRow.order_id) == order_id).order_by(col(FactRow.received_at))
    return [Fact(**{name: getattr(row, name) for name in _COLUMNS}) for row in session.scalars(query)]


def documents_of(session: Session, order_id: str) -> list[Fact]:
    """The facts projected into an order, each with the document it brought and nothing read of it yet."""
    query = select(FactRow).where(col(FactRow.order_id) == order_id, col(FactRow.state) == "projected")
    return [
        Fact(**{name: getattr(row, name) for name in _COLUMNS}, detail=None, document=row.detail)
        for row in session.scalars(query)
    ]


def keep_late(session: Session, late: LateFact) -> None:
    """Keep a signal that nobody took; a repeat keeps the first."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {name: getattr(late, name) for name in ("fact_id", "signal", "order_id", "subject_id", "arrived_at")}
    session.execute(dialect.insert(LateFactRow).values(**values).on_conflict_do_nothing())


def late_facts(session: Session, limit: int = 100) -> list[LateFact]:
    """The newest late facts first."""
    query = select(LateFactRow).order_by(col(LateFactRow.arrived_at).desc(), col(LateFactRow.fact_id)).limit(limit)
    names = ("fact_id", "signal", "order_id", "subject_id", "arrived_at")
    return [LateFact(**{name: getattr(row, name) for name in names}) for row in session.scalars(query)]


def detail_of(session: Session, fact_id: str) -> Mapping[str, Any]:
    """What an outbox row says."""
    found: Mapping[str, Any] = session.execute(_DETAIL, {"id": fact_id}).scalar_one()
    return found


def mark_done(session: Session, fact_id: str) -> None:
    """An outbox row need not be sent: what it asks for is done."""
    session.execute(_MARK_DONE, {"id": fact_id})


def unsent_of(session: Session, kind: str, order_ids: Collection[str]) -> set[str]:
    """Those of these orders for which a message of a kind is still to be sent."""
    return set(session.scalars(_UNSENT, {"kind": kind, "of": sorted(order_ids)}))
