"""Writes a shipment's fact beside the change it speaks of."""

from __future__ import annotations

from datetime import datetime

import structlog
from google.protobuf.message import Message
from sqlmodel import Session

from services.fulfillment.domain.shipment import Shipment
from services.runtime import facts

log = structlog.get_logger()


def emit_fact(session: Session, detail: Message, subject: Shipment, now: datetime) -> None:
    """Emit the fact and log the decision."""
    facts.emit_fact(session, detail, order_id=subject.order_id, subject_id=subject.shipment_id, now=now)
    kind = facts.KINDS[detail.DESCRIPTOR.name]
    log.info(
        kind.replace("_", ".", 1), order_id=subject.order_id, shipment_id=subject.shipment_id, number=subject.number
    )
