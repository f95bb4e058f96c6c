"""Parcels: stored, taken by one at a time, found and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, func, insert, literal_column, select, update
from sqlmodel import Session

from services.kernel.errors import NotFound
from services.orders.domain.parcels import WAITING, Parcel, ParcelLine
from services.orders.models import ParcelLineRow, ParcelRow
from services.orders.store.orders import next_value
from services.runtime.db import table_of
from services.runtime.statements import changed

_parcel, _line = table_of(ParcelRow), table_of(ParcelLineRow)
_IS_WAITING = _parcel.c.state == literal_column("'waiting'")
_HAS_RETURN = _parcel.c.return_id != literal_column("''")
_LINES = (
    select(_line)
    .where(_line.c.parcel_id.in_(bindparam("ids", expanding=True)))
    .order_by(_line.c.parcel_id, _line.c.position)
)
_MATCHED = (
    update(_line)
    .where(_line.c.parcel_id == bindparam("of_parcel"), _line.c.position == bindparam("at"))
    .values(matched=bindparam("units"))
)
_PLAIN = (
    "parcel_id", "number", "warehouse_id", "state", "order_id", "order_number", "return_id", "return_number", "reference",
    "note", "received_by", "received_at", "decided_by", "decided_role", "decided_at", "decision_note",
)  # fmt: skip


def next_number(session: Session) -> str:
    """The next number of a parcel, from PCL-1001 on; its row stays locked until the transaction ends."""
    return f"PCL-{next_value(session, 'parcel')}"


def add(session: Session, one: Parcel) -> None:
    """Store a new parcel."""
    session.execute(insert(_parcel), {name: getattr(one, name) for name in _PLAIN})
    session.execute(insert(_line), [{"parcel_id": one.parcel_id, **asdict(line)} for line in one.lines])


def take(session: Session, parcel_id: str) -> bool:
    """Have it for this transaction alone; False once it waits for nothing any more."""
    mine = update(_parcel).where(_parcel.c.parcel_id == parcel_id, _IS_WAITING).values(state=_parcel.c.state)
    return changed(session, mine) == 1


def save(session: Session, after: Parcel) -> None:
    """Store what became of a parcel that was taken."""
    of_parcel = update(_parcel).where(_parcel.c.parcel_id == after.parcel_id)
    session.execute(of_parcel, {name: getattr(after, name) for name in _PLAIN})
    counts = [{"of_parcel": after.parcel_id, "at": line.position, "units": line.matched} for line in after.lines]
    session.execute(_MATCHED, counts)


def get(session: Session, reference: str) -> Parcel:
    """A parcel by its id or number; NotFound PARCEL_UNKNOWN."""
    named = (_parcel.c.parcel_id == reference) | (_parcel.c.number == reference.upper())
    found = _many(session, session.execute(select(_parcel).where(named)).all())
    if not found:
        raise NotFound("PARCEL_UNKNOWN", "there is no such parcel: look it up in the list")
    return found[0]


def page(
    session: Session, *, state: str = "", warehouse_id: str = "", return_id: str = "", after: str = "", limit: int
) -> list[Parcel]:
    """Parcels by id, which rise with their age; an empty filter does not filter."""
    wanted = select(_parcel).where(_parcel.c.parcel_id > after)
    if state:
        wanted = wanted.where(_IS_WAITING if state == WAITING else _parcel.c.state == state)
    if warehouse_id:
        wanted = wanted.where(_parcel.c.warehouse_id == warehouse_id)
    if return_id:
        wanted = wanted.where(_HAS_RETURN, _parcel.c.return_id == return_id)
    return _many(session, session.execute(wanted.order_by(_parcel.c.parcel_id).limit(limit)).all())


def count_waiting(session: Session) -> int:
    """Parcels that wait for support."""
    return int(session.execute(select(func.count()).select_from(_parcel).where(_IS_WAITING)).scalar_one())


def _many(session: Session, rows: Sequence[Any]) -> list[Parcel]:
    if not rows:
        return []
    found = session.execute(_LINES, {"ids": [row.parcel_id for row in rows]})
    lines = {key: tuple(map(_line_of, group)) for key, group in groupby(found, lambda row: row.parcel_id)}
    return [Parcel(**{name: getattr(row, name) for name in _PLAIN}, lines=lines.get(row.parcel_id, ())) for row in rows]


def _line_of(row: Any) -> ParcelLine:
    return ParcelLine(row.position, row.sku, row.description, row.quantity, row.seems, row.matched)
