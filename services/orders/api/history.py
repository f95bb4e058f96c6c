"""An order's history: the append-only event log as people read it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.kernel.errors import InvalidArgument
from services.orders.access import Caller
from services.orders.api.access import CallerOf
from services.orders.api.deps import DepsOf
from services.orders.api.inputs import IDENTITY
from services.orders.api.paging import Page, PagingOf
from services.orders.api.shapes import rfc3339
from services.orders.store import events, orders
from services.orders.store.events import Event

router = APIRouter(tags=["orders"])

OrderReference = Annotated[
    str, Path(pattern=IDENTITY, max_length=64, description="The order's id or its number.", examples=["SO-1001"])
]


class OrderEvent(BaseModel):
    """One recorded change."""

    sequence: int = Field(description="1, 2, 3, … without gaps.")
    occurred_at: str
    who: str
    role: str
    what: str
    why: str
    before: dict[str, Any]
    after: dict[str, Any]


@router.get("/v1/orders/{order_id}/history")
def history(deps: DepsOf, who: CallerOf, paging: PagingOf, order_id: OrderReference) -> Page[OrderEvent]:
    """What happened to the order, oldest first: who, in which role, did what, why, before and after."""
    after = _sequence(paging.cursor)
    with deps.database.reading() as session:
        found_id = orders.find_id(session, order_id, who.scope)
        found = events.of_order(session, found_id, scope=who.scope, after=after, limit=paging.limit + 1)
    page = found[: paging.limit]
    return Page(
        rows=[event_shape(event, who) for event in page],
        next_cursor=str(page[-1].sequence) if len(found) > paging.limit else None,
    )


def event_shape(event: Event, who: Caller) -> OrderEvent:
    """An event as this caller sees it: a customer is told a role of ours, not a name."""
    is_hidden = who.reach == "own" and event.who != who.principal.sub
    return OrderEvent(
        sequence=event.sequence,
        occurred_at=rfc3339(event.occurred_at),
        who=event.role if is_hidden else event.who,
        role=event.role,
        what=event.what,
        why="" if is_hidden and event.role != "service" else event.why,
        before=dict(event.before),
        after=dict(event.after),
    )


def _sequence(cursor: str) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise InvalidArgument("CURSOR_UNKNOWN", "give back next_cursor as it was given, or leave it out")
    return int(cursor)
