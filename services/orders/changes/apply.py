"""Settling change orders: what the saga asks between a change that was agreed and the version that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.orders.approvals.clearance import of_aggregate
from services.orders.approvals.holds import hold_for, lift_idle
from services.orders.approvals.money import with_money
from services.orders.changes import cancel_units, silence
from services.orders.changes.consent import end
from services.orders.changes.determine_tax import rejected
from services.orders.changes.make_version import make, notify, owe_signals
from services.orders.changes.next_version import NextVersion, decided, undecided
from services.orders.changes.propose import logged
from services.orders.changes.rereview import rereviewed
from services.orders.domain.amendment import Obstacle, below_minimum, invoiced_unheard
from services.orders.domain.changes import (
    AGREED,
    APPLIED,
    AWAITING_WAREHOUSE,
    ChangeOrder,
    move,
)
from services.orders.domain.clearance import Clearance
from services.orders.domain.facts import RecallAnswered
from services.orders.domain.mails import Contacts
from services.orders.domain.order import ACCEPTED, IN_REVIEW, Order
from services.orders.domain.policies import BLOCK, HOLD, Violation, planned_holds
from services.orders.domain.verdicts import beyond, carried, held_codes, key_of
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_asked, read_for_change, restate
from services.orders.order.change_orders import find_change
from services.orders.order.charged_fees import ChargedFee, charged_fee
from services.orders.policies import evaluate
from services.orders.policies.engine import Credit
from services.orders.policies.recheck import ChangedFacts
from services.orders.store import changes, versions

WORKFLOW = Actor("workflow", "service")
_OURS = ("credit", "margin", "cost", "overdue")
"""What a rule looks at that customers read nothing of."""
_PICKED = "the warehouse has picked or shipped already what the change takes away"


@dataclass(frozen=True, slots=True)
class Applied:
    """The order after a change was applied, or as it stays when it could not be; `reason` says why.

    It `frees_cash` where units were cancelled: what is held for it may be more than it comes to; `fee` is what that costs, and the
    customer `keeps_cash` with us where that was agreed.
    """

    is_applied: bool
    reason: str
    version: int
    total: Money
    is_ship_complete: bool
    clearance: Clearance
    frees_cash: bool = False
    fee: ChargedFee | None = None
    keeps_cash: bool = False


def apply(
    session: Session,
    order_id: str,
    change_id: str,
    credit: Credit,
    contacts: Contacts,
    now: datetime,
    invoiced: Mapping[str, int] = MappingProxyType({}),
    invoice_count: int | None = None,
) -> Applied:
    """Make an agreed change the next version; a change that was applied or has ended before gives the order as it stands.

    What has been picked meanwhile, a rule that blocks by now, or money that an accepted order which grows does not have, rejects it;
    so does an invoice that was not heard of yet, by what billing has `invoiced`. `invoice_count` is as in cancel_units.apply().
    """
    before = read_for_change(session, order_id)
    change = before.asked.change
    if change is None or change.change_id != change_id:
        change = find_change(session, order_id, change_id)
    if change.state != AGREED:
        why = "" if change.state == APPLIED else change.ended_reason or f"the change is {change.state}"
        return _outcome(session, before, why, change)
    if change.is_cancellation:
        after, why = cancel_units.apply(
            session, before, change, credit, contacts, now, invoiced=invoiced, invoice_count=invoice_count
        )
        return _outcome(session, after, why, change)
    becomes = versions.becomes(session, before.order, change_id)
    before, credit = with_money(before, credit, becomes.totals.total)
    following = _next_version(session, before, becomes, credit, now)
    blocked = () if change.is_determination else _blocked(before, change, following)
    why = _obstacle(before, following.order, credit, (*invoiced_unheard(before.progress, invoiced), *blocked))
    if why:
        for_customer = _for_customer(before, following, blocked)
        after = end(session, before, change, "reject", why, WORKFLOW, contacts, now, customer_reason=for_customer)
        return _outcome(session, restate(session, after, now), why, change)
    known = decided(session, before.order)
    said, unasked = _divided(before, change, following, known)
    policy = following.evaluation.policy
    after = make(session, before, change, following.order, policy.version, said, now)
    blocks = [one for one in following.evaluation.violations if one.severity == BLOCK]
    if change.is_determination and blocks:
        after = rejected(session, after, blocks, WORKFLOW, now)
    elif after.order.phase == IN_REVIEW:
        after = rereviewed(session, after, change, following.evaluation, known, contacts, now)
    else:
        open_questions = ChangedFacts(following.evaluation, unasked, frozenset(map(key_of, said)))
        after = lift_idle(session, hold_for(session, after, open_questions, contacts, now), now)
    after = restate(session, after, now)
    note_event(session, before, after, WORKFLOW, "change_applied", now, why=change.request.reason, more=logged(change))
    notify(session, before, after, change, contacts, now)
    owe_signals(session, before, after, change, now)
    return _outcome(session, after, "", change)


def _next_version(
    session: Session, before: OrderAggregate, becomes: Order, credit: Credit, now: datetime
) -> NextVersion:
    """The version with an evaluation of this moment: facts may have aged since it was agreed. Only blocks still stop it."""
    evaluation = evaluate.evaluate(session, becomes, credit, now)
    said = [one for one in evaluation.violations if one.severity == BLOCK]
    known = decided(session, before.order) if said else ()
    return NextVersion(becomes, evaluation, undecided(session, before.order, said, known, now))


def _blocked(before: OrderAggregate, change: ChangeOrder, following: NextVersion) -> Sequence[Obstacle]:
    """What a BLOCK of the rules keeps from being made by now; of an order that is about to be cleared all that is said."""
    if before.order.phase != IN_REVIEW:
        return following.obstacles(is_material=change.is_material)
    said = following.evaluation.violations
    return [Obstacle(one.code, one.message, one.line_id) for one in said if one.severity == BLOCK]


def _obstacle(before: OrderAggregate, becomes: Order, credit: Credit, blocked: Sequence[Obstacle]) -> str:
    """Why the change cannot be applied any more; empty when it can."""
    found = [one.sentence for one in below_minimum(before.order, becomes, before.progress)]
    is_larger = becomes.totals.total > before.order.totals.total
    if before.order.phase == ACCEPTED and is_larger and not credit.is_granted and not becomes.is_paid_at_till:
        cover = "credit does" if becomes.payment_method == "terms" else "cash and credit do"
        found.append(f"the customer's {cover} not cover the changed order")
    found += [one.sentence for one in blocked]
    return "; ".join(dict.fromkeys(found))


def _for_customer(before: OrderAggregate, following: NextVersion, blocked: Sequence[Obstacle]) -> str:
    """Of these obstacles what a customer may read: what is picked or shipped, and rules that look at nothing of ours."""
    found = [one.sentence for one in below_minimum(before.order, following.order, before.progress)]
    rules = following.evaluation.policy.rules
    ours = {rule.code for rule in rules if any(word in rule.when for word in _OURS)}
    found += [one.sentence for one in blocked if one.code not in ours]
    return "; ".join(dict.fromkeys(found))


def _divided(
    before: OrderAggregate, change: ChangeOrder, following: NextVersion, known: Sequence[Violation]
) -> tuple[tuple[Violation, ...], tuple[Violation, ...]]:
    """What the rules say of the new version as decided (before, by the change's review, or by the holds it is about to get), and
    what holds an accepted order at it: what came up only now, so that nobody was asked about it, and what a rule blocks.
    """
    evaluation = following.evaluation
    said = carried(
        evaluation.violations, known, held_codes(before.holds, [rule.code for rule in evaluation.policy.rules])
    )
    if before.order.phase == IN_REVIEW:
        return said, ()
    steps = [step for one in before.asked.reviews if one.change_id == change.change_id for step in one.steps]
    reviewed = {reason for step in steps for reason in step.reasons}
    new = [one for one in beyond(said, known) if one.severity == HOLD]
    codes = {plan.code for plan in planned_holds(new) if plan.reason not in reviewed}
    unasked = frozenset(one for one in new if one.code in codes)
    held = tuple(one for one in said if one in unasked or one.severity == BLOCK)
    return tuple(one for one in said if one not in unasked), held


def record(
    session: Session, order_id: str, change_id: str, verb: str, reason: str, contacts: Contacts, now: datetime
) -> Clearance:
    """Note that the warehouse was asked (recall), or that the change cannot come about (reject).

    What has been noted before, and a warehouse that was quicker with its answer, change nothing.
    """
    before = read_for_change(session, order_id)
    change = find_change(session, order_id, change_id)
    if verb == "recall":
        after = _recall_asked(session, before, change, now)
    elif verb == "reject":
        after = _rejected(session, before, change, reason, contacts, now)
    else:
        raise InvalidArgument("VERB_UNKNOWN", f"{verb[:40]!r} is nothing to record of a change: recall or reject")
    return of_aggregate(restate(session, after, now))


def _recall_asked(session: Session, before: OrderAggregate, change: ChangeOrder, now: datetime) -> OrderAggregate:
    if change.state != AGREED or change.is_recalled:
        return before
    silence.begin(session, change, now)
    after = replace(before, asked=read_asked(session, before.order_id))
    note_event(session, before, after, WORKFLOW, "change_recall_asked", now, more=logged(change))
    return after


def _rejected(
    session: Session, before: OrderAggregate, change: ChangeOrder, reason: str, contacts: Contacts, now: datetime
) -> OrderAggregate:
    if not change.is_pending:
        return before
    for_customer = reason if change.is_cancellation else _PICKED
    return end(session, before, change, "reject", reason, WORKFLOW, contacts, now, customer_reason=for_customer)


def recall_answered(
    session: Session, before: OrderAggregate, answer: RecallAnswered, actor: Actor, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """The warehouse has answered for a change: what was released is given back, or the change is rejected.

    A cancellation waits for the answers of all its shipments, and goes on without what one of them keeps. The answer may overtake the
    note that it was asked for. A change that has ended stays as it is; the caller restates.
    """
    found = [one for one in changes.of_order(session, before.order_id) if one.change_id == answer.change_id]
    if not found or found[0].state not in (AGREED, AWAITING_WAREHOUSE) or found[0].is_recalled:
        return before
    change = found[0]
    if answer.waiting:
        return before
    if not answer.is_acknowledged and not change.is_cancellation:
        why = answer.reason or "the warehouse cannot give back what was released"
        return end(session, before, change, "reject", why, actor, contacts, now, customer_reason=_PICKED)
    state = move(change.state, "acknowledge") if change.state == AWAITING_WAREHOUSE else change.state
    changes.alter(session, change.change_id, {"state": state, "is_recalled": True})
    silence.end(session, change, silence.ANSWERED, now)
    after = replace(before, asked=read_asked(session, before.order_id))
    note_event(session, before, after, actor, "change_recalled", now, more=logged(change))
    return after


def _outcome(session: Session, aggregate: OrderAggregate, why: str, change: ChangeOrder) -> Applied:
    order = aggregate.order
    is_cancelled = change.is_cancellation and not why
    return Applied(
        not why,
        why,
        order.version,
        order.totals.total,
        order.is_ship_complete,
        of_aggregate(aggregate),
        frees_cash=is_cancelled,
        fee=charged_fee(session, order, change.change_id) if is_cancelled else None,
        keeps_cash=change.request.keeps_cash,
    )
