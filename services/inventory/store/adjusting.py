"""Queries that change a reservation in part: what each line has, what it gives up, and what it waits for again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, case, delete, exists, insert, select, update
from sqlmodel import Session

from services.inventory.domain.adjusting import Holding
from services.inventory.domain.allocation import Allocation, LineDemand
from services.inventory.domain.backorders import Waiting
from services.inventory.domain.tariffs import Candidate
from services.inventory.store import backorders
from services.inventory.store.barred import barred_text
from services.inventory.store.tables import allocation, backorder, candidate, reservation
from services.kernel.errors import Conflict
from services.runtime.db import Int64, UtcDateTime
from services.runtime.statements import changed

_UNITS = bindparam("units", type_=Int64)
_LET_GO = (
    update(allocation)
    .where(
        allocation.c.reservation_id == bindparam("reservation"),
        allocation.c.line_id == bindparam("line"),
        allocation.c.warehouse_id == bindparam("place"),
        allocation.c.held_quantity >= _UNITS,
    )
    .values(
        held_quantity=allocation.c.held_quantity - _UNITS, released_quantity=allocation.c.released_quantity + _UNITS
    )
)
_OF_LINE = update(backorder).where(
    backorder.c.reservation_id == bindparam("reservation"), backorder.c.line_id == bindparam("line")
)
_WAIT_LESS = _OF_LINE.where(backorder.c.waiting_quantity >= _UNITS).values(
    waiting_quantity=backorder.c.waiting_quantity - _UNITS, cancelled_quantity=backorder.c.cancelled_quantity + _UNITS
)
_WAIT_MORE = _OF_LINE.values(
    waiting_quantity=backorder.c.waiting_quantity + _UNITS,
    waiting_since=case(
        (backorder.c.waiting_quantity > 0, backorder.c.waiting_since), else_=bindparam("since", type_=UtcDateTime())
    ),
)
_WAITED = select(backorder.c.line_id).where(backorder.c.reservation_id == bindparam("reservation"))


def holdings(session: Session, order_id: str) -> list[Holding]:
    """What each line of the order has over all its reservations, by line id."""
    skus: dict[str, str] = {}
    held: defaultdict[str, dict[str, int]] = defaultdict(dict)
    shipped: defaultdict[str, dict[str, int]] = defaultdict(dict)
    of_order = allocation.c.reservation_id == reservation.c.reservation_id
    for row in session.execute(
        select(allocation).join(reservation, of_order).where(reservation.c.order_id == order_id)
    ):
        skus[row.line_id] = row.sku
        for units, kept in ((row.held_quantity, held), (row.shipped_quantity, shipped)):
            if units:
                kept[row.line_id][row.warehouse_id] = kept[row.line_id].get(row.warehouse_id, 0) + units
    waiting: defaultdict[str, int] = defaultdict(int)
    # by reservation: the index by order holds only what still waits
    waits = backorder.c.reservation_id == reservation.c.reservation_id
    for row in session.execute(select(backorder).join(reservation, waits).where(reservation.c.order_id == order_id)):
        skus[row.line_id] = row.sku
        waiting[row.line_id] += row.waiting_quantity
    return [Holding(line, skus[line], waiting[line], held[line], shipped[line]) for line in sorted(skus)]


def candidates_of(session: Session, reservation_id: str) -> tuple[Candidate, ...]:
    """The warehouses that may serve the reservation, by id."""
    mine = select(candidate).where(candidate.c.reservation_id == reservation_id).order_by(candidate.c.warehouse_id)
    return tuple(backorders.candidate_of(row) for row in session.execute(mine))


def placed_at(session: Session, reservation_id: str) -> int:
    """When the order was placed, microseconds since 1970: where its backorders stand in the queue."""
    mine = select(reservation.c.placed_at_micros).where(reservation.c.reservation_id == reservation_id)
    return int(session.execute(mine).scalar_one())


def goes_elsewhere(session: Session, reservation_id: str, destination: str) -> bool:
    """Whether the reservation was for another address until now; it is for this one from now on."""
    this = reservation.c.reservation_id == reservation_id
    known = session.execute(select(reservation.c.destination).where(this)).scalar_one()
    if not destination or known == destination:
        return False
    session.execute(update(reservation).where(this).values(destination=destination))
    return bool(known)


def put_candidates(session: Session, reservation_id: str, places: Sequence[Candidate]) -> None:
    """From now on these warehouses serve the reservation, and no others."""
    session.execute(delete(candidate).where(candidate.c.reservation_id == reservation_id))
    rows = [
        {
            "reservation_id": reservation_id,
            "warehouse_id": place.warehouse_id,
            "cost_minor": place.cost_minor,
            "lead_days": place.lead_days,
            "barred": barred_text(place.barred),
        }
        for place in places
    ]
    if rows:
        session.execute(insert(candidate), rows)


def let_go(session: Session, reservation_id: str, parts: Sequence[Allocation]) -> None:
    """Take units off what the reservation holds; the stock rows are the caller's to change."""
    given = [
        {"reservation": reservation_id, "line": part.line_id, "place": part.warehouse_id, "units": part.quantity}
        for part in parts
    ]
    if given and changed(session, _LET_GO, given) != len(given):
        raise Conflict("ALLOCATION_MOVED", "some of these units were shipped or released meanwhile: try again")


def wait_less(session: Session, reservation_id: str, lines: Sequence[LineDemand]) -> None:
    """Take units of these lines out of the queue."""
    given = [{"reservation": reservation_id, "line": line.line_id, "units": line.quantity} for line in lines]
    if given and changed(session, _WAIT_LESS, given) != len(given):
        raise Conflict("BACKORDER_FILLED", "some of these backorders were filled meanwhile: try again")


def wait_more(session: Session, reservation_id: str, queue: Sequence[Waiting], version: int, now: datetime) -> None:
    """Let these units wait; a line that waits or waited already keeps its place and its id."""
    known = set(session.execute(_WAITED, {"reservation": reservation_id}).scalars()) if queue else set()
    more = [
        {"reservation": reservation_id, "line": one.line_id, "units": one.quantity, "since": now}
        for one in queue
        if one.line_id in known
    ]
    if more:
        session.execute(_WAIT_MORE, more)
    backorders.add(session, [one for one in queue if one.line_id not in known], version, now)


def close_when_empty(session: Session, reservation_id: str) -> None:
    """End a reservation that holds nothing and waits for nothing: shipped if anything of it left, else released."""
    same = allocation.c.reservation_id == reservation_id
    holds = exists().where(same, allocation.c.held_quantity > 0)
    waits = exists().where(backorder.c.reservation_id == reservation_id, backorder.c.waiting_quantity > 0)
    left = exists().where(same, allocation.c.shipped_quantity > 0)
    is_over = (reservation.c.reservation_id == reservation_id) & (reservation.c.state == "active") & ~holds & ~waits
    over = {"is_gathering": False, "gathers_since": None}
    if not changed(session, update(reservation).where(is_over, left).values(state="shipped", **over)):
        session.execute(update(reservation).where(is_over).values(state="released", **over))
