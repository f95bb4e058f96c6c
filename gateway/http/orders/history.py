"""An order's history: the append-only event log as people read it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.orders import redaction
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OrderReference
from gateway.http.plumbing.shapes import rfc3339
from services.orders.access.matrix import Caller
from services.orders.domain.events import Event
from services.orders.order import lookup
from services.orders.order.history import read_history

router = APIRouter(tags=["orders"])


class OrderEvent(BaseModel):
    """One recorded change."""

    sequence: int = Field(description="1, 2, 3, … without gaps.")
    occurred_at: str
    who: str = Field(
        description="Who did it, or a service, the workflow or the system; a customer reads a role of ours."
    )
    acting_for: str = Field(description="For whom it was decided, by delegation; empty for one's own right.")
    role: str
    what: str = Field(description="A customer reads `checked` for whatever we check of an order.")
    why: str = Field(description="Empty where nobody gave a reason.")
    before: dict[str, Any] = Field(description="What it changed, as it was; empty for what is new.")
    after: dict[str, Any] = Field(description="The same, as it is.")


@router.get("/v1/orders/{order_id}/history")
def list_order_events(deps: DepsOf, who: CallerOf, paging: PagingOf, order_id: OrderReference) -> Page[OrderEvent]:
    """What happened to the order, oldest first: who, in which role, did what, why, before and after."""
    after = paging.after_number()
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
        found = read_history(session, found_id, who.scope, after=after, limit=paging.limit + 1)
    page = found[: paging.limit]
    return Page(
        rows=[event_shape(event, who) for event in page],
        next_cursor=str(page[-1].sequence) if len(found) > paging.limit else None,
    )


def event_shape(event: Event, who: Caller) -> OrderEvent:
    """An event as this caller sees it: a customer is told a role of ours, not a name, and nothing of our checks."""
    shown = redaction.event(event, who) if redaction.is_redacted(who) else event
    return OrderEvent(
        sequence=shown.sequence,
        occurred_at=rfc3339(shown.occurred_at),
        who=shown.who,
        acting_for=str(shown.after.get("acting_for", "")),
        role=shown.role,
        what=shown.what,
        why=shown.why,
        before=dict(shown.before),
        after=dict(shown.after),
    )
