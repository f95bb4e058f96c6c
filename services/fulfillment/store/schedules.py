"""When warehouses work, and what waits to leave them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, time
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlmodel import Session

from services.fulfillment.domain.schedules import WEEKDAYS, Schedule
from services.fulfillment.store.counters import next_value
from services.fulfillment.store.tables import shipment, shipment_line, warehouse_schedule
from services.runtime import versioned
from services.runtime.business_days import public_holidays

COUNTER = "warehouse_schedules"
"""Counts the changes of schedules, so that who remembers them knows when to read again."""
_EVERY = select(warehouse_schedule).order_by(warehouse_schedule.c.warehouse_id)
_WAITING = (
    select(shipment.c.warehouse_id, func.sum(shipment_line.c.quantity).label("units"))
    .join(shipment_line, shipment_line.c.shipment_id == shipment.c.shipment_id)
    .where(
        shipment.c.state.in_(("released", "picked")), shipment.c.warehouse_id.in_(bindparam("places", expanding=True))
    )
    .group_by(shipment.c.warehouse_id)
)


def every(session: Session) -> list[Schedule]:
    """All schedules, by warehouse."""
    return [_schedule(row) for row in session.execute(_EVERY)]


def put(session: Session, wanted: Schedule, expected: int | None) -> Schedule:
    """Put it in place of the warehouse's schedule before; the same again changes nothing. Refused VERSION_STALE."""
    known = next((one for one in every(session) if one.warehouse_id == wanted.warehouse_id), None)
    if known and versioned.is_unchanged(known, wanted, expected):
        return known
    next_value(session, COUNTER)
    values = {
        "time_zone": wanted.time_zone,
        "days": ",".join(WEEKDAYS[day] for day in sorted(wanted.days)),
        "holidays_of": wanted.holidays_of,
        "closed_on": [day.isoformat() for day in wanted.closed_on],
        "cut_off": wanted.cut_off.strftime("%H:%M") if wanted.cut_off else "",
        "daily_units": wanted.daily_units,
    }
    key = {"warehouse_id": wanted.warehouse_id}
    version = versioned.put(session, warehouse_schedule, key, values, expected or None)
    return replace(wanted, version=version)


def waiting_units(session: Session, places: Collection[str]) -> dict[str, int]:
    """Warehouse id → units that are with it and neither packed nor gone."""
    rows = session.execute(_WAITING, {"places": sorted(places)})
    return {row.warehouse_id: int(row.units) for row in rows}


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        row.warehouse_id,
        row.time_zone,
        frozenset(WEEKDAYS.index(day) for day in row.days.split(",")),
        row.holidays_of,
        tuple(date.fromisoformat(day) for day in row.closed_on),
        time.fromisoformat(row.cut_off) if row.cut_off else None,
        row.daily_units,
        row.version,
        public_holidays(row.holidays_of),
    )
