"""Rules asked again: what they say of an order today that they did not say of this version before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.order import Order
from services.orders.domain.policies import BLOCK, HOLD, Violation
from services.orders.policies import evaluate
from services.orders.policies.engine import CREDIT_NOT_ASKED
from services.orders.policies.evaluate import Evaluation
from services.orders.store import holds as store

_NUMBER = re.compile(r"_[0-9]+$")
"""What a second hold of the same rule has behind its code."""


@dataclass(frozen=True, slots=True)
class ChangedFacts:
    """The evaluation of today, and its violations that block or hold and are new."""

    evaluation: Evaluation
    violations: tuple[Violation, ...]


def changed_facts(session: Session, order: Order, now: datetime) -> ChangedFacts:
    """What the rules say today and did not say before. Credit is not asked: the workflow asks billing by itself."""
    evaluation = evaluate.evaluate(session, order, CREDIT_NOT_ASKED, now)
    known = {(one.code, one.line_id) for one in store.violations_of(session, order.order_id)}
    new = tuple(
        one for one in evaluation.violations if one.severity in (BLOCK, HOLD) and (one.code, one.line_id) not in known
    )
    return ChangedFacts(evaluation, new)


def base_code(code: str) -> str:
    """The code of the rule that placed a hold, by the code of the hold."""
    return _NUMBER.sub("", code)


def still_blocks(session: Session, order: Order, code: str, now: datetime) -> str:
    """The sentence of a rule that still blocks the order, by the code of the hold it left; empty when it is content."""
    for one in evaluate.evaluate(session, order, CREDIT_NOT_ASKED, now).violations:
        if one.severity == BLOCK and one.code in (code, _NUMBER.sub("", code)):
            return one.message
    return ""
