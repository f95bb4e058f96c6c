"""Queries over the backorder queue: who waits, in which turn, and until when."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlmodel import Session

from services.inventory.domain.allocation_policy import LINE_COMPLETE
from services.inventory.domain.backorders import Fill, Place, Supply, Waiting, due
from services.inventory.domain.tariffs import Candidate
from services.inventory.store import expected
from services.inventory.store.barred import barred_of, may_give
from services.inventory.store.tables import NOTHING, backorder, candidate, stock, warehouse
from services.kernel.errors import Conflict
from services.runtime.db import Int64
from services.runtime.statements import changed, slices

TURN = (backorder.c.priority, backorder.c.placed_at_micros, backorder.c.order_id, backorder.c.line_id)
_ADD = insert(backorder)
_OF_ORDERS = (
    select(backorder)
    .where(backorder.c.order_id.in_(bindparam("orders", expanding=True)))
    .order_by(backorder.c.order_id, backorder.c.line_id, backorder.c.backorder_id)
)
_UNITS_WAITING = (
    select(backorder.c.sku, func.sum(backorder.c.waiting_quantity).label("units"))
    .where(backorder.c.sku.in_(bindparam("skus", expanding=True)), backorder.c.waiting_quantity > NOTHING)
    .group_by(backorder.c.sku)
)
_IS_WAITING = backorder.c.waiting_quantity > NOTHING
_COULD_GIVE = and_(
    candidate.c.reservation_id == backorder.c.reservation_id,
    stock.c.warehouse_id == candidate.c.warehouse_id,
    stock.c.sku == backorder.c.sku,
    stock.c.on_hand > stock.c.allocated,
    may_give(candidate.c.barred, backorder.c.sku),
    warehouse.c.warehouse_id == candidate.c.warehouse_id,
    warehouse.c.is_active,
)
_REACH = select(func.sum(stock.c.on_hand - stock.c.allocated)).where(_COULD_GIVE).correlate(backorder).scalar_subquery()
_MAY_BE_FILLED = and_(
    backorder.c.is_manual.is_(false()),
    exists().where(_COULD_GIVE),
    or_(backorder.c.delivery != LINE_COMPLETE, backorder.c.waiting_quantity <= _REACH),
)
_HEADS = select(backorder).where(_IS_WAITING, _MAY_BE_FILLED).limit(bindparam("most"))
# of one SKU the index has them in their turn
_HEAD_OF_ONE = _HEADS.where(backorder.c.sku == bindparam("of_sku")).order_by(*TURN)
_HEADS_OF_MANY = _HEADS.where(backorder.c.sku.in_(bindparam("skus", expanding=True))).order_by(backorder.c.sku, *TURN)
_UNITS = bindparam("units", type_=Int64)
_FILL = (
    update(backorder)
    .where(backorder.c.backorder_id == bindparam("of"), backorder.c.waiting_quantity >= _UNITS)
    .values(
        waiting_quantity=backorder.c.waiting_quantity - _UNITS, filled_quantity=backorder.c.filled_quantity + _UNITS
    )
)
_OF_SKUS = (_IS_WAITING, backorder.c.sku.in_(bindparam("skus", expanding=True)))
_FIRST, _LAST = (
    tuple_(*(bindparam(f"{which}_{part}") for part in ("priority", "placed", "order", "line")))
    for which in ("first", "last")
)
_BEFORE = (
    select(backorder.c.sku, func.sum(backorder.c.waiting_quantity).label("units"), func.count().label("before"))
    .where(*_OF_SKUS, tuple_(*TURN) < _FIRST)
    .group_by(backorder.c.sku)
)
_queues = (
    select(
        backorder.c.backorder_id,
        backorder.c.order_id,
        backorder.c.sku,
        func.sum(backorder.c.waiting_quantity).over(partition_by=backorder.c.sku, order_by=TURN).label("units"),
        func.row_number().over(partition_by=backorder.c.sku, order_by=TURN).label("position"),
    )
    .where(*_OF_SKUS, tuple_(*TURN) >= _FIRST, tuple_(*TURN) <= _LAST)
    .subquery("in_turn")
)
_THROUGH = select(_queues).where(_queues.c.order_id.in_(bindparam("orders", expanding=True)))
_CANDIDATES = select(candidate).where(candidate.c.reservation_id.in_(bindparam("reservations", expanding=True)))


def add(session: Session, queue: Sequence[Waiting], version: int, now: datetime) -> None:
    """Put backorders into the queue, ranked by this version of the policy; their reservation has stored who may fill them."""
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
            "priority": one.place.priority,
            "delivery": one.place.delivery,
            "is_manual": one.place.is_manual,
            "waiting_since": now,
            "ranked_version": version,
        }
        for one in queue
    ]
    if rows:
        session.execute(_ADD, rows)


def first_in_queues(session: Session, skus: Collection[str], most: int) -> dict[str, list[Waiting]]:
    """SKU → its first backorders that an open warehouse has units free for, in turn: `most` in all, so the last SKU may be cut off."""
    terms = {"most": most}
    if len(skus) == 1:
        rows = session.execute(_HEAD_OF_ONE, terms | {"of_sku": next(iter(skus))}).all()
    else:
        rows = session.execute(_HEADS_OF_MANY, terms | {"skus": list(skus)}).all()
    places = candidates_of(session, {row.reservation_id for row in rows})
    heads: defaultdict[str, list[Waiting]] = defaultdict(list)
    for row in rows:
        heads[row.sku].append(waiting_of(row, places[row.reservation_id]))
    return dict(heads)


def whole_queue(session: Session, sku: str, most: int | None = None) -> list[Waiting]:
    """Everybody who waits for a SKU, in turn; the first so many."""
    is_waiting = (backorder.c.sku == sku) & (backorder.c.waiting_quantity > NOTHING)
    rows = session.execute(select(backorder).where(is_waiting).order_by(*TURN).limit(most)).all()
    places = _places(session, select(candidate).where(candidate.c.reservation_id.in_(_waiting_for(sku))))
    return [waiting_of(row, places[row.reservation_id]) for row in rows]


def units_waiting(session: Session, skus: Collection[str]) -> dict[str, int]:
    """SKU → units that orders wait for; SKUs that nobody waits for are missing."""
    return {row.sku: int(row.units) for row in session.execute(_UNITS_WAITING, {"skus": list(skus)})}


def waiting_of(row: Row[Any], candidates: tuple[Candidate, ...]) -> Waiting:
    """A row of the table as a place in the queue."""
    return Waiting(
        row.backorder_id,
        row.reservation_id,
        row.order_id,
        row.line_id,
        row.sku,
        row.waiting_quantity,
        row.placed_at_micros,
        tuple(one for one in candidates if row.sku not in one.barred),
        Place(row.priority, row.delivery, row.is_manual),
    )


def _waiting_for(sku: str) -> ScalarSelect[str]:
    """The reservations that wait for a SKU, as part of a statement: there may be more of them than a statement has parameters."""
    is_waiting = (backorder.c.sku == sku) & (backorder.c.waiting_quantity > NOTHING)
    return select(backorder.c.reservation_id).where(is_waiting).scalar_subquery()


def candidates_of(session: Session, reservation_ids: Collection[str]) -> defaultdict[str, tuple[Candidate, ...]]:
    """Reservation id → the warehouses that may serve it; none where there is no such reservation."""
    if not reservation_ids:
        return defaultdict(tuple)
    return _places(session, _CANDIDATES, {"reservations": list(reservation_ids)})


def _places(
    session: Session, wanted: Select[Any], terms: Mapping[str, object] | None = None
) -> defaultdict[str, tuple[Candidate, ...]]:
    found: defaultdict[str, tuple[Candidate, ...]] = defaultdict(tuple)
    for row in session.execute(wanted, terms or {}):
        found[row.reservation_id] += (candidate_of(row),)
    return found


def candidate_of(row: Row[Any]) -> Candidate:
    """A row of the table as a warehouse that may serve its reservation."""
    return Candidate(row.warehouse_id, row.cost_minor, lead_days=row.lead_days, barred=barred_of(row.barred))


def fill(session: Session, fills: Iterable[Fill]) -> None:
    """Take filled units off the queue; Conflict when a backorder waits for fewer by now."""
    units: Counter[str] = Counter()
    for one in fills:
        units[one.backorder.backorder_id] += one.quantity
    taken = [{"of": backorder_id, "units": count} for backorder_id, count in units.items()]
    if taken and changed(session, _FILL, taken) != len(taken):
        raise Conflict("BACKORDER_FILLED", "some of these backorders were filled meanwhile: try again")


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
    return lines_of_orders(session, [order_id])


def lines_of_orders(session: Session, order_ids: Collection[str]) -> list[tuple[Waiting, Supply | None]]:
    """The same of several orders, by order."""
    return _with_due(session, session.execute(_OF_ORDERS, {"orders": list(order_ids)}).all())


def _with_due(session: Session, rows: Sequence[Row[Any]]) -> list[tuple[Waiting, Supply | None]]:
    places = candidates_of(session, {row.reservation_id for row in rows})
    queue = [waiting_of(row, places[row.reservation_id]) for row in rows]
    supply = expected.open_supply(session, {one.sku for one in queue if one.quantity})
    through = units_through(session, [one for one in queue if one.quantity and one.sku in supply])
    return [(one, brings(one, through, supply)) for one in queue]


def brings(
    one: Waiting, through: Mapping[str, tuple[int, int]], supply: Mapping[str, Sequence[Supply]]
) -> Supply | None:
    """What will bring the last unit of a backorder, by the units that wait up to and including it."""
    if one.backorder_id not in through or one.sku not in supply:
        return None
    return due(through[one.backorder_id][0], supply[one.sku], {place.warehouse_id for place in one.candidates})


def units_through(session: Session, queue: Sequence[Waiting]) -> dict[str, tuple[int, int]]:
    """Backorder id → units that wait in its queue up to and including it, and its place there, from 1.

    What waits before all of them is one sum a SKU; only from there on the queues are added up row by row.
    """
    if not queue:
        return {}
    bounds = {"first": min(one.turn for one in queue), "last": max(one.turn for one in queue)}
    terms: dict[str, object] = {
        f"{which}_{part}": value
        for which, turn in bounds.items()
        for part, value in zip(("priority", "placed", "order", "line"), turn, strict=True)
    }
    terms["orders"] = sorted({one.order_id for one in queue})
    before: dict[str, tuple[int, int]] = {}
    found: dict[str, tuple[str, int, int]] = {}
    for some in slices(one.sku for one in queue):
        before |= {row.sku: (int(row.units), row.before) for row in session.execute(_BEFORE, terms | {"skus": some})}
        for row in session.execute(_THROUGH, terms | {"skus": some}):
            found[row.backorder_id] = row.sku, int(row.units), row.position
    through = {}
    for one in queue:
        sku, units, position = found[one.backorder_id]
        earlier, count = before.get(sku, (0, 0))
        through[one.backorder_id] = earlier + units, count + position
    return through
