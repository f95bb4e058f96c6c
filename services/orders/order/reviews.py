"""The end of a review: its state, and what stood for it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.orders.order import exceptions
from services.orders.store import reviews as store


def end_review(session: Session, review_id: str, state: str, now: datetime) -> None:
    """Give a review whose order is locked its last state; whoever was missing for it is not missed any more."""
    store.change_review(session, review_id, {"state": state, "decided_at": now})
    exceptions.resolve_short_of_people(session, [review_id], f"The review is {state}.", now)
