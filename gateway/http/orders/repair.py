"""Repairing orders: a workflow that was lost is started again, one that runs is told again what the facts have come to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Input, example
from gateway.http.plumbing.parameters import OrderReference
from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import inventory_pb2 as inventory
from services.orders.access.matrix import Caller
from services.orders.lifecycle import resume
from services.orders.order import lookup

router = APIRouter(tags=["operations"])

YOUNG = timedelta(seconds=10)
"""An order that was placed so lately may just be starting."""
BATCH = 200
_AT_ONCE = 20
STARTED, WOKEN = "started", "woken"


class RepairShape(BaseModel):
    """What was done for one order."""

    order_id: str
    number: str
    what: str = Field(
        description="started: its workflow is started again and goes on where goods and money are. "
        "woken: it runs, and is told again what has happened; one that fails reads it once the workflow is fixed."
    )
    resumption: int | None = Field(description="How often its workflow was started again by now; null where it runs.")


class RepairsShape(BaseModel):
    """The orders of this part whose workflow was lost."""

    rows: list[RepairShape]
    checked: int = Field(description="Orders that were looked at.")
    next_cursor: str | None = Field(description="Send it to go on; null when all were looked at.")


class RepairInput(Input):
    """Where the last part ended."""

    cursor: Annotated[str, Field(max_length=64, description="Empty to begin.")] = ""

    model_config = example(cursor="")


@router.post("/v1/orders/{order_id}/repair", response_model=RepairShape)
def repair_order(deps: DepsOf, who: CallerOf, once: OnceOf, order_id: OrderReference) -> Response:
    """Repair an order: start its lost workflow again, or tell the one that runs again what has happened. Nothing is done twice."""
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
    is_running = found_id in running(deps, {found_id: _number(deps, found_id)})
    return once.answer_here(None, lambda session: repair(session, deps, who, found_id, is_running=is_running))


@router.post("/v1/repairs", response_model=RepairsShape)
def repair_orders(deps: DepsOf, who: CallerOf, body: RepairInput) -> RepairsShape:
    """Start every workflow again that was lost, part by part: of open orders, and of ended ones that still hold something."""
    with deps.database.reading() as session:
        before = deps.clock() - YOUNG
        page = resume.open_orders(session, placed_before=before, after=body.cursor, limit=BATCH)
    is_last = len(page) < BATCH
    candidates = {**dict(page), **(_unfinished(deps) if is_last else {})}
    alive = running(deps, candidates)
    rows = [_started(deps, who, order_id) for order_id in candidates if order_id not in alive]
    return RepairsShape(rows=rows, checked=len(candidates), next_cursor=None if is_last else page[-1][0])


def running(deps: Deps, numbers: Mapping[str, str]) -> set[str]:
    """Those order ids whose workflow runs, by order id → number; Unreachable while Temporal does not answer."""
    order_ids = list(numbers)
    answers = from_thread.run(_ask, deps, [numbers[one] for one in order_ids])
    return {order_id for order_id, is_running in zip(order_ids, answers, strict=True) if is_running}


async def _ask(deps: Deps, numbers: Sequence[str]) -> list[bool]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def ask(number: str) -> bool:
        async with turns:
            return await deps.workflows.is_running(number)

    return list(await asyncio.gather(*(ask(number) for number in numbers)))


def repair(session: Session, deps: Deps, who: Caller, order_id: str, *, is_running: bool) -> RepairShape:
    """Repair one order that the caller has found to have a running workflow, or none; in the transaction given."""
    number = lookup.number_of(session, order_id)
    if is_running:
        resume.wake(session, order_id, who.scope, deps.clock())
        return RepairShape(order_id=order_id, number=number, what=WOKEN, resumption=None)
    resumption = resume.resume(session, order_id, who, deps.clock())
    return RepairShape(order_id=order_id, number=number, what=STARTED, resumption=resumption)


def _started(deps: Deps, who: Caller, order_id: str) -> RepairShape:
    with deps.database.transaction() as session:
        return repair(session, deps, who, order_id, is_running=False)


def _number(deps: Deps, order_id: str) -> str:
    with deps.database.reading() as session:
        return lookup.number_of(session, order_id)


def _unfinished(deps: Deps) -> dict[str, str]:
    """Ended orders that hold stock, credit or shipments, or whose workflow was interrupted, by order id → number."""
    holding = {
        *deps.inventory.Audit(inventory.AuditRequest()).holding_order_ids,
        *deps.billing.Audit(billing.AuditRequest()).committed_order_ids,
        *deps.fulfillment.Audit(fulfillment.AuditRequest()).releasing_order_ids,
    }
    with deps.database.reading() as session:
        return resume.unfinished(session, holding)
