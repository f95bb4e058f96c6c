"""Backorders: the queue of units that wait for supply."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.neighbors.stock import known_sku
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OfOrder, OfSku
from gateway.http.plumbing.shapes import instant
from oms.inventory.v1 import inventory_pb2 as pb

router = APIRouter(tags=["stock"])


class Backorder(BaseModel):
    """Units of an order that wait for supply."""

    backorder_id: str
    order_id: str
    line_id: str
    sku: str
    quantity: int = Field(description="Units still waiting.")
    placed_at: str | None = Field(description="When the order was placed: the queue's order.")
    expected_on: str | None = Field(description="Null while no supply is announced.")
    expected_reference: str | None = Field(description="Where the date comes from.")


@router.get("/v1/backorders")
def list_backorders(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    sku: OfSku = None,
) -> Page[Backorder]:
    """The queue, first to be filled first."""
    found = deps.inventory.ListBackorders(
        pb.ListBackordersRequest(
            order_id=order_id or "", sku=known_sku(deps, sku), limit=paging.limit, cursor=paging.after("backorders")
        )
    )
    return Page(
        rows=[_backorder(row) for row in found.backorders], next_cursor=sealed("backorders", found.next_cursor) or None
    )


def _backorder(row: pb.Backorder) -> Backorder:
    return Backorder(
        backorder_id=row.backorder_id,
        order_id=row.order_id,
        line_id=row.line_id,
        sku=row.sku,
        quantity=row.quantity,
        placed_at=instant(row.placed_at_micros),
        expected_on=row.expected_on or None,
        expected_reference=row.expected_reference or None,
    )
