"""Evaluating a new version of an order in review: which holds keep it, which are asked again, and its review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.orders.approvals import plan_review
from services.orders.approvals.clearance import clear_if_unblocked
from services.orders.approvals.holds import notify_owners, rephrase
from services.orders.approvals.holds import planned as new_holds
from services.orders.domain.changes import ChangeOrder
from services.orders.domain.holds import TAX_UNDETERMINED, remaining, rule_of
from services.orders.domain.mails import Contacts
from services.orders.domain.policies import EXCHANGE_RATE_MISSING, HOLD, Violation, planned_holds
from services.orders.domain.policy_text import POLICY_ERROR
from services.orders.domain.reviews import CHANGES_REQUESTED
from services.orders.domain.verdicts import beyond
from services.orders.order import exceptions
from services.orders.order.aggregate import Actor, OrderAggregate
from services.orders.policies.evaluate import Evaluation
from services.orders.store import holds

APPLIER = Actor("validation", "service")


def rereviewed(
    session: Session,
    aggregate: OrderAggregate,
    change: ChangeOrder,
    evaluation: Evaluation,
    known: Sequence[Violation],
    contacts: Contacts,
    now: datetime,
) -> OrderAggregate:
    """The order, already at its new version, with the holds and the review that this version needs; it may go on by that.

    After a material change no approval counts; after another one what still suffices is kept. A hold that was released stays so for
    what it was released for. `known` is what the rules had said of the version before. The caller restates. An order whose tax nobody
    knows waits for that first.
    """
    if aggregate.order.taxation.is_pending:
        return aggregate
    after = _replaced_holds(session, aggregate, change, evaluation, known, contacts, now)
    planned = plan_review.plan(session, after.order, evaluation, now)
    review = after.asked.review
    if change.is_material or (review is not None and review.state == CHANGES_REQUESTED):
        after = plan_review.void_review(session, after, now, f"version {change.to_version} replaced what was reviewed")
        if planned is not None:
            after = plan_review.open_review(session, after, planned, contacts, now)
    else:
        after = plan_review.rebind_review(session, after, planned, contacts, now)
    return clear_if_unblocked(session, after, APPLIER, now)


def _replaced_holds(
    session: Session,
    aggregate: OrderAggregate,
    change: ChangeOrder,
    evaluation: Evaluation,
    known: Sequence[Violation],
    contacts: Contacts,
    now: datetime,
) -> OrderAggregate:
    """Holds that stay justified stay, those that lost their cause are released, and what goes beyond the decided is asked again.

    What no rule placed, such as a refusal of the plant, loses its cause only where everybody is asked again.
    """
    rules = [rule.code for rule in evaluation.policy.rules]
    said = [one for one in evaluation.violations if one.severity == HOLD]
    wanted = {one.code for one in said}
    ruled = {POLICY_ERROR, EXCHANGE_RATE_MISSING, TAX_UNDETERMINED, *rules}
    standing = {hold: rule_of(hold.code, rules) for hold in remaining(aggregate.holds)}
    freed = [
        hold.hold_id for hold, rule in standing.items() if rule not in wanted and (change.is_material or rule in ruled)
    ]
    note = f"version {change.to_version} has removed its cause"
    holds.release(session, freed, released_by=APPLIER.who, released_role=APPLIER.role, note=note, now=now)
    exceptions.resolve_of_holds(session, freed, note, now)
    rephrase(session, aggregate.holds, said, rules)
    new = beyond([one for one in said if one.code not in standing.values()], known)
    placed = new_holds(session, aggregate.order, planned_holds(new), now)
    holds.add(session, placed)
    if placed:
        notify_owners(session, aggregate, placed, contacts, now)
    return replace(aggregate, holds=holds.of_order(session, aggregate.order_id))
