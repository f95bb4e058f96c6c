"""Queries for the list of backorders: who waits for what, since when, and behind whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select, tuple_
from sqlmodel import Session

from services.inventory.domain.backorders import Supply, Waiting
from services.inventory.store import backorders, expected
from services.inventory.store.backorders import TURN
from services.inventory.store.barred import may_give
from services.inventory.store.tables import NOTHING, backorder, candidate, reservation
from services.kernel.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class Queued:
    """A backorder with its place in the queue of its SKU, from 1, the units before it, and what will bring its last unit."""

    waiting: Waiting
    customer_tier: str
    since: datetime | None
    position: int
    before_quantity: int
    supply: Supply | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which backorders: of an order, of a SKU, that a warehouse may fill; empty for any."""

    order_id: str = ""
    sku: str = ""
    warehouse_id: str = ""


def page(session: Session, wanted: Wanted, after: str, limit: int) -> list[Queued]:
    """The queue from behind backorder `after`, first to be filled first, with what will bring the goods."""
    of = backorder.c.reservation_id == reservation.c.reservation_id
    statement = select(backorder, reservation.c.customer_tier).join(reservation, of)
    statement = statement.where(backorder.c.waiting_quantity > NOTHING)
    if wanted.order_id:
        statement = statement.where(backorder.c.order_id == wanted.order_id)
    if wanted.sku:
        statement = statement.where(backorder.c.sku == wanted.sku)
    if wanted.warehouse_id:
        may = candidate.c.reservation_id == backorder.c.reservation_id, may_give(candidate.c.barred, backorder.c.sku)
        statement = statement.where(exists().where(*may, candidate.c.warehouse_id == wanted.warehouse_id))
    if after:
        statement = statement.where(tuple_(*TURN, backorder.c.backorder_id) > tuple_(*_last(session, after)))
    rows = session.execute(statement.order_by(*TURN, backorder.c.backorder_id).limit(limit)).all()
    places = backorders.candidates_of(session, {row.reservation_id for row in rows})
    queue = [backorders.waiting_of(row, places[row.reservation_id]) for row in rows]
    since = {row.backorder_id: (row.customer_tier, row.waiting_since) for row in rows}
    return _placed(session, queue, since)


def _last(session: Session, after: str) -> tuple[object, ...]:
    last = session.execute(select(*TURN, backorder.c.backorder_id).where(backorder.c.backorder_id == after)).first()
    if last is None:
        raise InvalidArgument("CURSOR_INVALID", "the cursor is none that this list gave: start without one")
    return tuple(last)


def _placed(session: Session, queue: Sequence[Waiting], since: dict[str, tuple[str, datetime | None]]) -> list[Queued]:
    supply = expected.open_supply(session, {one.sku for one in queue})
    through = backorders.units_through(session, queue)
    found = []
    for one in queue:
        units, position = through[one.backorder_id]
        brings = backorders.brings(one, through, supply)
        found.append(Queued(one, *since[one.backorder_id], position, units - one.quantity, brings))
    return found
