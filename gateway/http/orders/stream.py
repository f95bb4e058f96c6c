"""An order's life as server-sent events: one per recorded change, resumable, ended when nothing more can happen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from gateway.http.orders.history import event_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.parameters import OrderReference
from services.orders.access.matrix import Caller
from services.orders.domain.events import Event
from services.orders.order import lookup
from services.orders.order.history import read_history

router = APIRouter(tags=["orders"])

_BATCH = 100
# what readers of OpenAPI before 3.2 take for the schema of each event
_EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "required": ["id", "event", "data"],
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One event per change: id is its number, data the change.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    },
    204: {"description": "The order has ended and all events were sent: do not connect again."},
}


@router.get("/v1/orders/{order_id}/stream", response_class=EventSourceResponse, responses=_ANSWERS)
async def stream_order_events(
    deps: DepsOf,
    who: CallerOf,
    order_id: OrderReference,
    last_event_id: Annotated[
        str | None, Header(pattern=r"^[0-9]{1,9}$", description="The last number you have; changes after it follow.")
    ] = None,
) -> Response:
    """Follow an order: every change so far or after Last-Event-ID, then each new one as it is recorded."""
    after = int(last_event_id or 0)
    found_id = await run_in_threadpool(_find, deps, who, order_id)
    events, has_ended = await run_in_threadpool(_read, deps, who, found_id, after)
    if has_ended and not events:
        return Response(status_code=204)
    return EventSourceResponse(
        changes(deps, who, found_id, after),
        ping=max(1, int(deps.settings.stream_heartbeat_s)),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def changes(deps: Deps, who: Caller, order_id: str, after: int) -> AsyncIterator[ServerSentEvent]:
    """Changes behind `after` as events; ends with the order, or after stream_max_s so that the client connects again."""
    until = time.monotonic() + deps.settings.stream_max_s
    while time.monotonic() < until:
        found, has_ended = await run_in_threadpool(_read, deps, who, order_id, after)
        for event in found:
            after = event.sequence
            shown = event_shape(event, who)
            yield ServerSentEvent(shown.model_dump_json(), event=shown.what, id=str(shown.sequence))
        if has_ended and len(found) < _BATCH:
            return
        if len(found) < _BATCH:
            await asyncio.sleep(deps.settings.stream_poll_s)


def _find(deps: Deps, who: Caller, reference: str) -> str:
    with deps.database.reading() as session:
        return lookup.find_id(session, reference, who.scope)


def _read(deps: Deps, who: Caller, order_id: str, after: int) -> tuple[list[Event], bool]:
    with deps.database.reading() as session:
        # the end is read first: what is recorded with it is then among the events
        has_ended = lookup.has_ended(session, order_id, who.scope)
        return read_history(session, order_id, who.scope, after=after, limit=_BATCH), has_ended
