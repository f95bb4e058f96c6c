"""Takes goods out of shipments that a count has not found: a recall that whoever counted answers with the count itself."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.fulfillment import recall_units
from services.fulfillment.domain.recall import Recall
from services.fulfillment.domain.shipment import State
from services.fulfillment.domain.uncovered import Covered, ShortUnits, nothing_of, uncovered
from services.fulfillment.store import orders, recalls, shipments
from services.kernel.ids import new_id


def recall(
    session: Session,
    order_id: str,
    count_id: str,
    covered: Covered | None,
    *,
    short: ShortUnits | None = None,
    reason: str,
    now: datetime,
) -> tuple[Recall | None, dict[tuple[str, str], int]]:
    """The recall that took units out, if there were any to take, and what is picked beyond what is covered. A repeat takes nothing.

    Without `covered` all that is not picked comes out. What a picker found `short` leaves its shipment once.
    """
    if orders.claim(session, order_id):
        return None, {}
    siblings = shipments.of_order(session, order_id)
    if short and recalls.is_asked(session, order_id, count_id):
        short = None
    lines, kept = uncovered(nothing_of(siblings) if covered is None else covered, siblings, short)
    if not lines:
        return None, kept
    asked = Recall(new_id("rcl"), order_id, siblings[0].order_number, count_id, now, lines)
    recalls.add(session, asked, (State.RELEASED,))
    return recall_units.answer(session, asked.recall_id, is_acknowledged=True, reason=reason, now=now), kept
