"""The plant's answers on lines that it makes: the day they can be ready, and what sales and the customer hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlmodel import Session

from services.kernel.clock import business_day
from services.kernel.errors import InvalidArgument
from services.orders.approvals import assignees, holds
from services.orders.domain import mails
from services.orders.domain.mails import Contacts, Promise
from services.orders.domain.order import Line, Order
from services.orders.domain.reviews import APPROVE, Decision, Step
from services.orders.order import order_versions, outbox
from services.orders.order.aggregate import OrderAggregate
from services.orders.policies import calendars, versions
from services.orders.store import masterdata as master_store
from services.orders.store import reviews as store

MANUFACTURING_REFUSED = "MANUFACTURING_REFUSED"
MADE_TO_ORDER = "build_to_order"


def ready_day(session: Session, aggregate: OrderAggregate, step: Step, asked: date | None, now: datetime) -> date:
    """The day an approval promises: what the plant names, else what its calendar allows; never one that has passed."""
    policy = versions.policy_in_force(session)
    today = business_day(now, calendars.of_plant(policy).time_zone)
    if asked is not None:
        if asked < today:
            raise InvalidArgument("READY_DAY_PAST", f"the plant cannot be ready on {asked}: it is {today} there")
        return asked
    line = _line(_asked_about(session, aggregate), step)
    return assignees.earliest_on(session, policy, line, step, now) if line is not None else today


def answered(
    session: Session, aggregate: OrderAggregate, step: Step, decision: Decision, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """Keep the confirmed day as the line's promise, or a hold of sales for a line that is refused; sales is told."""
    order = aggregate.order
    line = _line(_asked_about(session, aggregate), step)
    customer = master_store.customer(session, order.customer_id)
    if line is not None:
        readers = mails.of_sales(customer, contacts)
        mail = mails.manufacturing_answered(
            line, readers, requested_on=order.requested_on, ready_on=decision.ready_on, note=decision.note
        )
        outbox.mail(session, order, mail, now)
    if decision.decision != APPROVE:  # only of an order: what is refused of a change ends the change
        what = line.sku if line is not None else "the order"
        reason = f"Manufacturing cannot make {what}: {decision.note}"
        return holds.place(session, aggregate, MANUFACTURING_REFUSED, "manufacturing", "sales_rep", reason, now)
    ready = store.ready_days(session, order.order_id)
    return replace(aggregate, promises=promised(order, aggregate.promises, ready))


def promised(order: Order, promises: Sequence[Promise], ready: dict[str, date]) -> tuple[Promise, ...]:
    """The promises with the plant's days: a line that it confirmed is never promised before that day."""
    named = {promise.line_id for promise in promises}
    kept = [_not_before(promise, ready.get(promise.line_id)) for promise in promises]
    added = [
        Promise(line.line_id, line.quantity, ready[line.line_id].isoformat())
        for line in order.lines
        if line.quantity and line.line_id in ready and line.line_id not in named
    ]
    return (*kept, *added)


def with_plant_days(session: Session, order: Order, promises: Sequence[Promise]) -> tuple[Promise, ...]:
    """The promises of a saga with the plant's days; an order that nothing is made for asks the database nothing."""
    if not any(line.kind == MADE_TO_ORDER for line in order.lines):
        return tuple(promises)
    return promised(order, promises, store.ready_days(session, order.order_id))


def _not_before(promise: Promise, ready_on: date | None) -> Promise:
    if ready_on is None:
        return promise
    return replace(promise, promised_on=max(promise.promised_on, ready_on.isoformat()))


def _asked_about(session: Session, aggregate: OrderAggregate) -> Order:
    """The order that the plant is asked about: as it is, or as the change under review will make it."""
    review = aggregate.asked.review
    if review is None or not review.change_id:
        return aggregate.order
    return order_versions.changed_order(session, aggregate.order_id, review.change_id).order


def _line(order: Order, step: Step) -> Line | None:
    return next((line for line in order.lines if line.line_id == step.line_id), None)
