"""What carriers said, once each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Session

from services.fulfillment.domain.carrier_event import CarrierEvent, CarrierStatus
from services.fulfillment.store.tables import carrier_event
from services.runtime.statements import inserted

_EARLIER = select(carrier_event).where(
    carrier_event.c.carrier == bindparam("carrier"), carrier_event.c.event_id == bindparam("event_id")
)


def keep(session: Session, event: CarrierEvent, now: datetime) -> bool:
    """Store the event; False when this carrier sent this event id before, whatever it said then."""
    values = {
        "carrier": event.carrier,
        "event_id": event.event_id,
        "tracking_number": event.tracking_number,
        "status": event.status.value,
        "occurred_at": event.occurred_at,
        "recorded_at": now,
    }
    return inserted(session, carrier_event, **values)


def kept(session: Session, carrier: str, event_id: str) -> CarrierEvent:
    """What the carrier said under this id first."""
    row = session.execute(_EARLIER, {"carrier": carrier, "event_id": event_id}).one()
    return CarrierEvent(row.carrier, row.event_id, row.tracking_number, CarrierStatus(row.status), row.occurred_at)
