"""What two policies say of the same order as it was when its rules were first asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.kernel.money import Money
from services.orders.domain.policies import Violation, outcome, reasons


@dataclass(frozen=True, slots=True)
class Validated:
    """What an order's rules were first asked under: its version, the policy's, and how its money stood in minor units."""

    order_version: int
    policy_version: int
    is_granted: bool
    exposure_minor: int
    limit_minor: int
    card: str
    validated_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy comes to for an order: cleared, held or rejected, by which rules, and whom its approval matrix asks.

    `reviews` are codes of rows of the matrix, `asks` who would be asked, each once in the order of the steps.
    """

    outcome: str
    reasons: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplayedOrder:
    """An order under the policy of its day and under the one that is tried.

    `is_credit_known` is False for orders of before it was kept how their money stood: no rule about credit is asked for them.
    """

    order_id: str
    number: str
    customer_name: str
    total: Money
    placed_at: datetime
    policy_version: int
    is_credit_known: bool
    before: Decision
    after: Decision

    @property
    def differs(self) -> bool:
        """Whether the tried policy decides otherwise, for other reasons, or asks others."""
        return self.before != self.after


def decision(violations: Sequence[Violation], reviews: Sequence[str], asks: Sequence[str]) -> Decision:
    """What validation decides by these verdicts: a review holds what no rule does, and what is rejected asks nobody."""
    found = outcome(violations)
    if found == "rejected":
        return Decision(found, reasons(violations))
    if found == "cleared" and reviews:
        found = "held"
    return Decision(found, reasons(violations), tuple(dict.fromkeys(reviews)), tuple(dict.fromkeys(asks)))
