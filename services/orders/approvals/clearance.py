"""The clearance: what the order's workflow asks whenever somebody may have decided, and letting an order go on."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.orders.domain.clearance import Clearance, clearance
from services.orders.domain.holds import remaining
from services.orders.domain.order import IN_REVIEW
from services.orders.order.aggregate import Actor, Dossier, advance, read


def read_clearance(session: Session, order_id: str) -> Clearance:
    """The clearance now; NotFound for an order that does not exist."""
    return of_dossier(read(session, order_id))


def of_dossier(dossier: Dossier) -> Clearance:
    """The clearance of an order as it was read, and whom it waits for as its page says."""
    return clearance(dossier.order, dossier.asked, dossier.standing.waiting_for)


def go_on(session: Session, dossier: Dossier, actor: Actor, now: datetime) -> Dossier:
    """Clear an order in review that nothing keeps any more: no open hold, no review that stands, no change on its way.

    Whoever takes the last of them away calls this, in the same transaction; an order that something still keeps stays as it is.
    """
    if dossier.order.phase != IN_REVIEW or remaining(dossier.holds) or dossier.asked.is_anything:
        return dossier
    return advance(session, dossier, "clear", actor, now)
