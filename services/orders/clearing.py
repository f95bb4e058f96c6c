"""Reading the clearance: what the order's workflow asks whenever somebody may have decided."""

from __future__ import annotations

from sqlmodel import Session

from services.orders.domain.clearance import Clearance, clearance
from services.orders.dossier import Dossier, read


def read_clearance(session: Session, order_id: str) -> Clearance:
    """The clearance now; NotFound for an order that does not exist."""
    return of_dossier(read(session, order_id))


def of_dossier(dossier: Dossier) -> Clearance:
    """The clearance of an order as it was read."""
    return clearance(dossier.order, dossier.asked.reviews, dossier.asked.change)
