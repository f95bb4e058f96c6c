"""The plant's days put to the customer: a last day behind the requested one is a change that needs consent."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.orders.changes import propose
from services.orders.domain.mails import Contacts
from services.orders.domain.review_plan import MANUFACTURING
from services.orders.domain.reviews import OPEN, WAITING
from services.orders.order.aggregate import Actor, OrderAggregate
from services.orders.store import reviews as store


def propose_ready_date(
    session: Session, aggregate: OrderAggregate, actor: Actor, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """When the plant has answered every line of an order: a last day behind the requested one is asked of the customer."""
    review, order = aggregate.asked.review, aggregate.order
    if review is None or review.change_id or order.requested_on is None:
        return aggregate
    asked = [step for step in review.steps if step.role == MANUFACTURING and step.state in (OPEN, WAITING)]
    ready = store.ready_days(session, order.order_id)
    last = max((ready[line.line_id] for line in order.lines if line.line_id in ready), default=order.requested_on)
    if asked or last <= order.requested_on:
        return aggregate
    reason = f"It can be ready on {last}, not on {order.requested_on}."
    return propose.propose_date(session, aggregate, last, reason, actor, contacts, now)
