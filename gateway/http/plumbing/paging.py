"""Lists in pages: `?limit=&cursor=`, a stable order, and `next_cursor` until the end."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from services.kernel.clock import from_micros, micros
from services.kernel.errors import InvalidArgument

Row = TypeVar("Row")

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_CURSOR = 700
"""Characters of a cursor: a sale's reference of 64 characters, folded, takes up to 5 bytes each; billing seals it, then the list."""
_DIGITS = 18
"""Of microseconds, one more than an instant may have."""


class Page(BaseModel, Generic[Row]):
    """One page of a list."""

    rows: list[Row] = Field(description="In a stable order.")
    next_cursor: str | None = Field(description="Give it back as cursor for the next page; null at the end.")


class Paging(BaseModel):
    """Which page is asked for."""

    limit: int = DEFAULT_LIMIT
    cursor: str = ""

    def after(self, of: str) -> str:
        """The key that the page before ended with, empty for the first page.

        CURSOR_INVALID for what the list named `of` never gave: a text taken for a key would quietly skip rows.
        """
        if not self.cursor:
            return ""
        try:
            kept, key = json.loads(base64.urlsafe_b64decode(self.cursor))
            if kept != of or not (isinstance(key, str) and key.isprintable()) or sealed(of, key) != self.cursor:
                raise ValueError(of)
        except (ValueError, TypeError, binascii.Error) as unreadable:
            sentence = "the cursor is not one of this list: begin again without it"
            raise InvalidArgument("CURSOR_INVALID", sentence) from unreadable
        return key

    def after_instant(self, of: str) -> tuple[datetime, str] | None:
        """The instant and the id that the page before ended with, None for the first page; CURSOR_INVALID as after() has it."""
        key = self.after(of)
        if not key:
            return None
        at, _, identity = key.partition(" ")
        if not (at.isascii() and at.isdigit() and len(at) < _DIGITS and identity):
            raise InvalidArgument("CURSOR_INVALID", "the cursor is not one of this list: begin again without it")
        return from_micros(int(at)), identity

    def after_number(self) -> int:
        """The number that the page before ended with, 0 for the first page; CURSOR_INVALID for what is no number above 0."""
        if not self.cursor:
            return 0
        if not (self.cursor.isascii() and self.cursor.isdigit() and len(self.cursor) < 10 and int(self.cursor)):
            raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
        return int(self.cursor)


def sealed(of: str, key: str) -> str:
    """The cursor behind a row of the list named `of`; nothing when there is no row."""
    return base64.urlsafe_b64encode(json.dumps([of, key]).encode()).decode() if key else ""


def sealed_instant(of: str, at: datetime, identity: str) -> str:
    """The cursor behind a row of a list that is sorted by instant and id."""
    return sealed(of, f"{micros(at)} {identity}")


async def _paging(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most this many rows.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str, Query(max_length=MAX_CURSOR, pattern=r"^[!-~]*$", description="The next_cursor of the page before.")
    ] = "",
) -> Paging:
    return Paging(limit=limit, cursor=cursor)


PagingOf = Annotated[Paging, Depends(_paging)]


def cut(found: Sequence[Row], limit: int, cursor: Callable[[Row], str]) -> tuple[Sequence[Row], str | None]:
    """The page and its next cursor, from one row more than the page takes."""
    page = found[:limit]
    return page, cursor(page[-1]) if len(found) > limit else None
