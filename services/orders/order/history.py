"""The history of an order: its event log, as pages and followers read it."""

from __future__ import annotations

from sqlmodel import Session

from services.orders.domain.access import Scope
from services.orders.domain.events import Event
from services.orders.store import events as store


def read_history(session: Session, order_id: str, scope: Scope, *, after: int = 0, limit: int) -> list[Event]:
    """Events of an order that the scope shows, oldest first, behind the number `after`."""
    return store.of_order(session, order_id, scope=scope, after=after, limit=limit)


def newest_sequence(session: Session, order_id: str) -> int:
    """The number of the newest event."""
    return store.newest_sequence(session, order_id)
