"""Which shipments have arrived, for invoices that are due on delivery."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, select, text
from sqlmodel import Session

from services.billing.store import tables
from services.runtime.statements import changed

_row = tables.delivery.c
_AWAIT = text(
    "INSERT INTO delivery (shipment_id, delivered_on) VALUES (:shipment, '') ON CONFLICT (shipment_id) DO NOTHING"
)
_RECORD = text(
    "INSERT INTO delivery (shipment_id, delivered_on) VALUES (:shipment, :day) ON CONFLICT (shipment_id) "
    "DO UPDATE SET delivered_on = excluded.delivered_on WHERE delivery.delivered_on = ''"
)
_DAYS = select(_row.delivered_on).where(
    _row.shipment_id.in_(bindparam("shipments", expanding=True)), _row.delivered_on != ""
)
_OF_SHIPMENT = select(_row.delivered_on).where(_row.shipment_id == bindparam("shipment"))


def awaited(session: Session, shipment_id: str) -> date | None:
    """The day a shipment arrived; None when it has not: who records it later then waits for this transaction."""
    session.execute(_AWAIT, {"shipment": shipment_id})
    day = str(session.execute(_OF_SHIPMENT, {"shipment": shipment_id}).scalar_one())
    return date.fromisoformat(day) if day else None


def days(session: Session, shipment_ids: Sequence[str]) -> list[date]:
    """The days on which those of these shipments arrived that have."""
    found = session.execute(_DAYS, {"shipments": list(shipment_ids)}).scalars()
    return [date.fromisoformat(day) for day in found]


def record(session: Session, shipment_id: str, delivered_on: date) -> bool:
    """Keep the day a shipment arrived; whether it is news."""
    return changed(session, _RECORD, {"shipment": shipment_id, "day": delivered_on.isoformat()}) == 1
