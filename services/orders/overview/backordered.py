"""Reads what lines that wait for stock are called and worth."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session

from services.orders.store import backordered
from services.orders.store.backordered import BackorderedLine

__all__ = ["BackorderedLine", "lines"]


def lines(session: Session, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], BackorderedLine]:
    """(Order id, line id) → whose the line is, and what a unit of it was sold for; of those that exist."""
    return backordered.lines(session, wanted)
