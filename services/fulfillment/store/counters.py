"""Sequences that a transaction takes numbers from; whoever comes second waits for the first to commit."""

from sqlalchemy import text
from sqlmodel import Session

FIRST = {"shipment": 1001, "wave": 1001}
"""Where a sequence starts when not at 1."""

_TAKE = text(
    "INSERT INTO counter (name, value) VALUES (:name, :start + :count) "
    "ON CONFLICT (name) DO UPDATE SET value = counter.value + :count RETURNING value"
)


def next_value(session: Session, name: str, count: int = 1) -> int:
    """Take `count` numbers in a row and give the first. Rolled back numbers are taken again: there are no gaps."""
    start = FIRST.get(name, 1) - 1
    last = int(session.execute(_TAKE, {"name": name, "start": start, "count": count}).scalar_one())
    return last - count + 1
