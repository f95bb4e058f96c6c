"""Backorders: the queue of units that wait for supply, in the order of the allocation policy, and what more supply would come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.neighbors.stock import known_sku, stocked
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.inputs import Identity, Input, Quantity, Sku, Switch, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OfOrder, OfSku, OfWarehouse, OrderReference, path_id
from gateway.http.plumbing.shapes import MoneyShape, instant
from oms.inventory.v1 import allocation_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.money import extend
from services.orders.access.matrix import Caller
from services.orders.order import lookup
from services.orders.overview import backordered
from services.orders.overview.backordered import BackorderedLine

router = APIRouter(tags=["stock"])

AllocationClass = Literal["win", "gain", "redistribute", "improve", "fill", "lose"]
BackorderId = Annotated[str, path_id("The backorder's id, as the list gives it.", "bo_01")]


class Backorder(BaseModel):
    """Units of an order that wait for supply, and why they wait where they do."""

    backorder_id: str
    order_id: str
    order_number: str | None
    customer_name: str | None
    line_id: str
    sku: str
    quantity: int = Field(description="Units still waiting.")
    value: MoneyShape | None = Field(description="What they were sold for; null for who sees no prices.")
    position: int = Field(description="Place in the queue of its SKU, from 1.")
    before_quantity: int = Field(description="Units that wait before it there.")
    reason: str = Field(description="Why it waits at this place.", examples=["class win, tier gold, wanted 2026-12-09"])
    allocation_class: AllocationClass
    is_expedited: bool
    customer_tier: str | None
    wanted_on: str | None = Field(description="The requested date, else the day of the order.")
    delivery: Literal["partial", "line_complete", "order_complete"]
    is_manual: bool = Field(description="It is filled once somebody has released it.")
    warehouse_ids: list[str] = Field(description="Warehouses that may fill it, the cheapest first.")
    placed_at: str | None = Field(
        description="When the order was placed: who is equal otherwise is filled in this order."
    )
    waiting_since: str | None
    expected_on: str | None = Field(description="Null while no supply is announced.")
    expected_reference: str | None = Field(description="Where the date comes from.")


class WhatIfInput(Input):
    """Goods that would come."""

    sku: Sku
    warehouse_id: Identity
    quantity: Quantity

    model_config = example(sku="PUMP-100", warehouse_id="wh_dallas", quantity=40)


class WhatIfFill(BaseModel):
    """What one backorder would get."""

    backorder_id: str
    order_id: str
    order_number: str | None
    customer_name: str | None
    line_id: str
    waiting: int = Field(description="Units that it waits for.")
    quantity: int = Field(description="Units that it would get.")
    value: MoneyShape | None = Field(description="What those were sold for; null for who sees no prices.")
    expected_on: str | None = Field(description="When its last unit is expected as things are.")
    then_expected_on: str | None = Field(
        description="When it would be; null when unknown or when nothing of it waits then."
    )


class WhatIfLoss(BaseModel):
    """Units that an order would give up: it holds them while it waits for the rest of its goods."""

    order_id: str
    order_number: str | None
    line_id: str
    quantity: int
    to_order_id: str
    to_order_number: str | None


class WhatIf(BaseModel):
    """Who would get goods, first to be filled first."""

    rows: list[WhatIfFill] = Field(description="Who would get something or whose date would move, at most 500.")
    losses: list[WhatIfLoss]
    filled_quantity: int = Field(description="Units that all of them would get.")
    left_quantity: int = Field(description="Units that nobody waits for.")
    still_waiting_quantity: int
    is_open: bool = Field(description="A warehouse that is closed fills nobody.")


class ReleasedBackorder(BaseModel):
    """A backorder that is filled in its turn from now on."""

    filled_quantity: int = Field(description="Units that it got at once.")
    waiting_quantity: int


class ExpediteInput(Input):
    """Whether the order is urgent."""

    is_expedited: Switch = Field(default=True, description="false takes it back.")

    model_config = example(is_expedited=True)


class ExpeditedOrder(BaseModel):
    """An order whose backorders come before others of their class, or no more so."""

    is_expedited: bool
    waiting_quantity: int = Field(description="Units of it that still wait.")


@router.get("/v1/backorders")
def list_backorders(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    sku: OfSku = None,
    warehouse_id: OfWarehouse = None,
) -> Page[Backorder]:
    """The queue, first to be filled first: class, urgency, tier, wanted day, and of equals who placed first."""
    found = deps.inventory.ListBackorders(
        pb.ListBackordersRequest(
            order_id=order_id or "",
            sku=known_sku(deps, sku),
            warehouse_id=warehouse_id or "",
            limit=paging.limit,
            cursor=paging.after("backorders"),
        )
    )
    return Page(rows=rows_of(deps, who, found.backorders), next_cursor=sealed("backorders", found.next_cursor) or None)


@router.post("/v1/backorders/what-if")
def preview_allocation(deps: DepsOf, who: CallerOf, body: WhatIfInput) -> WhatIf:
    """Who would get goods if they came, whose date would move and who would give something up. Nothing is changed.

    It is the same decision as when they do come: the allocation policy and the queue of this moment.
    """
    return what_if(deps, who, body)


@router.post("/v1/backorders/{backorder_id}/release")
def release_backorder(deps: DepsOf, _who: CallerOf, backorder_id: BackorderId) -> ReleasedBackorder:
    """Let a backorder be filled whose customer's tier is allocated by hand: from now on it is filled in its turn. Again it changes nothing."""
    done = deps.inventory.ReleaseBackorder(allocation_pb2.ReleaseBackorderRequest(backorder_id=backorder_id))
    return ReleasedBackorder(filled_quantity=done.filled_quantity, waiting_quantity=done.waiting_quantity)


@router.post("/v1/orders/{order_id}/expedite")
def expedite_order(deps: DepsOf, who: CallerOf, order_id: OrderReference, body: ExpediteInput) -> ExpeditedOrder:
    """Make an order urgent: what it waits for comes before others of its class. Whose dates that moves is told."""
    return expedite(deps, who, order_id, is_expedited=body.is_expedited)


def expedite(deps: Deps, who: Caller, order_id: str, *, is_expedited: bool) -> ExpeditedOrder:
    """Have inventory move an order in its queues."""
    with deps.database.reading() as session:
        found = lookup.find_id(session, order_id, who.scope)
    request = allocation_pb2.ExpediteOrderRequest(order_id=found, is_expedited=is_expedited)
    done = deps.inventory.ExpediteOrder(request)
    return ExpeditedOrder(is_expedited=is_expedited, waiting_quantity=done.waiting_quantity)


def what_if(deps: Deps, who: Caller, body: WhatIfInput) -> WhatIf:
    """Ask inventory, and name the orders. NotFound for what is not in the catalog, Refused for what is never on a shelf."""
    sku = stocked(deps, body.sku).sku
    found = deps.inventory.AskWhatIf(
        allocation_pb2.AskWhatIfRequest(sku=sku, warehouse_id=body.warehouse_id, quantity=body.quantity)
    )
    lines = _lines(deps, [(one.order_id, one.line_id) for one in found.fills])
    with deps.database.reading() as session:
        numbers = lookup.numbers(session, {each for one in found.losses for each in (one.order_id, one.to_order_id)})
    return WhatIf(
        rows=[_fill(one, lines.get((one.order_id, one.line_id)), who) for one in found.fills],
        losses=[
            WhatIfLoss(
                order_id=one.order_id,
                order_number=numbers.get(one.order_id),
                line_id=one.line_id,
                quantity=one.quantity,
                to_order_id=one.to_order_id,
                to_order_number=numbers.get(one.to_order_id),
            )
            for one in found.losses
        ],
        filled_quantity=found.filled_quantity,
        left_quantity=found.left_quantity,
        still_waiting_quantity=found.still_waiting_quantity,
        is_open=found.is_open,
    )


def rows_of(deps: Deps, who: Caller, rows: Sequence[pb.Backorder]) -> list[Backorder]:
    """Places in queues with whose they are and what waits there is worth."""
    lines = _lines(deps, [(row.order_id, row.line_id) for row in rows])
    return [_backorder(row, lines.get((row.order_id, row.line_id)), who) for row in rows]


def _lines(deps: Deps, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], BackorderedLine]:
    with deps.database.reading() as session:
        return backordered.lines(session, wanted)


def _value(line: BackorderedLine | None, units: int, who: Caller) -> MoneyShape | None:
    return MoneyShape.of(extend(line.unit_price, units)) if line and who.sees_money else None


def _fill(one: allocation_pb2.WhatIfFill, line: BackorderedLine | None, who: Caller) -> WhatIfFill:
    return WhatIfFill(
        backorder_id=one.backorder_id,
        order_id=one.order_id,
        order_number=line.number if line else None,
        customer_name=line.customer_name if line else None,
        line_id=one.line_id,
        waiting=one.waiting_quantity,
        quantity=one.quantity,
        value=_value(line, one.quantity, who),
        expected_on=one.expected_on or None,
        then_expected_on=one.then_expected_on or None,
    )


def _backorder(row: pb.Backorder, line: BackorderedLine | None, who: Caller) -> Backorder:
    return Backorder(
        backorder_id=row.backorder_id,
        order_id=row.order_id,
        order_number=line.number if line else None,
        customer_name=line.customer_name if line else None,
        line_id=row.line_id,
        sku=row.sku,
        quantity=row.quantity,
        value=_value(line, row.quantity, who),
        position=row.position,
        before_quantity=row.before_quantity,
        reason=_reason(row),
        allocation_class=row.allocation_class,  # type: ignore[arg-type]  # one of six words
        is_expedited=row.is_expedited,
        customer_tier=row.customer_tier or None,
        wanted_on=row.wanted_on or None,
        delivery=row.delivery,  # type: ignore[arg-type]  # one of three words
        is_manual=row.is_manual,
        warehouse_ids=list(row.warehouse_ids),
        placed_at=instant(row.placed_at_micros),
        waiting_since=instant(row.waiting_since_micros),
        expected_on=row.expected_on or None,
        expected_reference=row.expected_reference or None,
    )


def _reason(row: pb.Backorder) -> str:
    """What put it at its place, the strongest first."""
    parts = [f"class {row.allocation_class}"]
    parts += ["expedited"] if row.is_expedited else []
    parts += [f"tier {row.customer_tier}"] if row.customer_tier else []
    parts += [f"wanted {row.wanted_on}"] if row.wanted_on else []
    parts += {"line_complete": ["whole lines only"], "order_complete": ["ships complete"]}.get(row.delivery, [])
    parts += ["is released by hand"] if row.is_manual else []
    return ", ".join(parts)
