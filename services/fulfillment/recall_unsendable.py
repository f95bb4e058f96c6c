"""Taking back what a warehouse cannot send, inside the caller's transaction: the warehouse itself has said so, and nobody answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from services.fulfillment import recall_units
from services.fulfillment.domain.recall import released_at
from services.fulfillment.store import orders, shipments


def recall(
    session: Session, order_id: str, sourcing_request_id: str, places: Collection[str], reason: str, now: datetime
) -> tuple[int, int]:
    """Units that left their shipments, and units of other pending recalls; what is picked stays with its warehouse."""
    orders.claim(session, order_id)
    siblings = shipments.of_order(session, order_id)
    lines, waiting = released_at(siblings, places)
    if lines:
        recall_units.take_back(session, siblings[0], sourcing_request_id, lines, reason, now)
    return sum(line.quantity for line in lines), waiting
