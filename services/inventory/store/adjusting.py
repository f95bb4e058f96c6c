"""Queries that change a reservation in part: what each line has, what it gives up, and what it waits for again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlmodel import Session

from services.inventory.domain.adjusting import Holding
from services.inventory.domain.allocation import Allocation, Candidate, LineDemand
from services.inventory.domain.backorders import Waiting
from services.inventory.store import backorders
from services.inventory.store.tables import allocation, backorder, candidate, reservation
from services.kernel.errors import Conflict
from services.runtime.statements import changed


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
    return tuple(Candidate(row.warehouse_id, row.cost_minor) for row in session.execute(mine))


def put_candidates(session: Session, reservation_id: str, places: Sequence[Candidate]) -> None:
    """From now on these warehouses serve the reservation, and no others."""
    session.execute(delete(candidate).where(candidate.c.reservation_id == reservation_id))
    rows = [
        {"reservation_id": reservation_id, "warehouse_id": place.warehouse_id, "cost_minor": place.cost_minor}
        for place in places
    ]
    session.execute(insert(candidate), rows)


def let_go(session: Session, reservation_id: str, parts: Iterable[Allocation]) -> None:
    """Take units off what the reservation holds; the stock rows are the caller's to change."""
    for part in parts:
        is_held = (
            (allocation.c.reservation_id == reservation_id)
            & (allocation.c.line_id == part.line_id)
            & (allocation.c.warehouse_id == part.warehouse_id)
            & (allocation.c.held_quantity >= part.quantity)
        )
        left = {
            "held_quantity": allocation.c.held_quantity - part.quantity,
            "released_quantity": allocation.c.released_quantity + part.quantity,
        }
        if not changed(session, update(allocation).where(is_held).values(**left)):
            raise Conflict("ALLOCATION_MOVED", f"line {part.line_id} was shipped or released meanwhile: try again")


def wait_less(session: Session, reservation_id: str, lines: Iterable[LineDemand]) -> None:
    """Take units of these lines out of the queue."""
    for line in lines:
        is_waiting = _of_line(reservation_id, line.line_id) & (backorder.c.waiting_quantity >= line.quantity)
        left = {
            "waiting_quantity": backorder.c.waiting_quantity - line.quantity,
            "cancelled_quantity": backorder.c.cancelled_quantity + line.quantity,
        }
        if not changed(session, update(backorder).where(is_waiting).values(**left)):
            raise Conflict("BACKORDER_FILLED", f"the backorder of line {line.line_id} was filled meanwhile: try again")


def wait_more(session: Session, queue: Iterable[Waiting]) -> None:
    """Let these units wait; a line that waits or waited already keeps its place and its id."""
    fresh = []
    for one in queue:
        more = {"waiting_quantity": backorder.c.waiting_quantity + one.quantity}
        known = _of_line(one.reservation_id, one.line_id)
        if not changed(session, update(backorder).where(known).values(**more)):
            fresh.append(one)
    backorders.add(session, fresh)


def close_when_empty(session: Session, reservation_id: str) -> None:
    """End a reservation that holds nothing and waits for nothing: shipped if anything of it left, else released."""
    same = allocation.c.reservation_id == reservation_id
    holds = exists().where(same, allocation.c.held_quantity > 0)
    waits = exists().where(backorder.c.reservation_id == reservation_id, backorder.c.waiting_quantity > 0)
    left = exists().where(same, allocation.c.shipped_quantity > 0)
    is_over = (reservation.c.reservation_id == reservation_id) & (reservation.c.state == "active") & ~holds & ~waits
    if not changed(session, update(reservation).where(is_over, left).values(state="shipped")):
        session.execute(update(reservation).where(is_over).values(state="released"))


def _of_line(reservation_id: str, line_id: str) -> ColumnElement[bool]:
    return (backorder.c.reservation_id == reservation_id) & (backorder.c.line_id == line_id)
