"""Business exceptions of orders: opened once, listed within a scope, resolved once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col

from services.kernel.errors import NotFound
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.exceptions import OPEN, SYSTEM, BusinessException, ExceptionFilter, ListedException
from services.orders.models import BusinessExceptionRow, OrderRow
from services.orders.store.orders import within
from services.runtime.db import table_of

_exception = table_of(BusinessExceptionRow)
_COLUMNS = tuple(column.name for column in _exception.c)
_IS_OPEN = _exception.c.resolved_at.is_(None)
# the clause is PostgreSQL's and SQLite's alike; what is there already is the open one of the same subject
_ADD = postgresql.insert(_exception).on_conflict_do_nothing().returning(_exception.c.exception_id)


def add(session: Session, found: BusinessException) -> bool:
    """Keep an exception; False when its subject has an open one of the same kind."""
    values = {name: getattr(found, name) for name in _COLUMNS}
    return session.execute(_ADD, [values]).first() is not None


def find(session: Session, exception_id: str, scope: Scope) -> ListedException:
    """One exception; NotFound when there is none or the scope hides its order."""
    row = session.execute(_listed(scope).where(_exception.c.exception_id == exception_id)).first()
    if row is None:
        raise NotFound("EXCEPTION_UNKNOWN", "there is no such exception: go back to the list")
    return _of(row)


def listed(
    session: Session, wanted: ExceptionFilter, scope: Scope = EVERYTHING, *, after: str = "", limit: int = 50
) -> list[ListedException]:
    """Exceptions that a scope shows, oldest first, beginning behind the id `after`."""
    query = _listed(scope).where(_exception.c.exception_id > after)
    if wanted.state:
        query = query.where(_IS_OPEN if wanted.state == OPEN else ~_IS_OPEN)
    for name in ("order_id", "kind", "owner_role"):
        if value := getattr(wanted, name):
            query = query.where(_exception.c[name] == value)
    return [_of(row) for row in session.execute(query.order_by(_exception.c.exception_id).limit(limit))]


def was_opened(session: Session, kind: str, subject_id: str) -> bool:
    """Whether a subject ever had an exception of a kind."""
    query = select(_exception.c.exception_id).where(_exception.c.kind == kind, _exception.c.subject_id == subject_id)
    return session.execute(query.limit(1)).first() is not None


def last_resolved_by_people(session: Session, kind: str, subject_id: str) -> datetime | None:
    """When anybody but the system last resolved an exception of a kind of a subject."""
    wanted = (_exception.c.kind == kind, _exception.c.subject_id == subject_id, _exception.c.resolved_by != SYSTEM)
    found: datetime | None = session.execute(select(func.max(_exception.c.resolved_at)).where(*wanted)).scalar_one()
    return found


def open_reasons(session: Session, kind: str, subject_ids: Collection[str]) -> dict[str, str]:
    """Subject → the reason of its open exception of a kind; subjects without one are missing."""
    wanted = (_exception.c.kind == kind, _exception.c.subject_id.in_(sorted(subject_ids)), _IS_OPEN)
    found = session.execute(select(_exception.c.subject_id, _exception.c.reason).where(*wanted))
    return {str(subject_id): str(reason) for subject_id, reason in found}


def open_subjects(session: Session, kind: str) -> list[str]:
    """Subjects with an open exception of a kind."""
    query = select(_exception.c.subject_id).where(_exception.c.kind == kind, _IS_OPEN)
    return [str(subject_id) for subject_id in session.scalars(query.order_by(_exception.c.subject_id))]


def open_orders(session: Session, kind: str, customer_id: str) -> list[str]:
    """Ids of a customer's orders with an open exception of a kind."""
    query = select(_exception.c.order_id).join(OrderRow, col(OrderRow.order_id) == _exception.c.order_id)
    mine = col(OrderRow.customer_id) == customer_id
    return [str(order_id) for order_id in session.scalars(query.where(mine, _exception.c.kind == kind, _IS_OPEN))]


def open_of(session: Session, order_id: str) -> list[BusinessException]:
    """The open exceptions of an order, oldest first."""
    query = select(*_exception.c).where(_exception.c.order_id == order_id, _IS_OPEN)
    rows = session.execute(query.order_by(_exception.c.exception_id)).mappings()
    return [BusinessException(**row) for row in rows]


def open_of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, list[BusinessException]]:
    """Order id → its open exceptions, oldest first, in one query; an order without any is missing."""
    query = select(*_exception.c).where(_exception.c.order_id.in_(order_ids), _IS_OPEN)
    found: dict[str, list[BusinessException]] = {}
    for row in session.execute(query.order_by(_exception.c.exception_id)).mappings():
        found.setdefault(row["order_id"], []).append(BusinessException(**row))
    return found


def count_open(session: Session, scope: Scope) -> int:
    """How many open exceptions the orders of a scope have."""
    query = select(func.count()).select_from(_exception).where(_IS_OPEN, within(scope))
    query = query.join(OrderRow, col(OrderRow.order_id) == _exception.c.order_id)
    return int(session.execute(query).scalar_one())


def count_open_by_kind(session: Session) -> dict[str, int]:
    """Kind → open exceptions, of kinds that have any."""
    query = select(_exception.c.kind, func.count()).where(_IS_OPEN).group_by(_exception.c.kind)
    return {kind: int(count) for kind, count in session.execute(query)}


def resolve(
    session: Session, exception_id: str, *, resolved_by: str, resolved_role: str, note: str, now: datetime
) -> bool:
    """Resolve an open exception; False when somebody was quicker."""
    statement = update(_exception).where(_exception.c.exception_id == exception_id, _IS_OPEN)
    values = {"resolved_at": now, "resolved_by": resolved_by, "resolved_role": resolved_role, "note": note}
    done = session.execute(statement.values(**values).returning(_exception.c.exception_id))
    return done.first() is not None


def resolve_of(
    session: Session,
    kind: str,
    subject_ids: Sequence[str],
    *,
    resolved_by: str,
    resolved_role: str,
    note: str,
    now: datetime,
) -> list[BusinessException]:
    """Resolve the open exceptions of a kind that these subjects have; gives them, resolved."""
    if not subject_ids:
        return []
    statement = update(_exception).where(_exception.c.kind == kind, _exception.c.subject_id.in_(subject_ids), _IS_OPEN)
    values = {"resolved_at": now, "resolved_by": resolved_by, "resolved_role": resolved_role, "note": note}
    rows = session.execute(statement.values(**values).returning(*_exception.c)).mappings()
    return [BusinessException(**row) for row in rows]


def _listed(scope: Scope) -> Select[Any]:
    query = select(*_exception.c, col(OrderRow.number), col(OrderRow.customer_name))
    return query.join(OrderRow, col(OrderRow.order_id) == _exception.c.order_id).where(within(scope))


def _of(row: Row[Any]) -> ListedException:
    return ListedException(BusinessException(*row[: len(_COLUMNS)]), *row[len(_COLUMNS) :])
