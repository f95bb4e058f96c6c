"""What was promised, kept in the ledger in the transaction that promises, delivers or ends; and who is told when a day slips."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.calendars import Calendar
from services.kernel.clock import business_day
from services.orders.domain import mails, promises
from services.orders.domain.calendar_rules import BUSINESS, WAREHOUSE
from services.orders.domain.facts import ShipmentChanged
from services.orders.domain.mails import Contacts, Promise
from services.orders.domain.policies import Policy
from services.orders.domain.projection import LineProgress
from services.orders.domain.promise_ledger import LedgerChange, follow, settle
from services.orders.order import outbox
from services.orders.order.aggregate import OrderAggregate
from services.orders.policies import calendars, versions
from services.orders.store import masterdata
from services.orders.store import promises as store


def working_days(policy: Policy) -> Calendar:
    """The days that goods move on: the policy's calendar `warehouse`, else its business days."""
    rule = policy.calendar(WAREHOUSE) or policy.calendar(BUSINESS)
    if rule is None:
        raise AssertionError("a policy has business days")
    return calendars.made_of(rule)


def dated(
    session: Session, aggregate: OrderAggregate, given: Collection[Promise], now: datetime
) -> tuple[Promise, ...]:
    """The promises of a saga with the days of units that wait; what their customer was told of them stays."""
    if not any(one.is_waiting for one in given):
        return tuple(given)
    calendar = working_days(versions.policy_in_force(session))
    return promises.dated(given, aggregate.promises, calendar, business_day(now, calendar.time_zone))


def moved(session: Session, before: OrderAggregate, after: OrderAggregate, now: datetime) -> OrderAggregate:
    """The aggregate with the days that supply has now."""
    if not after.promises:
        return after
    calendar = working_days(versions.policy_in_force(session))
    today = business_day(now, calendar.time_zone)
    return replace(after, promises=promises.moved(after.promises, before.progress, after.progress, calendar, today))


def promise(
    session: Session, after: OrderAggregate, given_by: str, contacts: Contacts | None, now: datetime
) -> OrderAggregate:
    """Keep what an accepted order is promised now; with `contacts` people are told of days that slip, once."""
    if after.order.accepted_at is None:
        return after
    if contacts is not None:
        after = _notify_slipped(session, after, contacts, now)
    kept, done = store.standing_of(session, after.order_id)
    change = follow(kept, after.promises, done)
    _record(session, after, change, given_by, now)
    return after


def _record(session: Session, after: OrderAggregate, change: LedgerChange, given_by: str, now: datetime) -> None:
    if change != LedgerChange():
        skus = {line.line_id: line.sku for line in after.order.lines}
        store.record(session, after.order_id, skus, change, given_by, now)


def _notify_slipped(session: Session, after: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    if not any(one.is_waiting and one.notified_on and one.notified_on != one.promised_on for one in after.promises):
        return after
    slips = promises.slipped(after.promises, versions.policy_in_force(session).promises.slip_tolerance_days)
    if not slips or after.order.has_ended:
        return after
    customer = masterdata.customer(session, after.order.customer_id)
    outbox.mail(session, after.order, mails.backorder_delayed(after.order, customer, contacts, slips), now)
    return replace(after, promises=promises.notified(after.promises, slips))


def deliver(
    session: Session, before: OrderAggregate, after: OrderAggregate, detail: ShipmentChanged, now: datetime
) -> None:
    """What a delivery keeps or breaks: the units of each line that this fact tells of for the first time."""
    units = {
        line_id: line.delivered - before.progress.lines.get(line_id, LineProgress()).delivered
        for line_id, line in after.progress.lines.items()
    }
    news = {line_id: count for line_id, count in units.items() if count > 0}
    if not news:
        return
    calendar = working_days(versions.policy_in_force(session))
    at = datetime.fromisoformat(detail.shipment.delivered_at) if detail.shipment.delivered_at else now
    day = business_day(at, calendar.time_zone).isoformat()
    kept, _ = store.standing_of(session, after.order_id)
    ended = settle(kept, news, detail.shipment.promised_on, day)
    _record(session, after, LedgerChange(ended=ended), "", now)
