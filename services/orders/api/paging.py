"""Lists in pages: `?limit=&cursor=`, a stable order, and `next_cursor` until the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

Row = TypeVar("Row")

MAX_LIMIT = 200
DEFAULT_LIMIT = 50


class Page(BaseModel, Generic[Row]):
    """One page of a list."""

    rows: list[Row] = Field(description="In a stable order.")
    next_cursor: str | None = Field(description="Give it back as cursor for the next page; null at the end.")


class Paging(BaseModel):
    """Which page is asked for."""

    limit: int = DEFAULT_LIMIT
    cursor: str = ""


async def _paging(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most this many rows.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str, Query(max_length=300, pattern=r"^[!-~]*$", description="The next_cursor of the page before.")
    ] = "",
) -> Paging:
    return Paging(limit=limit, cursor=cursor)


PagingOf = Annotated[Paging, Depends(_paging)]


def cut(found: Sequence[Row], limit: int, cursor: Callable[[Row], str]) -> tuple[Sequence[Row], str | None]:
    """The page and its next cursor, from one row more than the page takes."""
    page = found[:limit]
    return page, cursor(page[-1]) if len(found) > limit else None
