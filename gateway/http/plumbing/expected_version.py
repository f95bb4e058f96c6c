"""The version of an order, or of master data, that a caller has seen: in the body, or as If-Match."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

from services.kernel.errors import InvalidArgument


async def _seen(
    if_match: Annotated[
        str | None,
        Header(pattern=r'^"?[0-9]{1,9}"?$', description="The version that you have seen; stale is 409."),
    ] = None,
) -> int | None:
    return int(if_match.strip('"')) if if_match else None


IfMatch = Annotated[int | None, Depends(_seen)]


def expected_version(in_body: int | None, in_header: int | None) -> int | None:
    """The version to check against; two that differ are InvalidArgument."""
    if in_body is not None and in_header is not None and in_body != in_header:
        raise InvalidArgument("VERSIONS_DIFFER", "If-Match and version name different versions: send one of them")
    return in_body if in_body is not None else in_header
