"""The figures above the list of orders: what waits, for how long, how well stock served, and what was earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from services.orders.domain.access import Scope
from services.orders.domain.dashboard import Margin, Service, Waiting
from services.orders.store import dashboard as store
from services.runtime import sessions

PERIOD = timedelta(days=30)
"""How far service and margins look back."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts and sums over the orders of a scope.

    `held` counts orders that wait for somebody's agreement: for each age asked for, those younger than it, and last all of them.
    """

    waiting: Waiting
    held: tuple[int, ...]
    service: Service
    margins: tuple[Margin, ...]


def read_figures(
    session: Session,
    scope: Scope,
    roles: Sequence[str],
    ages: Sequence[timedelta],
    now: datetime,
    *,
    with_margins: bool,
) -> Figures:
    """The figures at this moment; `roles` are those whose waiting orders are counted one by one."""
    since = now - PERIOD
    return Figures(
        waiting=store.waiting(session, scope, roles, sessions.business_day(session, now)),
        held=tuple(store.held_since(session, scope, [now - age for age in ages])),
        service=store.service_since(session, scope, since),
        margins=tuple(store.margins_since(session, scope, since)) if with_margins else (),
    )
