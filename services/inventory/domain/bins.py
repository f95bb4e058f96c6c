"""Bins: where in a warehouse a SKU lies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.errors import InvalidArgument

_BIN = re.compile(r"[A-Z0-9][A-Z0-9 ./_-]{0,30}[A-Z0-9]|[A-Z0-9]")


@dataclass(frozen=True, slots=True)
class Bin:
    """Where in a warehouse a SKU lies; `name` is empty where that is not said any more."""

    warehouse_id: str
    sku: str
    name: str


def bin_name(typed: str) -> str:
    """A bin's name in capitals, for people type it in either; empty stays empty. Refused BIN_MALFORMED."""
    name = " ".join(typed.split()).upper()
    if name and not _BIN.fullmatch(name):
        raise InvalidArgument(
            "BIN_MALFORMED", "name a bin by at most 32 letters, digits, blanks and . / _ -, such as A-01-3"
        )
    return name


def check_once(bins: Sequence[Bin]) -> None:
    """Refused BIN_TWICE where a SKU of a warehouse is named twice: it lies in one bin."""
    seen: set[tuple[str, str]] = set()
    for one in bins:
        if (one.warehouse_id, one.sku) in seen:
            raise InvalidArgument("BIN_TWICE", f"{one.sku} is named twice for {one.warehouse_id}: name one bin of it")
        seen.add((one.warehouse_id, one.sku))
