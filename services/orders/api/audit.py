"""The audit: every invariant of every service, and those that hold only between services."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.notifications.v1 import notifications_pb2 as notifications
from services.orders.api.access import CallerOf
from services.orders.api.deps import DepsOf

router = APIRouter(tags=["audit"])

_OFFENDERS = 10


class InvariantRow(BaseModel):
    """One rule and who breaks it."""

    name: str
    rule: str
    violations: int = Field(description="0 is clean.")
    offenders: list[str] = Field(description="The first of them, at most 10.")


class Audit(BaseModel):
    """One row per invariant."""

    is_clean: bool
    rows: list[InvariantRow]


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a service said of itself; `answer` is None when it is away."""

    service: str
    answer: Any
    why_away: str


@router.get("/v1/audit/invariants")
def audit(deps: DepsOf, _who: CallerOf) -> Audit:
    """Check everything now; a service that is away is a row with a violation. Facts still under way may show for a moment."""
    asks: dict[str, Callable[[], Any]] = {
        "inventory": lambda: deps.inventory.Audit(inventory.AuditRequest()),
        "fulfillment": lambda: deps.fulfillment.Audit(fulfillment.AuditRequest()),
        "billing": lambda: deps.billing.Audit(billing.AuditRequest()),
        "notifications": lambda: deps.notifications.Audit(notifications.AuditRequest()),
    }
    with ThreadPoolExecutor(max_workers=len(asks)) as pool:
        heard = {one.service: one for one in pool.map(_hear, asks.keys(), asks.values())}
    rows = [*_own(deps), *(row for one in heard.values() for row in _rows(one))]
    rows += _between(deps, heard["inventory"].answer, heard["billing"].answer)
    return Audit(is_clean=not any(row.violations for row in rows), rows=rows)
