"""What stands in the address of a list of accounting."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path, Query

from gateway.http.plumbing.inputs import IDENTITY, PRINTABLE, TYPED_KEY

Typed = Annotated[str, Query(max_length=200, pattern=PRINTABLE), TYPED_KEY]
Word = Annotated[str, Query(pattern="^[a-z_]{0,40}$")]
Cursor = Annotated[str, Query(max_length=300, pattern=r"^[!-~]*$")]
CurrencyWord = Annotated[str, Query(pattern="^([A-Z]{3})?$")]
PaymentOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


def address(path: str, **members: str) -> str:
    """A path with those members that say something."""
    query = urlencode({name: value for name, value in members.items() if value})
    return f"{path}?{query}" if query else path
