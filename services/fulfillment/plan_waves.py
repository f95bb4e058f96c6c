"""Making waves and canceling them, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlmodel import Session

from services.fulfillment.domain.waves import Wanted, Wave, check_members, check_open, check_wanted
from services.fulfillment.store import shipments, waves
from services.fulfillment.store.counters import next_value
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import Refused
from services.kernel.ids import new_id

log = structlog.get_logger()


def create(session: Session, wanted: Wanted, now: datetime) -> Wave:
    """A wave of the shipments that are chosen, or of those that are due next; refused as domain.waves says."""
    check_wanted(wanted)
    # whoever makes another wave waits here, and then reads which shipments this one has taken
    serial = next_value(session, "wave")
    ids = _chosen(session, wanted) if wanted.shipment_ids else _due(session, wanted)
    made = Wave(new_id("wav"), serial, wanted.warehouse_id, wanted.picker, wanted.created_by, now)
    waves.add(session, made, ids)
    log.info("wave.created", number=made.number, warehouse_id=made.warehouse_id, shipments=len(ids))
    return waves.get(session, made.wave_id)


def cancel(session: Session, named: str, now: datetime) -> Wave:
    """The wave with nothing more to be picked; one that was canceled before stays as it is. Refused WAVE_CLOSED."""
    wave = waves.get(session, named)
    if wave.cancelled_at is not None:
        return wave
    check_open(wave)
    waves.cancel(session, wave.wave_id, now)
    log.info("wave.cancelled", number=wave.number, freed=wave.to_pick_count)
    return waves.get(session, wave.wave_id)


def _chosen(session: Session, wanted: Wanted) -> Sequence[str]:
    ids = wanted.shipment_ids
    found = shipments.by_ids(session, ids)
    for one in ids:
        if one not in found:
            raise shipments.unknown(one)
    check_members(wanted, [found[one] for one in ids], waves.taken(session, ids))
    if _fitting(session, ids) < len(ids):
        raise Refused("WAVE_TOO_LARGE", f"they have more than {MAX_LINES} lines together: choose fewer shipments")
    return ids


def _due(session: Session, wanted: Wanted) -> Sequence[str]:
    ids = waves.due(session, wanted.warehouse_id, wanted.count)
    if not ids:
        raise Refused(
            "NOTHING_TO_PICK",
            f"nothing in {wanted.warehouse_id} is to be picked that is in no wave and not asked back: look at the open waves, "
            "or check the warehouse",
        )
    return ids[: _fitting(session, ids)]


def _fitting(session: Session, ids: Sequence[str]) -> int:
    """How many of these shipments a wave takes, one at least."""
    lines, total = waves.line_counts(session, ids), 0
    for place, one in enumerate(ids):
        total += lines.get(one, 0)
        if place and total > MAX_LINES:
            return place
    return len(ids)
