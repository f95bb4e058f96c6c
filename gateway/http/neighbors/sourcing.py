"""Sourcing: why an order is served from where it is."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.paging import Page
from gateway.http.plumbing.parameters import OrderReference
from gateway.http.plumbing.shapes import MoneyShape, instant
from oms.inventory.v1 import inventory_pb2 as pb
from services.orders.order import lookup

router = APIRouter(tags=["orders"])


class PlannedShipment(BaseModel):
    """What one warehouse sends in a plan."""

    warehouse_id: str
    carrier: str | None = Field(description="Whose tariff is cheapest for it; the warehouse may ship with another.")
    quantity: int
    cost: MoneyShape | None
    promised_on: str | None
    delay: str | None = Field(
        description="When the warehouse takes it up where that was not the same day, and why: its cut-off, a day off, its daily units."
    )


class CandidateCosts(BaseModel):
    """What a plan costs, part by part."""

    freight: MoneyShape = Field(description="What carriers take.")
    handling: MoneyShape = Field(description="Handling of units.")
    fees: MoneyShape = Field(description="Third parties' fees by order and unit.")
    splits: MoneyShape = Field(description="Penalties of shipments after the first.")
    lateness: MoneyShape = Field(description="Days behind the requested date.")
    avoidance: MoneyShape = Field(description="What less preferred warehouses count as.")
    total: MoneyShape


class SourcingCandidate(BaseModel):
    """A way to serve the order that was weighed."""

    shipments: list[PlannedShipment]
    quantity: int = Field(description="Units it serves.")
    costs: CandidateCosts | None = Field(description="Null where the costs had no currency.")
    promised_on: str | None = Field(description="Day of its last shipment; null when no carrier promises.")
    is_chosen: bool
    reason: str = Field(description="Why it was chosen, or what it lost by.", examples=["costs 3.00 USD more"])


class UnusedWarehouse(BaseModel):
    """A warehouse that could give nothing."""

    warehouse_id: str
    reason: str = Field(examples=["closed"])


class SourcingPlan(BaseModel):
    """What was planned at once: the plan that was reserved, its rivals, and how good it is."""

    plan_id: str
    planned_at: str | None
    wanted: int = Field(description="Units that were to be served.")
    served: int = Field(description="Units that the chosen plan serves; the rest waits as backorders.")
    bound: MoneyShape | None = Field(
        description="What no plan that serves as much can cost less than; null where not known."
    )
    is_optimal: bool = Field(description="Whether nothing that serves as much costs less.")
    gap_percent: str | None = Field(
        description="How far above the best possible it is at most; null where not known.", examples=["1.25"]
    )
    why: str = Field(description="Why these warehouses, in a sentence.")
    cause: str | None = Field(description="Why it was planned again; null for what was ordered or changed.")
    candidates: list[SourcingCandidate] = Field(description="The chosen plan, then its rivals, best first.")
    unused: list[UnusedWarehouse] = Field(description="Warehouses that could give nothing.")


@router.get("/v1/orders/{order_id}/sourcing")
def get_sourcing(deps: DepsOf, who: CallerOf, order_id: OrderReference) -> Page[SourcingPlan]:
    """Why the order is served from where it is: the plan of what was ordered and of each change that wanted more, newest first.

    A plan is kept as it was made; stock, rates and policy may have changed since. Empty before stock is reserved.
    """
    with deps.database.reading() as session:
        found = lookup.find_id(session, order_id, who.scope)
    plans = deps.inventory.GetSourcing(pb.GetSourcingRequest(order_id=found)).plans
    return Page(rows=[sourcing_plan(plan) for plan in plans], next_cursor=None)


def sourcing_plan(plan: pb.SourcingPlan) -> SourcingPlan:
    """A plan as answers have it."""
    currency = plan.currency
    return SourcingPlan(
        plan_id=plan.plan_id,
        planned_at=instant(plan.planned_at_micros),
        wanted=plan.wanted_quantity,
        served=plan.quantity,
        bound=_money(plan.bound_minor, currency) if plan.HasField("bound_minor") else None,
        is_optimal=plan.is_optimal,
        gap_percent=f"{plan.gap_bp / 100:.2f}" if plan.HasField("gap_bp") else None,
        why=plan.why,
        cause=plan.cause or None,
        candidates=[_candidate(one, currency) for one in plan.candidates],
        unused=[UnusedWarehouse(warehouse_id=one.warehouse_id, reason=one.reason) for one in plan.unused],
    )


def _candidate(one: pb.SourcingCandidate, currency: str) -> SourcingCandidate:
    return SourcingCandidate(
        shipments=[
            PlannedShipment(
                warehouse_id=each.warehouse_id,
                carrier=each.carrier or None,
                quantity=each.quantity,
                cost=_money(each.cost_minor, currency),
                promised_on=each.promised_on or None,
                delay=each.delay or None,
            )
            for each in one.shipments
        ],
        quantity=one.quantity,
        costs=_costs(one, currency) if currency else None,
        promised_on=one.promised_on or None,
        is_chosen=one.is_chosen,
        reason=one.reason,
    )


def _costs(one: pb.SourcingCandidate, currency: str) -> CandidateCosts:
    return CandidateCosts(
        **{
            name: MoneyShape.of_minor(getattr(one, f"{name}_minor"), currency)
            for name in ("freight", "handling", "fees", "splits", "lateness", "avoidance", "total")
        }
    )


def _money(minor: int, currency: str) -> MoneyShape | None:
    return MoneyShape.of_minor(minor, currency) if currency else None
