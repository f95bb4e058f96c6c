"""Clearing a release: the rules are asked again before goods of an accepted order go to a warehouse later than its acceptance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.approvals.clearance import of_aggregate
from services.orders.approvals.holds import expire, hold_if_changed
from services.orders.domain.clearance import CLEARED, Clearance
from services.orders.domain.mails import Contacts
from services.orders.domain.order import ACCEPTED
from services.orders.order.aggregate import read_for_change


@dataclass(frozen=True, slots=True)
class ClearedRelease:
    """Whether goods may go, and the clearance afterwards."""

    is_clear: bool
    clearance: Clearance


def clear_release(session: Session, order_id: str, contacts: Contacts, now: datetime) -> ClearedRelease:
    """Hold the order for what has changed since, and say whether anything may be released.

    What is with the warehouses goes on. Nothing of an order with open holds, and nothing of one that is not accepted, is clear.
    """
    aggregate = read_for_change(session, order_id)
    if aggregate.order.phase == ACCEPTED:
        aggregate = expire(session, hold_if_changed(session, aggregate, contacts, now), contacts, now)
    found = of_aggregate(aggregate)
    return ClearedRelease(found.state == CLEARED, found)
