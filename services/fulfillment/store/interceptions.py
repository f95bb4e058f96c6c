"""Interceptions: one a shipment, answered once, and read with their shipments."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session

from services.fulfillment.domain.interception import ASKED, Interception
from services.fulfillment.store.tables import shipment_interception
from services.runtime.db import UtcDateTime
from services.runtime.statements import changed

_row = shipment_interception.c
_ADD = insert(shipment_interception)
_OF_SHIPMENTS = select(shipment_interception).where(_row.shipment_id.in_(bindparam("ids", expanding=True)))
_ANSWER = (
    update(shipment_interception)
    .where(_row.shipment_id == bindparam("of_shipment"), _row.state == ASKED)
    .values(state=bindparam("now_state"), answered_at=bindparam("at", type_=UtcDateTime()))
)


def add(session: Session, shipment_id: str, asked: Interception) -> None:
    """Keep that a carrier is asked."""
    values = {name: getattr(asked, name) for name in ("state", "reason", "asked_by", "asked_at", "answered_at")}
    session.execute(_ADD, {"shipment_id": shipment_id, **values})


def answer(session: Session, shipment_id: str, found: Interception) -> bool:
    """Keep what came of it; False when it was answered before."""
    terms = {"of_shipment": shipment_id, "now_state": found.state, "at": found.answered_at}
    return changed(session, _ANSWER, terms) == 1


def of_shipments(session: Session, shipment_ids: Sequence[str]) -> dict[str, Interception]:
    """Shipment id → its interception, of those whose carrier was asked."""
    if not shipment_ids:
        return {}
    return {
        row.shipment_id: Interception(row.state, row.reason, row.asked_by, row.asked_at, row.answered_at)
        for row in session.execute(_OF_SHIPMENTS, {"ids": list(shipment_ids)})
    }
