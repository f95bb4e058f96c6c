"""An order's history: the append-only event log as people read it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.kernel.errors import InvalidArgument
from services.orders.access import Caller
from services.orders.api import outside
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
    what: str = Field(description="A customer reads `checked` for whatever we check of an order.")
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
    """An event as this caller sees it: a customer is told a role of ours, not a name, and nothing of our checks."""
    shown = outside.event(event, who) if outside.is_outside(who) else event
    return OrderEvent(
        sequence=shown.sequence,
        occurred_at=rfc3339(shown.occurred_at),
        who=shown.who,
        role=shown.role,
        what=shown.what,
        why=shown.why,
        before=dict(shown.before),
        after=dict(shown.after),
    )


def _sequence(cursor: str) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
    return int(cursor)
