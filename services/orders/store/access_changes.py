"""What was done to people's rights and passwords: rows are only added."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlmodel import Session, col

from services.orders.domain.people import AccessChange
from services.orders.models import AccessChangeRow

_MEMBERS = ("change_id", "occurred_at", "who", "sub", "what", "detail")


def add(session: Session, change: AccessChange) -> None:
    """Keep what somebody did."""
    session.execute(insert(AccessChangeRow).values(**{name: getattr(change, name) for name in _MEMBERS}))


def page(session: Session, *, sub: str = "", after: str = "", limit: int = 100) -> list[AccessChange]:
    """What was done, oldest first, behind `after`; to or by one person when a subject is given."""
    query = select(AccessChangeRow).where(col(AccessChangeRow.change_id) > after)
    if sub:
        query = query.where((col(AccessChangeRow.sub) == sub) | (col(AccessChangeRow.who) == sub))
    rows = session.scalars(query.order_by(col(AccessChangeRow.change_id)).limit(limit))
    return [AccessChange(**{name: getattr(row, name) for name in _MEMBERS}) for row in rows]
