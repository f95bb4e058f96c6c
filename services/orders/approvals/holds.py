"""Placing a hold, telling whom it waits for, and its release: by the owner role alone, once; the last lets the order go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlmodel import Session

from services.kernel.errors import Refused
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.approvals import plan_review
from services.orders.approvals.clearance import clear_if_unblocked
from services.orders.domain import mails
from services.orders.domain.holds import CodedType, Hold, check_release, find_hold, remaining
from services.orders.domain.mails import NOBODY, Contacts
from services.orders.domain.order import Order
from services.orders.domain.policies import EXCHANGE_RATE_MISSING, PlannedHold, planned_holds
from services.orders.order import exceptions, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, check_version, note_event, read_for_change, restate
from services.orders.policies import evaluate, versions
from services.orders.policies.engine import Credit
from services.orders.store import holds as store
from services.orders.store import masterdata, people

HOLDS_RELEASED = "holds_released"
_CREDIT_NOT_ASKED = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
REVIEW_EXPIRED: Final = "review_expired"
"""The type of the hold that keeps an order whose review nobody decided; its release asks the review again."""


def release(
    session: Session,
    order_id: str,
    hold_id: str,
    caller: Caller,
    note: str,
    now: datetime,
    expected_version: int | None = None,
    contacts: Contacts = NOBODY,
) -> OrderAggregate:
    """Release one hold and give the order as it stands then.

    NotPermitted NOT_HOLD_OWNER for any other role than the hold's owner, admin included; Refused HOLD_ALREADY_RELEASED for a
    second release, VERSION_STALE when the caller has seen another version. With the last hold an order in review is accepted,
    unless a review or a change still keeps it, and its workflow is told. An expired review is asked again; what waited for an
    exchange rate is evaluated with it, which may hold it for other reasons.
    """
    before = read_for_change(session, order_id, caller.scope)
    hold = find_hold(before.holds, hold_id)
    check_release(hold, caller.principal.roles)
    check_version(before, expected_version)
    _check_has_rate(session, before.order, hold, now)
    actor = Actor(caller.principal.sub, hold.owner_role)
    store.release(session, [hold_id], released_by=actor.who, released_role=actor.role, note=note, now=now)
    after = replace(before, holds=store.of_order(session, order_id))
    is_asked_again = hold.hold_type == REVIEW_EXPIRED
    if is_asked_again:
        after = plan_review.reopen_review(session, after, contacts, now)
    if hold.code == EXCHANGE_RATE_MISSING:
        after = _with_amounts(session, after, contacts, now)
    is_last = not remaining(after.holds)
    after = restate(session, clear_if_unblocked(session, after, actor, now), now)
    more = {"hold": hold.code, "hold_type": hold.hold_type, "holds_left": len(remaining(after.holds))}
    note_event(session, before, after, actor, "hold_released", now, why=note, more=more)
    exceptions.resolve_of_holds(session, [hold_id], note, now)
    if is_last or is_asked_again:
        outbox.signal(session, order_id, HOLDS_RELEASED, now, subject_id=hold_id)
    return after


def _check_has_rate(session: Session, order: Order, hold: Hold, now: datetime) -> None:
    """What waits for an exchange rate does not go on without one: its amounts were compared with nothing."""
    if hold.code != EXCHANGE_RATE_MISSING:
        return
    if evaluate.amounts_of(session, versions.policy_in_force(session), order.currency, now) is None:
        raise Refused(EXCHANGE_RATE_MISSING, f"no exchange rate of {order.currency} is known yet: enter it first")


def _with_amounts(session: Session, aggregate: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    """What the rules that read amounts say, now that these can be compared: their holds and their review."""
    evaluation = evaluate.evaluate(session, aggregate.order, _CREDIT_NOT_ASKED, now)
    had = {hold.code for hold in aggregate.holds}
    plans = [plan for plan in planned_holds(evaluation.violations) if plan.code not in had]
    placed = [planned_hold(aggregate.order, plan, now) for plan in plans]
    store.add(session, placed)
    if placed:
        notify_owners(session, aggregate.order, placed, contacts, now)
    after = replace(aggregate, holds=store.of_order(session, aggregate.order_id))
    planned = plan_review.plan(session, after.order, evaluation, now)
    return plan_review.rebind_review(session, after, planned, contacts, now)


def place(
    session: Session,
    aggregate: OrderAggregate,
    code: str,
    hold_type: CodedType,
    owner_role: str,
    reason: str,
    now: datetime,
) -> OrderAggregate:
    """Place a hold on the order's version; a code that this version has had already is numbered on."""
    had = {hold.code for hold in aggregate.holds if hold.order_version == aggregate.order.version}
    free = next(
        name for number in range(1, len(had) + 2) if (name := f"{code}_{number}" if number > 1 else code) not in had
    )
    hold = planned_hold(aggregate.order, PlannedHold(free, hold_type, owner_role, reason), now)
    store.add(session, [hold])
    return replace(aggregate, holds=store.of_order(session, aggregate.order_id))


def planned_hold(order: Order, plan: PlannedHold, now: datetime) -> Hold:
    """A planned hold as one of the order's version in force."""
    return Hold(
        new_id("hold"), order.order_id, order.version, plan.code, plan.hold_type, plan.owner_role, plan.reason, now
    )


def notify_owners(session: Session, order: Order, placed: Sequence[Hold], contacts: Contacts, now: datetime) -> None:
    """Tell the customer, who sells to it and whoever may release one of the holds that were placed."""
    customer = masterdata.customer(session, order.customer_id)
    owned = [(hold.owner_role, hold.reason) for hold in placed]
    mail = mails.order_on_hold(order, customer, contacts, owned, people.of_company(session, ""))
    outbox.mail(session, order, mail, now)
