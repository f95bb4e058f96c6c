"""Waves: kept with their shipments, and read with where those stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlmodel import Session

from services.fulfillment.domain.waves import Wave, unknown_wave, wave_serial
from services.fulfillment.store.tables import DUE_FIRST, shipment, shipment_line, wave, wave_shipment
from services.runtime.audit import Invariant
from services.runtime.db import UtcDateTime

_RELEASED: ColumnElement[str] = literal_column("'released'")
_IS_TO_PICK = shipment.c.state == _RELEASED
_MEMBERS = wave_shipment.join(shipment, shipment.c.shipment_id == wave_shipment.c.shipment_id)
_ADD, _ADD_SHIPMENTS = insert(wave), insert(wave_shipment)
_STANDING = (
    select(
        wave_shipment.c.wave_id,
        func.count().label("in_it"),
        func.sum(case((_IS_TO_PICK, 1), else_=0)).label("to_pick"),
        func.max(func.coalesce(shipment.c.picked_at, shipment.c.cancelled_at), type_=UtcDateTime()).label("last_at"),
    )
    .select_from(_MEMBERS)
    .where(wave_shipment.c.wave_id.in_(bindparam("ids", expanding=True)))
    .group_by(wave_shipment.c.wave_id)
)
_SHIPMENT_IDS = select(wave_shipment.c.shipment_id).where(wave_shipment.c.wave_id == bindparam("wave"))
_TAKEN = (
    select(wave_shipment.c.shipment_id, wave.c.serial)
    .join(wave, wave.c.wave_id == wave_shipment.c.wave_id)
    .where(wave_shipment.c.shipment_id.in_(bindparam("ids", expanding=True)))
)
_OPEN = select(wave_shipment.c.wave_id).select_from(_MEMBERS).where(_IS_TO_PICK)
_DUE = (
    select(shipment.c.shipment_id)
    .where(
        _IS_TO_PICK,
        shipment.c.warehouse_id == bindparam("place"),
        shipment.c.recall_id.is_(None),
        ~exists().where(wave_shipment.c.shipment_id == shipment.c.shipment_id),
    )
    .order_by(*DUE_FIRST)
    .limit(bindparam("most"))
)
_LINES = (
    select(shipment_line.c.shipment_id, func.count())
    .where(shipment_line.c.shipment_id.in_(bindparam("ids", expanding=True)))
    .group_by(shipment_line.c.shipment_id)
)
_CANCEL = (
    update(wave).where(wave.c.wave_id == bindparam("of_wave")).values(cancelled_at=bindparam("at", type_=UtcDateTime()))
)
_TAKE_OUT = delete(wave_shipment).where(
    wave_shipment.c.wave_id == bindparam("of_wave"),
    wave_shipment.c.shipment_id.in_(select(shipment.c.shipment_id).where(_IS_TO_PICK)),
)

INVARIANTS = (
    Invariant(
        "fulfillment.waves_are_of_one_warehouse",
        "Every shipment of a wave leaves the wave's warehouse.",
        "SELECT 'SH-' || shipment.serial || ' in WV-' || wave.serial AS offender FROM wave_shipment "
        "JOIN wave ON wave.wave_id = wave_shipment.wave_id "
        "JOIN shipment ON shipment.shipment_id = wave_shipment.shipment_id WHERE shipment.warehouse_id <> wave.warehouse_id",
    ),
    Invariant(
        "fulfillment.cancelled_waves_hold_nothing",
        "Nothing of a wave that was cancelled is to be picked, and a wave that was not has shipments.",
        "SELECT 'WV-' || wave.serial AS offender FROM wave WHERE (cancelled_at IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM wave_shipment WHERE wave_shipment.wave_id = wave.wave_id)) OR (cancelled_at IS NOT NULL AND EXISTS "
        "(SELECT 1 FROM wave_shipment JOIN shipment ON shipment.shipment_id = wave_shipment.shipment_id "
        "WHERE wave_shipment.wave_id = wave.wave_id AND shipment.state = 'released'))",
    ),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which waves are asked for; an empty warehouse asks for all, `before` is the serial of the last one seen, 0 for the first page."""

    warehouse_id: str
    is_all: bool
    before: int
    limit: int


def add(session: Session, new: Wave, shipment_ids: Sequence[str]) -> None:
    """Keep a new wave with its shipments, none of which is in a wave."""
    names = ("wave_id", "serial", "warehouse_id", "picker", "created_by", "created_at", "cancelled_at")
    session.execute(_ADD, {name: getattr(new, name) for name in names})
    session.execute(_ADD_SHIPMENTS, [{"shipment_id": one, "wave_id": new.wave_id} for one in shipment_ids])


def get(session: Session, named: str) -> Wave:
    """A wave by its id or number. Raises NotFound."""
    serial = wave_serial(named)
    by = wave.c.serial == serial if serial is not None else wave.c.wave_id == named
    found = _load(session, session.execute(select(wave).where(by)).all())
    if not found:
        raise unknown_wave(named)
    return found[0]


def shipment_ids(session: Session, wave_id: str) -> list[str]:
    """The shipments of a wave."""
    return list(session.scalars(_SHIPMENT_IDS, {"wave": wave_id}))


def taken(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Shipment id → serial of the wave that it is in, of those that are in one."""
    return {row.shipment_id: row.serial for row in session.execute(_TAKEN, {"ids": list(ids)})}


def due(session: Session, warehouse_id: str, most: int) -> list[str]:
    """Shipments that are to be picked, in no wave and not asked back, the soonest promised first."""
    return list(session.scalars(_DUE, {"place": warehouse_id, "most": most}))


def line_counts(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Shipment id → how many lines it has."""
    return {key: int(count) for key, count in session.execute(_LINES, {"ids": list(ids)})}


def cancel(session: Session, wave_id: str, now: datetime) -> None:
    """Take out of a wave what is to be picked, and close it."""
    session.execute(_TAKE_OUT, {"of_wave": wave_id})
    session.execute(_CANCEL, {"of_wave": wave_id, "at": now})


def page(session: Session, wanted: Filter) -> tuple[list[Wave], int | None]:
    """A page of waves, the newest first, and the `before` of the next page; None at the end."""
    terms: dict[str, Any] = {"most": wanted.limit + 1}
    terms |= {"place": wanted.warehouse_id} if wanted.warehouse_id else {}
    terms |= {"before": wanted.before} if wanted.before else {}
    query = _page(of_warehouse=bool(wanted.warehouse_id), is_later=bool(wanted.before), is_all=wanted.is_all)
    rows = session.execute(query, terms).all()
    shown = _load(session, rows[: wanted.limit])
    return shown, shown[-1].serial if len(rows) > wanted.limit else None


@cache
def _page(*, of_warehouse: bool, is_later: bool, is_all: bool) -> Select[Any]:
    """The query for these terms; built once for each choice of them."""
    rows = select(wave)
    if of_warehouse:
        rows = rows.where(wave.c.warehouse_id == bindparam("place"))
    if is_later:
        rows = rows.where(wave.c.serial < bindparam("before"))
    if not is_all:
        rows = rows.where(wave.c.wave_id.in_(_OPEN))
    return rows.order_by(wave.c.serial.desc()).limit(bindparam("most"))


def _load(session: Session, rows: Sequence[Row[Any]]) -> list[Wave]:
    """Domain values of rows in their order, with where their shipments stand."""
    ids = [row.wave_id for row in rows]
    standing = {one.wave_id: one for one in session.execute(_STANDING, {"ids": ids})} if ids else {}
    return [_wave(row, standing.get(row.wave_id)) for row in rows]


def _wave(row: Row[Any], standing: Row[Any] | None) -> Wave:
    return Wave(
        row.wave_id,
        row.serial,
        row.warehouse_id,
        row.picker,
        row.created_by,
        row.created_at,
        row.cancelled_at,
        int(standing.in_it) if standing else 0,
        int(standing.to_pick) if standing else 0,
        standing.last_at if standing else None,
    )
