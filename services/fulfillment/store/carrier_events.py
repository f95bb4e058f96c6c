"""What carriers said, once each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Session

from services.fulfillment.domain.carrier_event import CarrierEvent
from services.fulfillment.store.tables import carrier_event
from services.runtime.statements import inserted

_PARCEL = select(carrier_event.c.tracking_number).where(
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


def parcel_of(session: Session, carrier: str, event_id: str) -> str:
    """The tracking number a stored event was about."""
    return str(session.execute(_PARCEL, {"carrier": carrier, "event_id": event_id}).scalar_one())
