"""What stands in the address of a list of accounting."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path, Query

from gateway.http.plumbing.inputs import IDENTITY, PRINTABLE, TYPED_KEY
from gateway.http.plumbing.paging import Paging, sealed

Typed = Annotated[str, Query(max_length=200, pattern=PRINTABLE), TYPED_KEY]
Word = Annotated[str, Query(pattern="^[a-z_]{0,40}$")]
Cursor = Annotated[str, Query(max_length=1000, pattern=r"^[!-~]*$")]
CurrencyWord = Annotated[str, Query(pattern="^([A-Z]{3})?$")]
PaymentOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


def after(path: str, cursor: str) -> str:
    """What billing said that the page before of this list ended with; CURSOR_INVALID for what next_page() never gave."""
    return Paging(cursor=cursor).after(path)


def next_page(path: str, found: str, **members: str) -> str:
    """The address of the page of this list behind billing's cursor; members that say nothing are left out."""
    query = {name: value for name, value in members.items() if value}
    return f"{path}?{urlencode({**query, 'cursor': sealed(path, found)})}"
