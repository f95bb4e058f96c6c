"""Ship confirms that were reversed: kept once each, and read with their shipments."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select
from sqlmodel import Session

from services.fulfillment.domain.shipment import Reversal
from services.fulfillment.store.tables import carrier_event, package, shipment_reversal

_ADD = insert(shipment_reversal)
_OF_SHIPMENTS = select(shipment_reversal).where(shipment_reversal.c.shipment_id.in_(bindparam("ids", expanding=True)))
_EVENT = (
    select(carrier_event.c.event_id)
    .join(package, package.c.tracking_number == carrier_event.c.tracking_number)
    .where(package.c.shipment_id == bindparam("id"), carrier_event.c.carrier == bindparam("by"))
    .limit(1)
)


def add(session: Session, shipment_id: str, reversal: Reversal) -> None:
    """Keep that a ship confirm was reversed."""
    session.execute(
        _ADD,
        {
            "shipment_id": shipment_id,
            "shipped_at": reversal.shipped_at,
            "reversed_at": reversal.reversed_at,
            "reversed_by": reversal.reversed_by,
            "reason": reversal.reason,
            "replaced_by": reversal.replaced_by,
        },
    )


def of_shipments(session: Session, shipment_ids: Sequence[str]) -> dict[str, Reversal]:
    """Shipment id → its reversal, of those that have one."""
    if not shipment_ids:
        return {}
    return {
        row.shipment_id: Reversal(row.shipped_at, row.reversed_at, row.reversed_by, row.reason, row.replaced_by)
        for row in session.execute(_OF_SHIPMENTS, {"ids": list(shipment_ids)})
    }


def is_with_carrier(session: Session, carrier: str, shipment_id: str) -> bool:
    """Whether the carrier has told anything of a package of the shipment."""
    return session.execute(_EVENT, {"id": shipment_id, "by": carrier}).first() is not None
