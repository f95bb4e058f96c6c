"""Photos as they are sent: read chunk by chunk into a file that goes again unless it is kept, never whole into memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import structlog
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from gateway.http.plumbing.problems import RETRY_AFTER_S, ApiError
from services.kernel.errors import InvalidArgument
from services.orders.domain.return_photos import MOST_BYTES, NewPhoto
from services.orders.returns.photo_files import PhotoFiles

log = structlog.get_logger()
_DRAIN_BYTES = 4 * MOST_BYTES


@contextmanager
def written() -> Iterator[None]:
    """Write photos in this block; ApiError PHOTOS_UNAVAILABLE where their folder takes none."""
    try:
        yield
    except OSError as unwritable:
        log.exception("photos.not_written")
        sentence = "no photo can be kept just now: send it later, or go on without it"
        raise ApiError(503, "PHOTOS_UNAVAILABLE", sentence, headers={"Retry-After": str(RETRY_AFTER_S)}) from unwritable


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; ApiError BODY_CUT_SHORT when its sender goes away."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as gone:
        raise ApiError(400, "BODY_CUT_SHORT", "the body ended before all of it had come: send it again") from gone


async def receive_photo(request: Request, files: PhotoFiles) -> NewPhoto:
    """The photo that is the body. One that is too large is read on for a while, so that the sender gets to hear the refusal."""
    refused: InvalidArgument | None = None
    too_much = 0
    with written(), files.incoming() as incoming:
        async for chunk in chunks(request):
            try:
                too_much += len(chunk) if refused else 0
                if not refused:
                    incoming.write(chunk)
            except InvalidArgument as too_large:
                refused = too_large
            if too_much > _DRAIN_BYTES:
                break
        if refused:
            raise refused
        return await run_in_threadpool(incoming.keep)
