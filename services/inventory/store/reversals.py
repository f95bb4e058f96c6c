"""Shipments whose ship confirm was reversed, and what they had taken off stock."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, case, select, update
from sqlmodel import Session

from services.inventory.domain.allocation import LineDemand
from services.inventory.domain.facts import StockChange
from services.inventory.domain.requests import Departure
from services.inventory.store.tables import allocation, issue_reversal, movement, reservation, stock_issue
from services.kernel.errors import Conflict, InvalidArgument
from services.kernel.money import Money
from services.runtime.db import Int64
from services.runtime.statements import changed, inserted

_IS_REVERSED = select(issue_reversal.c.shipment_id).where(issue_reversal.c.shipment_id == bindparam("shipment"))
_ISSUE = select(stock_issue.c.order_id, stock_issue.c.warehouse_id).where(
    stock_issue.c.shipment_id == bindparam("shipment")
)
_ISSUED = (
    select(movement)
    .where(movement.c.shipment_id == bindparam("shipment"), movement.c.kind == "issued")
    .order_by(movement.c.sku)
)
_UNITS = bindparam("units", type_=Int64)
_IS_ONE = (
    (allocation.c.reservation_id == bindparam("reservation"))
    & (allocation.c.line_id == bindparam("line"))
    & (allocation.c.warehouse_id == bindparam("place"))
)
_SHIPPED_FROM = (
    select(reservation.c.reservation_id, reservation.c.state)
    .join(allocation, allocation.c.reservation_id == reservation.c.reservation_id)
    .where(
        reservation.c.order_id == bindparam("order"),
        allocation.c.line_id == bindparam("line"),
        allocation.c.warehouse_id == bindparam("place"),
        allocation.c.shipped_quantity >= _UNITS,
    )
    .order_by(case((reservation.c.state == "active", 0), (reservation.c.state == "shipped", 1), else_=2))
    .order_by(reservation.c.reservation_id.desc())
    .limit(1)
)
_UNSHIP = update(allocation).where(_IS_ONE, allocation.c.shipped_quantity >= _UNITS)
_BACK = _UNSHIP.values(shipped_quantity=allocation.c.shipped_quantity - _UNITS)
_LET_GO = _UNSHIP.values(
    shipped_quantity=allocation.c.shipped_quantity - _UNITS,
    released_quantity=allocation.c.released_quantity + _UNITS,
)
_REOPEN = (
    update(reservation)
    .where(reservation.c.reservation_id == bindparam("reservation_"), reservation.c.state == "shipped")
    .values(state="active")
)


def record(session: Session, departure: Departure, cost: Money | None, now: datetime) -> bool:
    """Keep that a shipment never left, and what is back by it; whether that is news."""
    return inserted(
        session,
        issue_reversal,
        shipment_id=departure.shipment_id,
        order_id=departure.order_id,
        warehouse_id=departure.warehouse_id,
        cost_minor=cost.minor if cost else 0,
        currency=cost.currency if cost else "",
        reversed_at=now,
    )


def is_reversed(session: Session, shipment_id: str) -> bool:
    """Whether it is known that a shipment never left."""
    return session.execute(_IS_REVERSED, {"shipment": shipment_id}).first() is not None


def issued_for(session: Session, shipment_id: str) -> tuple[str, str] | None:
    """The order and the warehouse that a shipment was taken off stock for; None where it was not."""
    row = session.execute(_ISSUE, {"shipment": shipment_id}).first()
    return (row.order_id, row.warehouse_id) if row else None


def issued(session: Session, shipment_id: str) -> list[StockChange]:
    """What a shipment took off stock, by SKU: units and value positive."""
    return [
        StockChange(row.movement_id, row.warehouse_id, row.sku, -row.quantity, Money(-row.value_minor, row.currency))
        for row in session.execute(_ISSUED, {"shipment": shipment_id})
    ]


def shipped_from(session: Session, order_id: str, place: str, line: LineDemand) -> tuple[str, str]:
    """The reservation that units of a line were shipped from, and its state: one that can hold them again where there is one.

    Refused LINES_DIFFER where as many units of that line were not shipped.
    """
    terms = {"order": order_id, "line": line.line_id, "place": place, "units": line.quantity}
    row = session.execute(_SHIPPED_FROM, terms).first()
    if row is None:
        raise InvalidArgument(
            "LINES_DIFFER", f"line {line.line_id} shipped other goods from {place}: send what was in it"
        )
    return row.reservation_id, row.state


def unship(session: Session, reservation_id: str, place: str, lines: Sequence[LineDemand], *, is_let_go: bool) -> None:
    """Count units as shipped no more; where they are let go, as released."""
    parts = [
        {"reservation": reservation_id, "line": line.line_id, "place": place, "units": line.quantity} for line in lines
    ]
    if changed(session, _LET_GO if is_let_go else _BACK, parts) != len(parts):
        raise Conflict("ALLOCATION_MOVED", "some of these units were shipped or released meanwhile: try again")


def reopen(session: Session, reservation_id: str) -> None:
    """A reservation that was shipped whole holds stock again."""
    session.execute(_REOPEN, {"reservation_": reservation_id})
