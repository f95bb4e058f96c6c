"""Validation: run every rule on a received order, keep all that they say, and decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.orders.approvals import plan_review
from services.orders.approvals.clearance import of_aggregate
from services.orders.approvals.holds import notify_owners, place, planned
from services.orders.approvals.money import with_money
from services.orders.changes.determine_tax import tax_hold_reason
from services.orders.domain import mails
from services.orders.domain.clearance import Clearance
from services.orders.domain.holds import TAX_HOLD, TAX_UNDETERMINED
from services.orders.domain.order import ACCEPTED, CLOSED, IN_REVIEW, RECEIVED
from services.orders.domain.policies import BLOCK, Violation, outcome, planned_holds, reasons
from services.orders.domain.replayed import Validated
from services.orders.domain.tax_engine import NOTHING_ASKED
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, OrderAggregate, advance, note_event, read_for_change, restate
from services.orders.policies import evaluate
from services.orders.policies.engine import Credit
from services.orders.store import holds as hold_store
from services.orders.store import masterdata as master_store
from services.orders.store import validations

VALIDATOR = Actor("validation", "service")
_VERBS = {"cleared": "clear", "held": "hold", "rejected": "reject"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """cleared, held or rejected; codes of the rules that spoke, BLOCK first; what was judged, with its holds."""

    outcome: str
    reasons: tuple[str, ...]
    evaluated: OrderAggregate

    @property
    def clearance(self) -> Clearance:
        """What stands between the order and its warehouses."""
        return of_aggregate(self.evaluated)


def validate(session: Session, order_id: str, credit: Credit, contacts: mails.Contacts, now: datetime) -> Verdict:
    """Decide a received order; an order that was decided before gives what was decided, and nothing changes."""
    before = read_for_change(session, order_id)
    if before.order.phase != RECEIVED:
        return _earlier_verdict(session, before)
    before, credit = with_money(before, credit, before.order.totals.total)
    evaluation = evaluate.evaluate(session, before.order, credit, now)
    violations = evaluation.violations
    if before.order.taxation.is_pending and outcome(violations) != "rejected":
        return _held_for_tax(session, before, now)
    hold_store.add_violations(
        session, order_id, before.order.version, evaluation.policy.version, violations, is_first=True
    )
    validations.keep(session, order_id, _validated(before.order.version, evaluation, credit, now))
    review = plan_review.plan(session, before.order, evaluation, now)
    decided = outcome(violations)
    if decided == "cleared" and review is not None:
        decided = "held"
    after = _place_holds(session, before, violations, now) if decided == "held" else before
    after = advance(session, after, _VERBS[decided], VALIDATOR, now)
    codes = reasons(violations)
    more = {"reasons": list(codes), "policy_version": evaluation.policy.version}
    why = ", ".join(codes) or ("a review is asked for" if review and decided == "held" else "")
    after = restate(session, after, now)
    note_event(session, before, after, VALIDATOR, f"order_{decided}", now, why=why, more=more)
    _notify(session, after, decided, violations, contacts, now)
    if review is not None and decided == "held":
        after = restate(session, plan_review.open_review(session, after, review, contacts, now), now)
    return Verdict(decided, codes, after)


def _validated(version: int, evaluation: evaluate.Evaluation, credit: Credit, now: datetime) -> Validated:
    figures = (credit.is_granted, credit.exposure_minor, credit.limit_minor, credit.card)
    return Validated(version, evaluation.policy.version, *figures, now)


def _held_for_tax(session: Session, before: OrderAggregate, now: datetime) -> Verdict:
    """Nobody knows what the order comes to: no rule is asked and nobody mailed, since the tax engine mostly answers in a moment."""
    after = advance(session, before, "hold", VALIDATOR, now)
    after = place(session, after, TAX_UNDETERMINED, TAX_HOLD, "accounting", tax_hold_reason(NOTHING_ASKED), now)
    after = restate(session, after, now)
    note_event(session, before, after, VALIDATOR, "order_held", now, why=TAX_UNDETERMINED)
    return Verdict("held", (TAX_UNDETERMINED,), after)


def _earlier_verdict(session: Session, aggregate: OrderAggregate) -> Verdict:
    phase = aggregate.order.phase
    decided = "cleared" if phase in (ACCEPTED, CLOSED) else ("held" if phase == IN_REVIEW else "rejected")
    codes = reasons(hold_store.violations_of(session, aggregate.order_id))
    return Verdict(decided, codes, aggregate)


def _place_holds(
    session: Session, aggregate: OrderAggregate, violations: tuple[Violation, ...], now: datetime
) -> OrderAggregate:
    holds = planned(session, aggregate.order, planned_holds(violations), now)
    hold_store.add(session, holds)
    return replace(aggregate, holds=holds)


def _notify(
    session: Session,
    aggregate: OrderAggregate,
    decided: str,
    violations: tuple[Violation, ...],
    contacts: mails.Contacts,
    now: datetime,
) -> None:
    """Holds and rejections are told at once; an acceptance waits for its promised dates."""
    order = aggregate.order
    if decided == "cleared":
        return
    if decided == "held" and aggregate.holds:
        notify_owners(session, aggregate, aggregate.holds, contacts, now)
    elif decided == "rejected":
        customer = master_store.customer(session, order.customer_id)
        sentences = [one.message for one in violations if one.severity == BLOCK]
        outbox.mail(session, order, mails.order_rejected(customer, list(dict.fromkeys(sentences))), now)
