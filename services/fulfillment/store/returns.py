"""Returns: announced, counted, inspected and closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlmodel import Session

from services.fulfillment.domain.returns import ExpectedReturn, InspectedUnits, ReturnLine, Units
from services.fulfillment.store.tables import expected_return, expected_return_line, inspected_units, return_receipt
from services.kernel.errors import AlreadyExists
from services.kernel.ids import new_id
from services.runtime.db import Int64
from services.runtime.statements import changed, inserted

_LINES = (
    select(expected_return_line)
    .where(expected_return_line.c.return_id == bindparam("of_return"))
    .order_by(expected_return_line.c.line_id)
)
_RECEIVED_OF = (
    select(expected_return_line.c.line_id, func.sum(expected_return_line.c.received).label("units"))
    .join(expected_return, expected_return.c.return_id == expected_return_line.c.return_id)
    .where(expected_return.c.order_id == bindparam("of_order"))
    .group_by(expected_return_line.c.line_id)
)
_UNITS = bindparam("units", type_=Int64)
_OF_LINE = update(expected_return_line).where(
    expected_return_line.c.return_id == bindparam("of_return"), expected_return_line.c.line_id == bindparam("line")
)
_RECEIVE = _OF_LINE.values(received=expected_return_line.c.received + _UNITS)
_INSPECT = _OF_LINE.values(inspected=expected_return_line.c.inspected + _UNITS)


def find(session: Session, reference: str) -> ExpectedReturn | None:
    """A return by identity or number."""
    row = session.execute(
        select(expected_return).where(
            (expected_return.c.return_id == reference) | (expected_return.c.number == reference)
        )
    ).first()
    if row is None:
        return None
    lines = tuple(
        ReturnLine(line.line_id, line.sku, line.description, line.quantity, line.received, line.inspected)
        for line in session.execute(_LINES, {"of_return": row.return_id})
    )
    return ExpectedReturn(row.return_id, row.number, row.order_id, row.order_number, lines, row.is_open)


def received_of(session: Session, order_id: str) -> dict[str, int]:
    """Line id → units of an order that have come back, of all its returns."""
    return {row.line_id: int(row.units) for row in session.execute(_RECEIVED_OF, {"of_order": order_id})}


def add(session: Session, expected: ExpectedReturn, now: datetime) -> None:
    """Store an announced return. Refused RETURN_NUMBER_TAKEN where another one has its number."""
    values = {
        "return_id": expected.return_id,
        "number": expected.number,
        "order_id": expected.order_id,
        "order_number": expected.order_number,
        "is_open": True,
        "announced_at": now,
    }
    if not inserted(session, expected_return, **values):
        raise AlreadyExists(
            "RETURN_NUMBER_TAKEN", f"another return is {expected.number}: announce it by its own number"
        )
    rows = [
        {
            "return_id": expected.return_id,
            "line_id": line.line_id,
            "sku": line.sku,
            "description": line.description,
            "quantity": line.quantity,
            "received": 0,
            "inspected": 0,
        }
        for line in expected.lines
    ]
    session.execute(insert(expected_return_line), rows)


def close(session: Session, return_id: str, now: datetime) -> bool:
    """Take nothing for it any more; whether it was open."""
    waiting = update(expected_return).where(expected_return.c.return_id == return_id, expected_return.c.is_open)
    return changed(session, waiting.values(is_open=False, closed_at=now)) == 1


def count(session: Session, return_id: str, units: Units, warehouse_id: str, who: str, now: datetime) -> None:
    """Keep a count; the constraint of the lines knows what may come."""
    session.execute(_RECEIVE, [{"of_return": return_id, "line": key, "units": n} for key, n in sorted(units.items())])
    rows = [
        {
            "receipt_id": new_id("rcpt"),
            "return_id": return_id,
            "line_id": line_id,
            "warehouse_id": warehouse_id,
            "received_by": who,
            "quantity": quantity,
            "received_at": now,
        }
        for line_id, quantity in sorted(units.items())
    ]
    session.execute(insert(return_receipt), rows)


def add_inspection(
    session: Session,
    return_id: str,
    inspection_id: str,
    found: Sequence[InspectedUnits],
    warehouse_id: str,
    who: str,
    now: datetime,
) -> None:
    """Keep what an inspection found."""
    session.execute(_INSPECT, [{"of_return": return_id, "line": one.line_id, "units": one.quantity} for one in found])
    rows = [
        {
            "inspection_id": inspection_id,
            "position": position,
            "return_id": return_id,
            "line_id": one.line_id,
            "warehouse_id": warehouse_id,
            "grade": one.grade,
            "disposition": one.disposition,
            "responsible": one.responsible,
            "note": one.note,
            "inspected_by": who,
            "quantity": one.quantity,
            "inspected_at": now,
        }
        for position, one in enumerate(found)
    ]
    session.execute(insert(inspected_units), rows)
