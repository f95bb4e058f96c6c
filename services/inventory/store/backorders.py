"""Queries over the backorder queue: who waits, in which turn, and until when."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, tuple_, update
from sqlmodel import Session

from services.inventory.domain.allocation import Candidate
from services.inventory.domain.backorders import Fill, Supply, Waiting, due
from services.inventory.store import expected
from services.inventory.store.tables import NOTHING, backorder, candidate
from services.kernel.errors import Conflict, InvalidArgument
from services.runtime.statements import changed

_TURN = (backorder.c.placed_at_micros, backorder.c.order_id, backorder.c.line_id)
_PAGE = 500
_ADD = insert(backorder)
_OF_ORDER = (
    select(backorder)
    .where(backorder.c.order_id == bindparam("order"))
    .order_by(backorder.c.line_id, backorder.c.backorder_id)
)
_UNITS_WAITING = (
    select(backorder.c.sku, func.sum(backorder.c.waiting_quantity).label("units"))
    .where(backorder.c.sku.in_(bindparam("skus", expanding=True)), backorder.c.waiting_quantity > NOTHING)
    .group_by(backorder.c.sku)
)
_WAITED_FOR = (
    select(backorder.c.sku)
    .where(backorder.c.sku.in_(bindparam("skus", expanding=True)), backorder.c.waiting_quantity > NOTHING)
    .distinct()
)
_CANDIDATES = select(candidate).where(candidate.c.reservation_id.in_(bindparam("reservations", expanding=True)))


def add(session: Session, queue: Sequence[Waiting]) -> None:
    """Put backorders into the queue; their reservation has stored who may fill them."""
    rows = [
        {
            "backorder_id": one.backorder_id,
            "reservation_id": one.reservation_id,
            "order_id": one.order_id,
            "line_id": one.line_id,
            "sku": one.sku,
            "placed_at_micros": one.placed_at_micros,
            "waiting_quantity": one.quantity,
            "filled_quantity": 0,
            "cancelled_quantity": 0,
        }
        for one in queue
    ]
    if rows:
        session.execute(_ADD, rows)


def waited_for(session: Session, skus: Iterable[str]) -> set[str]:
    """Those of the SKUs that anybody waits for."""
    return set(session.execute(_WAITED_FOR, {"skus": sorted(set(skus))}).scalars())


def first_in_queue(session: Session, sku: str, warehouse_ids: Collection[str], units: int) -> list[Waiting]:
    """The first backorders that one of these warehouses may fill: as many as `units` can serve at most, a page at most."""
    may_fill = select(candidate.c.reservation_id).where(
        candidate.c.reservation_id == backorder.c.reservation_id, candidate.c.warehouse_id.in_(warehouse_ids)
    )
    is_waiting = (backorder.c.sku == sku) & (backorder.c.waiting_quantity > NOTHING)
    wanted = select(backorder).where(is_waiting, may_fill.exists()).order_by(*_TURN).limit(min(units, _PAGE))
    rows = session.execute(wanted).all()
    places = _candidates(session, {row.reservation_id for row in rows})
    return [_waiting(row, places[row.reservation_id]) for row in rows]


def whole_queue(session: Session, sku: str) -> list[Waiting]:
    """Everybody who waits for a SKU, in turn."""
    is_waiting = (backorder.c.sku == sku) & (backorder.c.waiting_quantity > NOTHING)
    rows = session.execute(select(backorder).where(is_waiting).order_by(*_TURN)).all()
    places = _candidates(session, {row.reservation_id for row in rows})
    return [_waiting(row, places[row.reservation_id]) for row in rows]


def units_waiting(session: Session, skus: Collection[str]) -> dict[str, int]:
    """SKU → units that orders wait for; SKUs that nobody waits for are missing."""
    return {row.sku: int(row.units) for row in session.execute(_UNITS_WAITING, {"skus": list(skus)})}


def _waiting(row: Row[Any], candidates: tuple[Candidate, ...]) -> Waiting:
    return Waiting(
        row.backorder_id,
        row.reservation_id,
        row.order_id,
        row.line_id,
        row.sku,
        row.waiting_quantity,
        row.placed_at_micros,
        candidates,
    )


def _candidates(session: Session, reservation_ids: Collection[str]) -> defaultdict[str, tuple[Candidate, ...]]:
    found: defaultdict[str, tuple[Candidate, ...]] = defaultdict(tuple)
    if not reservation_ids:
        return found
    for row in session.execute(_CANDIDATES, {"reservations": list(reservation_ids)}):
        found[row.reservation_id] += (Candidate(row.warehouse_id, row.cost_minor),)
    return found


def fill(session: Session, fills: Iterable[Fill]) -> None:
    """Take filled units off the queue; Conflict when a backorder waits for fewer by now."""
    for one in fills:
        is_waiting = (backorder.c.backorder_id == one.backorder.backorder_id) & (
            backorder.c.waiting_quantity >= one.quantity
        )
        left = {
            "waiting_quantity": backorder.c.waiting_quantity - one.quantity,
            "filled_quantity": backorder.c.filled_quantity + one.quantity,
        }
        if not changed(session, update(backorder).where(is_waiting).values(**left)):
            raise Conflict(
                "BACKORDER_FILLED", f"backorder {one.backorder.backorder_id} was filled meanwhile: try again"
            )


def cancel(session: Session, reservation_id: str) -> int:
    """Take all that waits for a reservation out of the queue and count the units."""
    is_waiting = (backorder.c.reservation_id == reservation_id) & (backorder.c.waiting_quantity > NOTHING)
    units = session.execute(
        select(func.coalesce(func.sum(backorder.c.waiting_quantity), 0)).where(is_waiting)
    ).scalar_one()
    gone = {"cancelled_quantity": backorder.c.cancelled_quantity + backorder.c.waiting_quantity, "waiting_quantity": 0}
    session.execute(update(backorder).where(is_waiting).values(**gone))
    return int(units)


def lines_of_order(session: Session, order_id: str) -> list[tuple[Waiting, Supply | None]]:
    """Every line of the order that ever waited, with the units that still do (0 when none) and what will bring them."""
    return _with_due(session, session.execute(_OF_ORDER, {"order": order_id}).all())


def page(session: Session, order_id: str, sku: str, after: str, limit: int) -> list[tuple[Waiting, Supply | None]]:
    """The queue from behind backorder `after`, first to be filled first, with what will bring the goods."""
    wanted = select(backorder).where(backorder.c.waiting_quantity > NOTHING)
    if order_id:
        wanted = wanted.where(backorder.c.order_id == order_id)
    if sku:
        wanted = wanted.where(backorder.c.sku == sku)
    if after:
        last = session.execute(
            select(*_TURN, backorder.c.backorder_id).where(backorder.c.backorder_id == after)
        ).first()
        if last is None:
            raise InvalidArgument("CURSOR_INVALID", "the cursor is none that this list gave: start without one")
        wanted = wanted.where(tuple_(*_TURN, backorder.c.backorder_id) > tuple_(*last))
    rows = session.execute(wanted.order_by(*_TURN, backorder.c.backorder_id).limit(limit)).all()
    return _with_due(session, rows)


def _with_due(session: Session, rows: Sequence[Row[Any]]) -> list[tuple[Waiting, Supply | None]]:
    places = _candidates(session, {row.reservation_id for row in rows})
    queue = [_waiting(row, places[row.reservation_id]) for row in rows]
    supply = expected.open_supply(session, {one.sku for one in queue if one.quantity})
    return [(one, _due(session, one, supply.get(one.sku, ()))) for one in queue]


def _due(session: Session, one: Waiting, supply: Sequence[Supply]) -> Supply | None:
    if not one.quantity or not supply:
        return None
    is_before = (
        (backorder.c.sku == one.sku) & (backorder.c.waiting_quantity > NOTHING) & (tuple_(*_TURN) <= tuple_(*one.turn))
    )
    through = session.execute(select(func.sum(backorder.c.waiting_quantity)).where(is_before)).scalar_one()
    return due(int(through), supply, {place.warehouse_id for place in one.candidates})
