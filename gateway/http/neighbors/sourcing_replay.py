"""A sourcing policy tried on plans of the past: what would have cost more or less, gone in more parcels, or come later."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.neighbors.sourcing_policy import (
    SourcingPolicyInput,
    SourcingPolicyPatch,
    policy_in_force,
    policy_message,
)
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.editing import merged
from gateway.http.plumbing.inputs import example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.period import Period
from gateway.http.plumbing.shapes import MoneyShape, instant
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.clock import micros
from services.orders.order import lookup

router = APIRouter(tags=["master data"])
_LIST = "sourcing replay"
_WITHIN_S = 20.0


class SourcingReplayInput(Period):
    """What is tried: the sourcing policy in force with the members that are named here, on plans of a period."""

    policy: SourcingPolicyPatch

    model_config = example(since="2026-11-01T00:00:00Z", policy={"split_penalty_minor": 500})


class PlanOutcome(BaseModel):
    """What a plan comes to."""

    quantity: int = Field(description="Units it serves.")
    warehouse_ids: list[str] = Field(description="Who sends something.")
    paid: MoneyShape | None = Field(
        description="Freight, handling and fees; penalties that a policy only counts are left out. Null without a currency."
    )
    promised_on: str | None


class ReplayedPlan(BaseModel):
    """A plan that the tried policy would have made otherwise."""

    order_id: str
    order_number: str
    planned_at: str | None
    wanted: int = Field(description="Units that were wanted.")
    before: PlanOutcome = Field(description="Under the policy of its day.")
    after: PlanOutcome = Field(description="Under the one that is tried.")


class ReplayTotals(BaseModel):
    """All plans of the page in one currency, with those that stay the same."""

    plans: int
    paid_before: MoneyShape | None
    paid_after: MoneyShape | None
    shipments_before: int
    shipments_after: int
    later: int = Field(description="Plans whose last delivery would have been promised for a later day.")
    sooner: int


class SourcingReplay(Page[ReplayedPlan]):
    """Plans that would have been made otherwise, oldest first."""

    totals: list[ReplayTotals] = Field(description="By currency.")
    replayed: int = Field(description="Plans of this page that were replayed, with those that stay the same.")
    not_kept: int = Field(description="Plans of before it was kept what they were made from.")


@router.post("/v1/sourcing-policy/replay")
def replay_sourcing(deps: DepsOf, _who: CallerOf, body: SourcingReplayInput, paging: PagingOf) -> SourcingReplay:
    """Try a sourcing policy on plans of the past. Nothing is stored, reserved or moved.

    Each plan is made again from the stock that was free and the tariffs that held then, apart from all others: what one order would
    have left to the next is not followed. `limit` is how many plans are read for a page, which may end sooner.
    """
    body.check()
    whole = merged(policy_in_force(deps), body.policy, SourcingPolicyInput)
    request = pb.ReplaySourcingRequest(
        policy=policy_message(whole),
        since_micros=micros(body.since),
        until_micros=micros(body.until or deps.clock()),
        cursor=paging.after(_LIST),
        limit=paging.limit,
    )
    found = deps.inventory.ReplaySourcing(request, timeout=_WITHIN_S)
    differing = [one for one in found.plans if one.before != one.after]
    with deps.database.reading() as session:
        numbers = lookup.numbers(session, {one.order_id for one in differing})
    return SourcingReplay(
        rows=[_shape(one, numbers.get(one.order_id, "")) for one in differing],
        totals=_totals(found.plans),
        replayed=len(found.plans),
        not_kept=found.not_kept_count,
        next_cursor=sealed(_LIST, found.next_cursor) or None,
    )


def _shape(one: pb.ReplayedPlan, number: str) -> ReplayedPlan:
    return ReplayedPlan(
        order_id=one.order_id,
        order_number=number,
        planned_at=instant(one.planned_at_micros),
        wanted=one.wanted_quantity,
        before=_outcome(one.before, one.currency),
        after=_outcome(one.after, one.currency),
    )


def _outcome(one: pb.PlanOutcome, currency: str) -> PlanOutcome:
    return PlanOutcome(
        quantity=one.quantity,
        warehouse_ids=list(one.warehouse_ids),
        paid=_money(one.paid_minor, currency),
        promised_on=one.promised_on or None,
    )


def _totals(plans: Iterable[pb.ReplayedPlan]) -> list[ReplayTotals]:
    by_currency: dict[str, list[pb.ReplayedPlan]] = {}
    for plan in plans:
        by_currency.setdefault(plan.currency, []).append(plan)
    return [
        ReplayTotals(
            plans=len(some),
            paid_before=_money(sum(one.before.paid_minor for one in some), currency),
            paid_after=_money(sum(one.after.paid_minor for one in some), currency),
            shipments_before=sum(len(one.before.warehouse_ids) for one in some),
            shipments_after=sum(len(one.after.warehouse_ids) for one in some),
            later=sum(one.after.promised_on > one.before.promised_on for one in some),
            sooner=sum(one.after.promised_on < one.before.promised_on for one in some),
        )
        for currency, some in sorted(by_currency.items())
    ]


def _money(minor: int, currency: str) -> MoneyShape | None:
    return MoneyShape.of_minor(minor, currency) if currency else None
