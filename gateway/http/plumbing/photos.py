"""A photo as it leaves: of the kind that was checked, shown by itself, and run by no browser as anything else."""

from __future__ import annotations

from fastapi import Response

from services.kernel.pictures import ENDINGS
from services.orders.domain.return_photos import ReturnPhoto

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # a browser lays a picture out by styles of its own
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=600",
}


def as_photo(content: bytes, photo: ReturnPhoto, number: str) -> Response:
    """The answer with a photo of the return of this number."""
    name = f"{number}-{photo.stage}-{photo.position}.{ENDINGS[photo.media_type]}"
    headers = {**_HEADERS, "Content-Disposition": f'inline; filename="{name}"'}
    return Response(content, media_type=photo.media_type, headers=headers)
