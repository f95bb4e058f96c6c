"""Outages: a warehouse is closed for a while, and what orders hold there is sourced again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Instant, Name, example
from gateway.http.plumbing.paging import Page
from gateway.http.plumbing.parameters import OfWarehouse, path_id
from gateway.http.plumbing.shapes import instant, rfc3339
from oms.inventory.v1 import outage_pb2 as pb
from services.kernel.clock import from_micros, micros
from services.orders.access.matrix import Caller

router = APIRouter(tags=["stock"])

WarehouseId = Annotated[str, path_id("The warehouse's id.", "wh_dallas")]


class OutageInput(Input):
    """How long a warehouse sends nothing, and why."""

    until: Instant = Field(description="When it opens again by itself; at most 366 days ahead.")
    reason: Name

    model_config = example(until="2027-01-04T06:00:00Z", reason="flooded loading dock")


class Outage(BaseModel):
    """A warehouse that is closed for a while."""

    outage_id: str
    warehouse_id: str
    reason: str
    declared_by: str
    began_at: str
    until: str
    ended_at: str | None = Field(description="Null while it lasts.")
    order_count: int = Field(description="Orders that had units there: what is not picked of them is sourced again.")


@router.get("/v1/outages")
def list_outages(
    deps: DepsOf,
    _who: CallerOf,
    warehouse_id: OfWarehouse = None,
    lasting: Annotated[bool, Query(description="Only those that last.")] = False,
) -> Page[Outage]:
    """Outages of warehouses, the newest first, at most 100."""
    found = deps.inventory.ListOutages(pb.ListOutagesRequest(warehouse_id=warehouse_id or "", is_open_only=lasting))
    return Page(rows=[_outage(one) for one in found.outages], next_cursor=None)


@router.post("/v1/warehouses/{warehouse_id}/outage", response_model=Outage)
def declare_outage(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, warehouse_id: WarehouseId, body: OutageInput
) -> Response:
    """Close a warehouse until an instant: what orders hold there and nobody has picked is sourced again, from elsewhere or as a backorder.

    Its shipments that are released and not picked are taken back; what is picked stays with it.
    """
    return once.answer(body, lambda request_id: declare(deps, who, warehouse_id, body, request_id))


@router.post("/v1/warehouses/{warehouse_id}/outage/end", response_model=Outage)
def end_outage(deps: DepsOf, _who: CallerOf, once: OnceWithKey, warehouse_id: WarehouseId) -> Response:
    """Open a warehouse before its outage ends by itself; it serves who waits. What was sourced from elsewhere stays there."""
    return once.answer(None, lambda request_id: end(deps, warehouse_id, request_id))


def declare(deps: Deps, who: Caller, warehouse_id: str, body: OutageInput, request_id: str) -> Outage:
    """Have inventory close it."""
    request = pb.DeclareOutageRequest(
        request_id=request_id,
        warehouse_id=warehouse_id,
        ends_at_micros=micros(body.until),
        reason=body.reason,
        declared_by=who.principal.sub,
    )
    return _outage(deps.inventory.DeclareOutage(request).outage)


def end(deps: Deps, warehouse_id: str, request_id: str) -> Outage:
    """Have inventory open it."""
    return _outage(
        deps.inventory.EndOutage(pb.EndOutageRequest(request_id=request_id, warehouse_id=warehouse_id)).outage
    )


def _outage(one: pb.Outage) -> Outage:
    return Outage(
        outage_id=one.outage_id,
        warehouse_id=one.warehouse_id,
        reason=one.reason,
        declared_by=one.declared_by,
        began_at=rfc3339(from_micros(one.began_at_micros)),
        until=rfc3339(from_micros(one.ends_at_micros)),
        ended_at=instant(one.ended_at_micros),
        order_count=one.order_count,
    )
