"""Posted forms: bounded, URL-encoded, each field once, nothing unprintable."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from fastapi import Request

from gateway.console.lines import LINES
from gateway.http.plumbing.problems import ApiError
from services.kernel.errors import InvalidArgument
from services.kernel.text import is_printable, one_line

MAX_BYTES = 64 * 1024
MAX_FIELDS = 4 * LINES
"""Three for each line of a page, and room for all others."""


async def read_form(request: Request) -> dict[str, str]:
    """Field → value, line breaks turned into blanks. ApiError 413 or 415, InvalidArgument for what no page of ours sends."""
    media = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise ApiError(415, "NOT_A_FORM", "this address takes a form: use the button on its page")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ApiError(413, "FORM_TOO_LARGE", f"a form has at most {MAX_BYTES // 1024} KiB: write less")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as unreadable:
        raise InvalidArgument(
            "FORM_UNREADABLE", "the form could not be read: reload the page and send it again"
        ) from unreadable
    return checked(pairs)


def query_fields(request: Request) -> dict[str, str]:
    """The fields of a form that was sent by GET, bounded as a posted one is."""
    if len(request.url.query) > MAX_BYTES:
        raise ApiError(413, "FORM_TOO_LARGE", f"a form has at most {MAX_BYTES // 1024} KiB: write less")
    return checked(request.query_params.multi_items())


def checked(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Field → value in one line; InvalidArgument FORM_UNREADABLE for a field twice or invisible characters."""
    fields = {name: " ".join(one_line(value).split()) for name, value in pairs}
    if len(fields) != len(pairs) or not all(is_printable(text) for pair in fields.items() for text in pair):
        raise InvalidArgument("FORM_UNREADABLE", "the form holds a field twice or invisible characters: write it again")
    return fields


def whole_units(value: str, line_id: str) -> int:
    """A typed number of units of a line; InvalidArgument QUANTITY_UNREADABLE for anything else."""
    return whole_units_of(f"line {line_id[:20]}", value)


def whole_units_of(what: str, value: str) -> int:
    """A typed number of units of what the page names; InvalidArgument QUANTITY_UNREADABLE for anything else."""
    if not (value.isascii() and value.isdigit() and len(value) < 8):
        raise InvalidArgument("QUANTITY_UNREADABLE", f"{what}: enter a whole number of units")
    return int(value)
