"""Documents that are files: how they are described, and the headers they leave with."""

from __future__ import annotations

from typing import Any

from fastapi import Response

DEADLINE_S = 30.0
"""How long a document is waited for: one of thousands of lines takes seconds where others are made."""

_BUSY = "Several long documents are being made: ask again in a few seconds."


class PdfResponse(Response):
    """A PDF."""

    media_type = "application/pdf"


class XmlResponse(Response):
    """An XML document."""

    media_type = "application/xml"


class ZplResponse(Response):
    """Labels for a label printer."""

    media_type = "application/vnd.zebra.zpl"


def described(
    kind: type[PdfResponse | XmlResponse | ZplResponse], refused: str = _BUSY
) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation that gives a file, `refused` being what its 409 means."""
    schema = {"type": "string", "format": "binary"}
    return {
        200: {"description": "The file.", "content": {str(kind.media_type): {"schema": schema}}},
        409: {"description": refused},
    }


def as_file(kind: type[PdfResponse | XmlResponse | ZplResponse], content: bytes, name: str) -> Response:
    """A file that browsers save and show nowhere near our pages, and that nobody keeps a copy of on the way; its name is a plain word."""
    return kind(
        content,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
