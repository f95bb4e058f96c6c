"""Queries over reservations: what is held, shipped and let go for an order."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, func, insert, select, text, update
from sqlmodel import Session

from services.inventory.domain.allocation import Allocation, LineDemand
from services.inventory.domain.allocation_policy import Claim
from services.inventory.domain.backorders import Fill
from services.inventory.domain.tariffs import Candidate
from services.inventory.store.barred import barred_text
from services.inventory.store.tables import ACTIVE, NOTHING, allocation, backorder, candidate, reservation
from services.kernel.errors import Conflict, Refused
from services.runtime.db import Int64
from services.runtime.statements import changed, inserted

_FILL = text(
    "INSERT INTO allocation (reservation_id, line_id, warehouse_id, sku, held_quantity, shipped_quantity, released_quantity) "
    "VALUES (:reservation_id, :line_id, :warehouse_id, :sku, :units, 0, 0) "
    "ON CONFLICT (reservation_id, line_id, warehouse_id) DO UPDATE SET held_quantity = allocation.held_quantity + :units"
)
_ADD_CANDIDATES = insert(candidate)
_ACTIVE_OF = select(reservation.c.reservation_id).where(
    reservation.c.order_id == bindparam("order"), reservation.c.state == ACTIVE
)
_HELD_AT = select(allocation.c.line_id, allocation.c.sku, allocation.c.held_quantity).where(
    allocation.c.reservation_id == bindparam("reservation"), allocation.c.warehouse_id == bindparam("place")
)
_UNITS = bindparam("units", type_=Int64)
_SHIP = (
    update(allocation)
    .where(
        allocation.c.reservation_id == bindparam("reservation"),
        allocation.c.line_id == bindparam("line"),
        allocation.c.warehouse_id == bindparam("place"),
        allocation.c.held_quantity >= _UNITS,
    )
    .values(held_quantity=allocation.c.held_quantity - _UNITS, shipped_quantity=allocation.c.shipped_quantity + _UNITS)
)
_OF_THIS = allocation.c.reservation_id == bindparam("reservation")
_WAITS = exists().where(backorder.c.reservation_id == bindparam("reservation"), backorder.c.waiting_quantity > NOTHING)
_CLOSE = (
    update(reservation)
    .where(
        reservation.c.reservation_id == bindparam("reservation"),
        reservation.c.state == ACTIVE,
        ~exists().where(_OF_THIS, allocation.c.held_quantity > NOTHING),
        ~_WAITS,
    )
    .values(state="shipped", is_gathering=False, gathers_since=None)
)
_JOINED = reservation.c.reservation_id == allocation.c.reservation_id
_OF_ORDER = (
    select(
        allocation.c.line_id,
        allocation.c.sku,
        allocation.c.warehouse_id,
        func.sum(allocation.c.held_quantity).label("held"),
        func.sum(allocation.c.shipped_quantity).label("shipped"),
    )
    .join(reservation, _JOINED)
    .where(reservation.c.order_id == bindparam("order"))
    .group_by(allocation.c.line_id, allocation.c.sku, allocation.c.warehouse_id)
    .order_by(allocation.c.line_id, allocation.c.warehouse_id)
)
_BY_LINE = (
    select(
        reservation.c.order_id,
        allocation.c.line_id,
        (allocation.c.held_quantity + allocation.c.shipped_quantity).label("units"),
    )
    .join(reservation, _JOINED)
    .where(reservation.c.order_id.in_(bindparam("orders", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class NewReservation:
    """A reservation to be stored, with the warehouses that may serve it."""

    reservation_id: str
    order_id: str
    placed_at_micros: int
    lease_seconds: int
    candidates: tuple[Candidate, ...]
    claim: Claim = field(default_factory=Claim)
    destination: str = ""


def create(session: Session, new: NewReservation, now: datetime) -> None:
    """Store an active reservation; Refused when the order has one."""
    is_first = inserted(
        session,
        reservation,
        reservation_id=new.reservation_id,
        order_id=new.order_id,
        state="active",
        placed_at_micros=new.placed_at_micros,
        lease_seconds=new.lease_seconds,
        lease_until=now + timedelta(seconds=new.lease_seconds),
        **asdict(new.claim),
        destination=new.destination,
    )
    if not is_first:
        raise Refused(
            "ORDER_ALREADY_RESERVED",
            f"stock is already reserved for order {new.order_id}: release it before reserving again",
        )
    places = [
        {
            "reservation_id": new.reservation_id,
            "warehouse_id": place.warehouse_id,
            "cost_minor": place.cost_minor,
            "lead_days": place.lead_days,
            "barred": barred_text(place.barred),
        }
        for place in new.candidates
    ]
    if places:
        session.execute(_ADD_CANDIDATES, places)


def hold(session: Session, reservation_id: str, parts: Sequence[Allocation]) -> None:
    """Add units to what the reservation holds; the stock rows are the caller's to change."""
    _hold(session, [(reservation_id, part.line_id, part.warehouse_id, part.sku, part.quantity) for part in parts])


def fill(session: Session, fills: Sequence[Fill]) -> None:
    """Add what backorders were given to what their reservations hold."""
    filled = [(fill.backorder, fill) for fill in fills]
    _hold(session, [(one.reservation_id, one.line_id, got.warehouse_id, one.sku, got.quantity) for one, got in filled])


def _hold(session: Session, parts: Sequence[tuple[str, str, str, str, int]]) -> None:
    names = ("reservation_id", "line_id", "warehouse_id", "sku", "units")
    if parts:
        session.execute(_FILL, [dict(zip(names, part, strict=True)) for part in parts])


def active_of(session: Session, order_id: str) -> str | None:
    """The id of the order's active reservation."""
    return session.execute(_ACTIVE_OF, {"order": order_id}).scalar()


def skus_of(session: Session, reservation_id: str) -> set[str]:
    """Every SKU that the reservation ever held or waited for."""
    held = select(allocation.c.sku).where(allocation.c.reservation_id == reservation_id)
    waiting = select(backorder.c.sku).where(backorder.c.reservation_id == reservation_id)
    return set(session.execute(held.union(waiting)).scalars())


def ship(session: Session, reservation_id: str | None, warehouse_id: str, lines: Sequence[LineDemand]) -> None:
    """Turn held units of these lines into shipped ones; Refused when a line has fewer allocated there."""
    of = {"reservation": reservation_id or "", "place": warehouse_id}
    held = {(row.line_id, row.sku): row.held_quantity for row in session.execute(_HELD_AT, of)}
    for line in lines:
        held[line.line_id, line.sku] = left = held.get((line.line_id, line.sku), 0) - line.quantity
        if left < 0:
            raise Refused(
                "SHIPPED_MORE_THAN_ALLOCATED",
                f"line {line.line_id} has fewer than {line.quantity} units of {line.sku} allocated in {warehouse_id}",
            )
    taken = [of | {"line": line.line_id, "units": line.quantity} for line in lines]
    if changed(session, _SHIP, taken) != len(taken):
        raise Conflict("ALLOCATION_MOVED", "some of these units were shipped or released meanwhile: try again")


def held_at(session: Session, order_id: str, warehouse_id: str) -> dict[tuple[str, str], int]:
    """(Line id, SKU) → units that the order holds in a warehouse."""
    of = {"reservation": active_of(session, order_id) or "", "place": warehouse_id}
    return {(row.line_id, row.sku): row.held_quantity for row in session.execute(_HELD_AT, of)}


def release(session: Session, reservation_id: str) -> dict[tuple[str, str], int] | None:
    """End the reservation and give what it held, (SKU, warehouse id) → units; None when it had ended before."""
    is_active = (reservation.c.reservation_id == reservation_id) & (reservation.c.state == "active")
    if not changed(
        session, update(reservation).where(is_active).values(state="released", is_gathering=False, gathers_since=None)
    ):
        return None
    is_held = (allocation.c.reservation_id == reservation_id) & (allocation.c.held_quantity > 0)
    freed: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in session.execute(select(allocation).where(is_held)):
        freed[row.sku, row.warehouse_id] += row.held_quantity
    let_go = {"released_quantity": allocation.c.released_quantity + allocation.c.held_quantity, "held_quantity": 0}
    session.execute(update(allocation).where(is_held).values(**let_go))
    return dict(freed)


def close_when_shipped(session: Session, reservation_id: str) -> None:
    """End the reservation as shipped once it holds nothing and waits for nothing."""
    session.execute(_CLOSE, {"reservation": reservation_id})


def of_order(session: Session, order_id: str) -> tuple[list[Allocation], list[Allocation]]:
    """What is held and what has shipped for the order, by line and warehouse."""
    rows = session.execute(_OF_ORDER, {"order": order_id}).all()
    held = [Allocation(row.line_id, row.sku, row.warehouse_id, int(row.held)) for row in rows if row.held]
    shipped = [Allocation(row.line_id, row.sku, row.warehouse_id, int(row.shipped)) for row in rows if row.shipped]
    return held, shipped


def allocated_by_line(session: Session, order_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Order id → line id → units held or shipped; lines that lost all of theirs are there with zero."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in session.execute(_BY_LINE, {"orders": list(order_ids)}):
        found[row.order_id][row.line_id] = found[row.order_id].get(row.line_id, 0) + row.units
    return dict(found)


def lapsed(session: Session, now: datetime, limit: int) -> list[str]:
    """Orders whose lease has run out, longest first."""
    has_lapsed = (reservation.c.state == "active") & (reservation.c.lease_until < now)
    wanted = (
        select(reservation.c.order_id).where(has_lapsed).order_by(reservation.c.lease_until, reservation.c.order_id)
    )
    return list(session.execute(wanted.limit(limit)).scalars())


def renew(session: Session, order_ids: Sequence[str], now: datetime) -> int:
    """Start the leases of these orders again and count them."""
    renewed = 0
    is_named = (reservation.c.state == "active") & reservation.c.order_id.in_(order_ids)
    leases = session.execute(select(reservation.c.lease_seconds).where(is_named).distinct()).scalars().all()
    for seconds in sorted(leases):
        statement = update(reservation).where(is_named, reservation.c.lease_seconds == seconds)
        renewed += changed(session, statement.values(lease_until=now + timedelta(seconds=seconds)))
    return renewed
