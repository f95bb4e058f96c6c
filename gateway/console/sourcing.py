"""Why an order is served from where it is, for its page: the plan that was reserved last, its rivals and what each lost by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.console.visitor import Visitor
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.money import Money
from services.orders.order.aggregate import OrderAggregate
from services.runtime.grpc_client import Unreachable

_WITHIN_S = 1.5
_PARTS = ("freight", "handling", "fees", "splits", "lateness", "avoidance")


@dataclass(frozen=True, slots=True)
class CandidateShown:
    """A way to serve the order: (units, warehouse) of each shipment, and what it costs; no costs without a currency."""

    shipments: tuple[tuple[int, str], ...]
    reason: str
    is_chosen: bool
    costs: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class SourcingShown:
    """The newest plan; `parts` head the costs of its candidates but for the total, which is last. `earlier` counts the plans before it."""

    why: str
    cause: str
    quality: str
    parts: tuple[str, ...]
    candidates: tuple[CandidateShown, ...]
    unused: tuple[tuple[str, str], ...]
    earlier: int


def sourcing_of(who: Visitor, found: OrderAggregate, names: Mapping[str, str]) -> SourcingShown | None:
    """None where nothing is planned yet, the reader sees no costs, or inventory is away; the caller has closed its transaction.

    `names` is warehouse id → what it is called.
    """
    is_planned = any(line.allocated or line.backordered for line in found.lines().values())
    if not (is_planned and who.may("GET /v1/orders/{order_id}/sourcing")):
        return None
    try:
        plans = who.deps.inventory.GetSourcing(pb.GetSourcingRequest(order_id=found.order_id), timeout=_WITHIN_S).plans
    except Unreachable:
        return None
    return _shown(plans[0], names, len(plans) - 1) if plans else None


def _shown(plan: pb.SourcingPlan, names: Mapping[str, str], earlier: int) -> SourcingShown:
    parts = tuple(part for part in _PARTS if any(getattr(one, f"{part}_minor") for one in plan.candidates))
    why = _named(plan.why, names)
    return SourcingShown(
        why=f"No{why[2:]}" if why.startswith("no ") else why,
        cause=plan.cause,
        quality=_quality(plan),
        parts=parts if plan.currency else (),
        candidates=tuple(_candidate(one, plan.currency, parts, names) for one in plan.candidates),
        unused=tuple((names.get(one.warehouse_id, one.warehouse_id), one.reason) for one in plan.unused),
        earlier=earlier,
    )


def _quality(plan: pb.SourcingPlan) -> str:
    if plan.is_optimal:
        return "lowest possible cost"
    return f"at most {plan.gap_bp / 100:.2f} % above the lowest possible cost" if plan.HasField("gap_bp") else ""


def _candidate(
    one: pb.SourcingCandidate, currency: str, parts: tuple[str, ...], names: Mapping[str, str]
) -> CandidateShown:
    shipments = ((each.quantity, names.get(each.warehouse_id, each.warehouse_id)) for each in one.shipments)
    costs = (Money(getattr(one, f"{part}_minor"), currency) for part in (*parts, "total")) if currency else ()
    return CandidateShown(tuple(shipments), _named(one.reason, names), one.is_chosen, tuple(costs))


def _named(sentence: str, names: Mapping[str, str]) -> str:
    """The sentence with warehouses called by name."""
    if not names:
        return sentence
    ids = "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])({ids})(?![\w-])", lambda found: names[found.group()], sentence)
