"""The customer's other orders that count together with one under review, so that nobody splits an order to stay below a limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from services.orders.domain.access import Scope
from services.orders.domain.order import NEVER_CAME, Order
from services.orders.domain.overview import OverviewFilter, OverviewRow
from services.orders.overview import listing
from services.orders.policies import versions

_MOST = 50


@dataclass(frozen=True, slots=True)
class Combined:
    """The orders within so many hours of one; `has_more` when there are others that are not listed."""

    hours: int
    rows: tuple[OverviewRow, ...]
    has_more: bool = False


def combined_orders(session: Session, order: Order, scope: Scope) -> Combined:
    """Those in the order's currency that came about, newest first."""
    hours = versions.policy_in_force(session).window_hours
    if not hours:
        return Combined(0, ())
    span = timedelta(hours=hours)
    wanted = OverviewFilter(
        customer_id=order.customer_id,
        placed_from=order.placed_at - span,
        placed_to=order.placed_at + span + timedelta(microseconds=1),
    )
    page = listing.list_orders(session, scope, wanted, limit=_MOST, cursor="")
    return Combined(hours, tuple(row for row in page.rows if _counts(row, order)), bool(page.next_cursor))


def _counts(row: OverviewRow, order: Order) -> bool:
    return row.number != order.number and row.total.currency == order.currency and row.phase not in NEVER_CAME
