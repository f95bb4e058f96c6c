"""Lists in pages: `?limit=&cursor=`, a stable order, and `next_cursor` until the end."""

from __future__ import annotations

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


def _paging(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most this many rows.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str, Query(max_length=300, pattern=r"^[!-~]*$", description="The next_cursor of the page before.")
    ] = "",
) -> Paging:
    return Paging(limit=limit, cursor=cursor)


PagingOf = Annotated[Paging, Depends(_paging)]
