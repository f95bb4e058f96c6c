"""Plans of the past under another sourcing policy: what would have cost more or less, come later, or gone in more parcels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.inventory.domain.allocation import LineDemand, Plan, Terms, allocate, allocate_whole
from services.inventory.domain.tariffs import SourcingPolicy


@dataclass(frozen=True, slots=True)
class Given:
    """All that a plan was made from: what was wanted, SKU → warehouse → units that were free, and the terms of its day.

    `is_whole` orders were to be served whole or not at all. The policy of the terms is the customer's own.
    """

    lines: tuple[LineDemand, ...]
    free: Mapping[str, Mapping[str, int]]
    terms: Terms
    currency: str
    is_whole: bool = False
    customer_id: str = ""


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """What a plan comes to: units served, warehouses, what is paid for it in minor units, and the ISO date of its last delivery.

    What is paid is freight, handling and third parties' fees; what the policy only counts, as a penalty of a split, is not.
    """

    units: int
    warehouses: tuple[str, ...]
    paid_minor: int
    promised_on: str


@dataclass(frozen=True, slots=True)
class ReplayedPlan:
    """A plan under the policy of its day and under the one that is tried."""

    plan_id: str
    order_id: str
    planned_at: datetime
    currency: str
    wanted: int
    before: PlanOutcome
    after: PlanOutcome

    @property
    def differs(self) -> bool:
        """Whether the tried policy sends it otherwise."""
        return self.before != self.after


def replay(plan_id: str, order_id: str, planned_at: datetime, given: Given, tried: SourcingPolicy) -> ReplayedPlan:
    """The plan made again, once as on its day and once as it would be tried, from the same stock and tariffs."""
    wanted = sum(line.quantity for line in given.lines)
    plan = allocate_whole if given.is_whole else allocate
    before = _outcome(plan(given.lines, given.free, given.terms))
    theirs = replace(given.terms, policy=tried.for_customer(given.customer_id))
    after = _outcome(plan(given.lines, given.free, theirs))
    return ReplayedPlan(plan_id, order_id, planned_at, given.currency, wanted, before, after)


def _outcome(plan: Plan) -> PlanOutcome:
    if plan.sourcing is None:
        return PlanOutcome(0, (), 0, "")
    best = plan.sourcing.best
    paid = best.parts.freight + best.parts.handling + best.parts.fees
    return PlanOutcome(best.units, best.places, paid, best.promised_on)
