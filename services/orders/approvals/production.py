"""How far production of an order's lines is, as far as the plant's answers and the calendar say, and what cancelling them costs."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from services.kernel.calendars import before_working_days
from services.kernel.clock import business_day
from services.orders.domain.fees import BUILD_TO_ORDER, FeeTerms
from services.orders.domain.order import ACCEPTED, Order
from services.orders.domain.policies import Policy
from services.orders.order.aggregate import OrderAggregate
from services.orders.policies import calendars, versions
from services.orders.store import masterdata
from services.orders.store import reviews as store


def fee_terms(session: Session, aggregate: OrderAggregate, waived_reason: str, now: datetime) -> FeeTerms | None:
    """What cancelling costs now by the policy in force; an order that nothing is built for asks the database nothing."""
    order = aggregate.order
    if not any(line.kind == BUILD_TO_ORDER and line.quantity for line in order.lines):
        return None
    policy = versions.policy_in_force(session)
    if policy.cancellation_fees.is_none:
        return None
    started = frozenset(_started(session, policy, order, now)) if order.phase == ACCEPTED else frozenset()
    return FeeTerms(policy.cancellation_fees, started, waived_reason)


def _started(session: Session, policy: Policy, order: Order, now: datetime) -> list[str]:
    """Lines whose production must have begun: the plant's confirmed day less the product's lead time has come."""
    ready: dict[str, date] = store.ready_days(session, order.order_id)
    products = masterdata.products_of(session, [line.sku for line in order.lines if line.line_id in ready])
    calendar = calendars.of_plant(policy)
    today = business_day(now, calendar.time_zone)
    lead = {sku: product.lead_days for sku, product in products.items()}
    return [
        line.line_id
        for line in order.lines
        if line.line_id in ready and before_working_days(calendar, ready[line.line_id], lead.get(line.sku, 0)) <= today
    ]
