"""The clearance: what the order's workflow asks whenever somebody may have decided, and letting an order go on."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.orders.domain.clearance import Clearance, clearance
from services.orders.domain.holds import remaining
from services.orders.domain.order import IN_REVIEW
from services.orders.order.aggregate import Actor, OrderAggregate, advance, read


def read_clearance(session: Session, order_id: str) -> Clearance:
    """The clearance now; NotFound for an order that does not exist."""
    return of_aggregate(read(session, order_id))


def of_aggregate(aggregate: OrderAggregate) -> Clearance:
    """The clearance of an order as it was read, and whom it waits for as its page says."""
    is_held = bool(remaining(aggregate.holds))
    return clearance(aggregate.order, aggregate.asked, aggregate.standing.waiting_for, is_held=is_held)


def clear_if_unblocked(session: Session, aggregate: OrderAggregate, actor: Actor, now: datetime) -> OrderAggregate:
    """Clear an order in review that nothing keeps any more: no open hold, no review that stands, no change on its way.

    Whoever takes the last of them away calls this, in the same transaction; an order that something still keeps stays as it is.
    """
    return advance(session, aggregate, "clear", actor, now) if is_unblocked(aggregate) else aggregate


def is_unblocked(aggregate: OrderAggregate) -> bool:
    """Whether an order in review has nothing left that keeps it."""
    in_review = aggregate.order.phase == IN_REVIEW
    return in_review and not remaining(aggregate.holds) and not aggregate.asked.is_anything
