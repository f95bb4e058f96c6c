"""Writes a shipment's fact beside the change it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlmodel import Session

from services.fulfillment.domain.shipment import Shipment
from services.runtime.outbox import emit

log = structlog.get_logger()


def emit_fact(session: Session, kind: str, subject: Shipment, detail: Mapping[str, Any], now: datetime) -> None:
    """Emit the fact and log the decision."""
    emit(session, kind=kind, order_id=subject.order_id, subject_id=subject.shipment_id, detail=detail, now=now)
    log.info(
        kind.replace("_", ".", 1), order_id=subject.order_id, shipment_id=subject.shipment_id, number=subject.number
    )
