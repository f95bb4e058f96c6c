"""Goods that came back, or were damaged in a warehouse, and are kept apart: listed by warehouse, and ended by a decision."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.stock import known_sku
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Name, Quantity, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfSku, OfWarehouse, path_id
from gateway.http.plumbing.shapes import MoneyShape, rfc3339
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.clock import from_micros
from services.orders.access.matrix import Caller
from services.orders.returns import reading

router = APIRouter(tags=["stock"])

Units = Annotated[str, path_id("The units' id, as the list gives it.", "mov_01")]


class QuarantinedUnits(BaseModel):
    """Units that came back together, or were damaged in a warehouse, and on which nobody has decided yet."""

    movement_id: str
    warehouse_id: str
    sku: str
    disposition: Literal["quarantine", "refurbish"]
    quantity: int
    value: MoneyShape | None = Field(description="What they had cost; null for who sees no prices.")
    order_id: str = Field(description="Empty for what was damaged in the warehouse.")
    return_id: str = Field(description="Empty likewise.")
    return_number: str | None
    reason: str | None = Field(description="Why they are kept apart where no return brought them.")
    taken_at: str


class QuarantineDecisionInput(Input):
    """What becomes of units, and why."""

    quantity: Quantity
    outcome: Literal["release", "scrap", "return_to_vendor"] = Field(
        description="release: into stock at what they had cost, where they fill backorders; scrap: a loss at cost; "
        "return_to_vendor: the vendor owes what they had cost."
    )
    reason: Name

    model_config = example(quantity=2, outcome="release", reason="tested, as new")


class QuarantineDecision(BaseModel):
    """What a decision came to."""

    decision_id: str
    left_quantity: int = Field(description="Units of the same that are still undecided.")
    value: MoneyShape | None = Field(description="What the units had cost; null for who sees no prices.")
    filled_quantity: int = Field(description="Units of waiting backorders that were filled at once.")
    filled_order_ids: list[str]


@router.get("/v1/quarantine")
def list_quarantine(
    deps: DepsOf, who: CallerOf, paging: PagingOf, sku: OfSku = None, warehouse_id: OfWarehouse = None
) -> Page[QuarantinedUnits]:
    """Goods in quarantine or to be refurbished, those that came first before the others: in no stock until somebody decides."""
    found = deps.inventory.ListQuarantine(
        pb.ListQuarantineRequest(
            sku=known_sku(deps, sku), warehouse_id=warehouse_id or "", limit=paging.limit, cursor=paging.cursor
        )
    )
    return Page(rows=rows_of(deps, who, list(found.units)), next_cursor=found.next_cursor or None)


@router.post("/v1/quarantine/{movement_id}/decision", response_model=QuarantineDecision)
def decide_quarantine(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, movement_id: Units, body: QuarantineDecisionInput
) -> Response:
    """Decide what becomes of units: all that came together, or some of them."""
    return once.answer(body, lambda request_id: decide(deps, who, movement_id, body, request_id))


def decide(
    deps: Deps, who: Caller, movement_id: str, body: QuarantineDecisionInput, request_id: str
) -> QuarantineDecision:
    """Have inventory end the quarantine of units."""
    done = deps.inventory.DecideQuarantine(
        pb.DecideQuarantineRequest(
            request_id=request_id, movement_id=movement_id, decided_by=who.principal.sub, **body.model_dump()
        )
    )
    return QuarantineDecision(
        decision_id=done.decision_id,
        left_quantity=done.left_quantity,
        value=MoneyShape.of_proto(done.value) if who.sees_money else None,
        filled_quantity=done.filled_quantity,
        filled_order_ids=list(done.filled_order_ids),
    )


def rows_of(deps: Deps, who: Caller, units: list[pb.QuarantinedUnits]) -> list[QuarantinedUnits]:
    """Units as they are shown, with the numbers of their returns."""
    with deps.database.reading() as session:
        numbers = reading.numbers(session, {one.return_id for one in units})
    return [
        QuarantinedUnits(
            movement_id=one.movement_id,
            warehouse_id=one.warehouse_id,
            sku=one.sku,
            disposition=one.disposition,  # type: ignore[arg-type]  # one of two words
            quantity=one.quantity,
            value=MoneyShape.of_proto(one.value) if who.sees_money else None,
            order_id=one.order_id,
            return_id=one.return_id,
            return_number=numbers.get(one.return_id),
            reason=one.reason or None,
            taken_at=rfc3339(from_micros(one.taken_at_micros)),
        )
        for one in units
    ]
