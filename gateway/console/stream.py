"""The live part of an order's page: one event a change, on which the page fetches itself again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from gateway.console.orders import NumberOf
from gateway.console.visitor import VisitorOf
from gateway.http.plumbing.deps import Deps
from services.orders.access.matrix import Caller
from services.orders.order import history, lookup

router = APIRouter()

After = Annotated[int, Query(ge=0, le=10**9)]
LastEventId = Annotated[str | None, Header(pattern=r"^[0-9]{1,9}$")]


@router.get("/orders/{number}/stream")
@router.get("/my/orders/{number}/stream")
async def order_stream(
    who: VisitorOf, number: NumberOf, after: After = 0, last_event_id: LastEventId = None
) -> Response:
    """Tell of changes behind `after`; ends after minutes, so that the browser comes again and is checked again."""
    order_id = await run_in_threadpool(_find, who.deps, who.caller, number)
    seen = int(last_event_id) if last_event_id else after
    return EventSourceResponse(
        _changes(who.deps, who.caller, order_id, seen),
        ping=max(1, int(who.deps.settings.stream_heartbeat_s)),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _changes(deps: Deps, who: Caller, order_id: str, seen: int) -> AsyncIterator[ServerSentEvent]:
    """`changed` with the newest number, several changes at once being one; `ended` when nothing more can happen."""
    until = time.monotonic() + deps.console.stream_max_s
    while time.monotonic() < until:
        newest, has_ended = await run_in_threadpool(_read, deps, who, order_id)
        if newest > seen:
            seen = newest
            yield ServerSentEvent("", event="changed", id=str(newest))
        if has_ended:
            yield ServerSentEvent("", event="ended", id=str(newest))
            return
        await asyncio.sleep(deps.settings.stream_poll_s)


def _find(deps: Deps, who: Caller, number: str) -> str:
    with deps.database.reading() as session:
        return lookup.find_id(session, number, who.scope)


def _read(deps: Deps, who: Caller, order_id: str) -> tuple[int, bool]:
    """The number of the newest change, and whether the order has ended; nothing for who may no longer see it."""
    with deps.database.reading() as session:
        has_ended = lookup.has_ended(session, order_id, who.scope)
        return history.newest_sequence(session, order_id), has_ended
