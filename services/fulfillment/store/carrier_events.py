"""What carriers said, once each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from services.fulfillment.domain.carrier_event import CarrierEvent
from services.fulfillment.models import CarrierEventRow


def keep(session: Session, event: CarrierEvent, now: datetime) -> bool:
    """Store the event; False when this carrier sent this event id before, whatever it said then."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(CarrierEventRow).values(
        carrier=event.carrier,
        event_id=event.event_id,
        tracking_number=event.tracking_number,
        status=event.status.value,
        occurred_at=event.occurred_at,
        recorded_at=now,
    )
    kept = insert.on_conflict_do_nothing(index_elements=["carrier", "event_id"]).returning(
        col(CarrierEventRow.event_id)
    )
    return session.execute(kept).first() is not None


def parcel_of(session: Session, carrier: str, event_id: str) -> str:
    """The tracking number a stored event was about."""
    wanted = select(CarrierEventRow.tracking_number)
    return session.exec(
        wanted.where(col(CarrierEventRow.carrier) == carrier, col(CarrierEventRow.event_id) == event_id)
    ).one()
