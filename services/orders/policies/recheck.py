"""Rules asked again: what has become wrong with an order while it waited for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.order import Order
from services.orders.domain.policies import BLOCK, HOLD, Violation
from services.orders.policies import evaluate
from services.orders.policies.engine import CREDIT_NOT_ASKED
from services.orders.store import holds as store


@dataclass(frozen=True, slots=True)
class ChangedFacts:
    """Violations of rules that block or hold, and that had nothing to say of this version before."""

    policy_version: int
    violations: tuple[Violation, ...]


def changed_facts(session: Session, order: Order, now: datetime) -> ChangedFacts:
    """What the rules say today and did not say before. Credit is not asked: the workflow asks billing by itself."""
    evaluation = evaluate.evaluate(session, order, CREDIT_NOT_ASKED, now)
    known = {(one.code, one.line_id) for one in store.violations_of(session, order.order_id)}
    new = tuple(
        one for one in evaluation.violations if one.severity in (BLOCK, HOLD) and (one.code, one.line_id) not in known
    )
    return ChangedFacts(evaluation.policy.version, new)


def still_blocks(session: Session, order: Order, code: str, now: datetime) -> str:
    """The sentence of a rule that still blocks the order, by the code of the hold it left; empty when it is content."""
    for one in evaluate.evaluate(session, order, CREDIT_NOT_ASKED, now).violations:
        if one.severity == BLOCK and (code == one.code or code.startswith(f"{one.code}_")):
            return one.message
    return ""
