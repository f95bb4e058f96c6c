"""Why an order is served from where it is, for its page: the plan that was reserved last, its rivals and what each lost by."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.console.visitor import Visitor
from gateway.http.neighbors.sourcing import SourcingPlan, sourcing_plan
from oms.inventory.v1 import inventory_pb2 as pb
from services.orders.order.aggregate import OrderAggregate
from services.runtime.grpc_client import Unreachable

_WITHIN_S = 1.5
PARTS = ("freight", "handling", "fees", "splits", "lateness", "avoidance")


@dataclass(frozen=True, slots=True)
class SourcingShown:
    """The newest plan; `parts` are the costs that any of its candidates has, `earlier` counts the plans before it."""

    plan: SourcingPlan
    parts: tuple[str, ...]
    earlier: int


def sourcing_of(who: Visitor, found: OrderAggregate) -> SourcingShown | None:
    """None where nothing is planned yet, the reader sees no costs, or inventory is away; the caller has closed its transaction."""
    is_planned = any(line.allocated or line.backordered for line in found.lines().values())
    if not (is_planned and who.may("GET /v1/orders/{order_id}/sourcing")):
        return None
    try:
        plans = who.deps.inventory.GetSourcing(pb.GetSourcingRequest(order_id=found.order_id), timeout=_WITHIN_S).plans
    except Unreachable:
        return None
    if not plans:
        return None
    newest = plans[0]
    parts = tuple(part for part in PARTS if any(getattr(one, f"{part}_minor") for one in newest.candidates))
    return SourcingShown(sourcing_plan(newest), parts, len(plans) - 1)
