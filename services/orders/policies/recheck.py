"""Rules asked again: what they say of an order today that they did not say of this version before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.holds import rule_of
from services.orders.domain.order import Order
from services.orders.domain.policies import BLOCK, HOLD, Violation
from services.orders.domain.verdicts import Key, beyond, figured, key_of
from services.orders.policies import evaluate
from services.orders.policies.engine import CREDIT_NOT_ASKED
from services.orders.policies.evaluate import Evaluation
from services.orders.store import holds as store


@dataclass(frozen=True, slots=True)
class ChangedFacts:
    """The evaluation of today, and its violations that block, or that hold and go beyond what was decided.

    `kept` are those of this version that are kept already.
    """

    evaluation: Evaluation
    violations: tuple[Violation, ...]
    kept: frozenset[Key]


def changed_facts(session: Session, order: Order, now: datetime, evaluation: Evaluation | None = None) -> ChangedFacts:
    """What the rules say today that nobody has decided of this version. Credit is not asked: the workflow asks billing by itself.

    A rule that holds was decided for what it spoke of before: more of it is new. What a rule blocks nobody decides away.
    `evaluation` is that of now where the caller has it.
    """
    evaluation = evaluation or evaluate.evaluate(session, order, CREDIT_NOT_ASKED, now)
    said = [one for one in evaluation.violations if one.severity in (BLOCK, HOLD)]
    kept = store.violations_of(session, order.order_id)
    known = figured([one for one in kept if one.severity != BLOCK], order)
    return ChangedFacts(evaluation, beyond(said, known), frozenset(map(key_of, kept)))


def still_blocks(evaluation: Evaluation, code: str) -> str:
    """The sentence of a rule that still blocks the order, by the code of the hold it left; empty when it is content."""
    rule = rule_of(code, [rule.code for rule in evaluation.policy.rules])
    said = (one.message for one in evaluation.violations if one.severity == BLOCK and one.code == rule)
    return next(said, "")
