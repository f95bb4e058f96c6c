"""The list of all orders over every channel, as far as a scope shows."""

from __future__ import annotations

from sqlmodel import Session

from services.orders.domain.access import Scope
from services.orders.domain.overview import OverviewFilter, OverviewPage
from services.orders.overview import filters
from services.orders.store import overview as store


def list_orders(
    session: Session, scope: Scope, wanted: OverviewFilter, *, sort: str = "-placed_at", limit: int, cursor: str
) -> OverviewPage:
    """A page of orders; InvalidArgument FILTER_UNKNOWN, SORT_UNKNOWN or CURSOR_INVALID. `placed_to` is exclusive."""
    filters.check(session, wanted)
    return store.overview(session, scope, wanted, sort=sort, limit=limit, cursor=cursor)


def count_by_status(session: Session, scope: Scope) -> dict[str, int]:
    """Status word → how many orders show it."""
    return store.count_by_status(session, scope)
