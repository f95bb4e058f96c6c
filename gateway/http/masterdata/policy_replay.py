"""Policies tried on orders of the past: what another one would have decided otherwise."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.masterdata.policies import PolicyInput, PolicyPatch, document_of
from gateway.http.masterdata.policy_shapes import policy_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import merged
from gateway.http.plumbing.inputs import example
from gateway.http.plumbing.paging import Page, PagingOf, sealed_instant
from gateway.http.plumbing.period import Period
from gateway.http.plumbing.shapes import MoneyShape
from services.orders.domain.policies import Policy, parse_policy
from services.orders.domain.replayed import Decision, ReplayedOrder
from services.orders.overview import replay
from services.orders.policies import versions

router = APIRouter(tags=["master data"])
_LIST = "policy replay"


class PolicyReplayInput(Period):
    """What is tried: the policy in force with the members that are named here, on orders placed in a period."""

    policy: PolicyPatch

    model_config = example(since="2026-11-01T00:00:00Z", policy={"rules": [{
        "code": "OVER_CREDIT_LIMIT", "when": "!credit.is_granted", "severity": "WARN", "message": "The customer is over its limit."}]})  # fmt: skip


class ReplayedDecision(BaseModel):
    """What a policy comes to for an order."""

    outcome: str = Field(description="cleared, held or rejected.")
    reasons: list[str] = Field(description="Codes of the rules that speak, the most severe first.")
    reviews: list[str] = Field(description="Codes of the rows of the approval matrix that apply.")
    asks: list[str] = Field(description="Who is asked.")


class ReplayedOrderShape(BaseModel):
    """An order that the tried policy would have decided otherwise."""

    order_id: str
    number: str
    customer_name: str
    total: MoneyShape
    placed_at: datetime
    policy_version: int = Field(description="Of the policy of its day.")
    is_credit_known: bool = Field(
        description="False: it is of before that was kept, and no rule about credit is asked."
    )
    before: ReplayedDecision = Field(description="By the policy of its day.")
    after: ReplayedDecision = Field(description="By the one that is tried.")


class PolicyReplay(Page[ReplayedOrderShape]):
    """Orders that would have been decided otherwise, oldest first."""

    replayed: int = Field(description="Orders of this page that were replayed, with those that stay the same.")


@router.post("/v1/policies/replay")
def replay_policy(deps: DepsOf, _who: CallerOf, body: PolicyReplayInput, paging: PagingOf) -> PolicyReplay:
    """Try a policy on orders of the past. Nothing is changed, and nobody is asked or told.

    Each order is taken as its rules were first asked about it, on that day and with its credit as it stood; catalog, agreements and
    people are those of today, for both policies. `limit` is how many orders are read for a page.
    """
    body.check()
    after, until = paging.after_instant(_LIST) or (body.since, ""), body.until or deps.clock()
    tried = _tried(deps, body)
    with deps.database.reading() as session:
        found, following = replay.replay(session, tried, after, until, paging.limit)
    return PolicyReplay(
        rows=[_shape(one) for one in found if one.differs],
        replayed=len(found),
        next_cursor=sealed_instant(_LIST, *following) if following else None,
    )


def _tried(deps: Deps, body: PolicyReplayInput) -> Policy:
    with deps.database.reading() as session:
        stands = policy_shape(versions.policy_in_force(session))
    policy = parse_policy(document_of(merged(stands, body.policy, PolicyInput)), 0)
    versions.check(policy)
    return policy


def _shape(found: ReplayedOrder) -> ReplayedOrderShape:
    return ReplayedOrderShape(
        order_id=found.order_id,
        number=found.number,
        customer_name=found.customer_name,
        total=MoneyShape.of(found.total),
        placed_at=found.placed_at,
        policy_version=found.policy_version,
        is_credit_known=found.is_credit_known,
        before=_decision(found.before),
        after=_decision(found.after),
    )


def _decision(found: Decision) -> ReplayedDecision:
    return ReplayedDecision(
        outcome=found.outcome, reasons=list(found.reasons), reviews=list(found.reviews), asks=list(found.asks)
    )
