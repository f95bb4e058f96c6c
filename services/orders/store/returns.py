"""Returns: stored, changed as a whole, found and listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session

from services.kernel.errors import NotFound
from services.kernel.money import Money
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.returns import FeeRule, InspectedUnits, Inspection, Return, ReturnLine
from services.orders.models import OrderRow, ReturnInspectionRow, ReturnLineRow, ReturnRow
from services.orders.store.orders import next_value, within
from services.runtime.db import table_of

_return, _line, _inspection, _order = (
    table_of(rows) for rows in (ReturnRow, ReturnLineRow, ReturnInspectionRow, OrderRow)
)
_ALL = select(_return, _order.c.number.label("order_number")).join(_order, _order.c.order_id == _return.c.order_id)
_LINES = (
    select(_line)
    .where(_line.c.return_id.in_(bindparam("ids", expanding=True)))
    .order_by(_line.c.return_id, _line.c.position)
)
_INSPECTIONS = (
    select(_inspection)
    .where(_inspection.c.return_id.in_(bindparam("ids", expanding=True)))
    .order_by(_inspection.c.return_id, _inspection.c.position)
)
_COUNTED = (
    update(_line)
    .where(_line.c.return_id == bindparam("of_return"), _line.c.line_id == bindparam("of_line"))
    .values(received=bindparam("units"), inspected=bindparam("looked"))
)
_CREDITED = (
    update(_inspection)
    .where(_inspection.c.inspection_id == bindparam("of_inspection"))
    .values(
        credited_at=bindparam("at"),
        credit_notes=bindparam("notes"),
        credited_minor=bindparam("minor"),
        fee_minor=bindparam("kept"),
    )
)
_PLAIN = (
    "return_id", "number", "order_id", "state", "reason", "requested_by", "requested_role", "requested_at", "currency",
    "is_automatic", "decided_by", "decided_role", "decided_at", "decision_note", "valid_until", "is_announced", "closing",
    "is_closed", "halted", "ended_at",
    "override_reason", "label_sent_at", "in_transit_at", "carrier", "tracking_number",
)  # fmt: skip


def next_number(session: Session) -> str:
    """The next number of a return, from RMA-1001 on; its row stays locked until the transaction ends."""
    return f"RMA-{next_value(session, 'sales_return')}"


def add(session: Session, one: Return) -> None:
    """Store a new return."""
    session.execute(insert(_return), _values(one))
    rows = [{"return_id": one.return_id, "position": at, **asdict(line)} for at, line in enumerate(one.lines)]
    session.execute(insert(_line), rows)


def save(session: Session, before: Return, after: Return) -> None:
    """Store what became of a return whose order is taken."""
    session.execute(update(_return).where(_return.c.return_id == after.return_id), _values(after))
    counts = [
        {"of_return": after.return_id, "of_line": line.line_id, "units": line.received, "looked": line.inspected}
        for line in after.lines
    ]
    session.execute(_COUNTED, counts)
    known = {one.inspection_id: one for one in before.inspections}
    for position, one in enumerate(after.inspections):
        if one.inspection_id not in known:
            session.execute(insert(_inspection), _inspection_values(after.return_id, position, one))
        elif known[one.inspection_id] != one:
            session.execute(_CREDITED, _credit_values(one))


def find_id(session: Session, reference: str, scope: Scope = EVERYTHING) -> tuple[str, str]:
    """Return id and order id, by the return's id or number; NotFound RETURN_UNKNOWN, also where the scope hides it."""
    named = (_return.c.return_id == reference) | (_return.c.number == reference.upper())
    row = session.execute(_ALL.where(named, within(scope))).first()
    if row is None:
        raise NotFound("RETURN_UNKNOWN", "there is no such return: look it up in the list")
    return row.return_id, row.order_id


def get(session: Session, return_id: str) -> Return:
    """One return by its id; NotFound RETURN_UNKNOWN."""
    found = _many(session, session.execute(_ALL.where(_return.c.return_id == return_id)).all())
    if not found:
        raise NotFound("RETURN_UNKNOWN", f"there is no return {return_id[:40]}: check its id")
    return found[0]


def of_order(session: Session, order_id: str) -> list[Return]:
    """The returns of an order, by number."""
    rows = session.execute(
        _ALL.where(_return.c.order_id == order_id).order_by(_return.c.requested_at, _return.c.number)
    )
    return _many(session, rows.all())


def page(
    session: Session, scope: Scope, *, order_id: str, states: Sequence[str], after: str, limit: int
) -> list[Return]:
    """Returns by id, which rise with their age; an empty filter does not filter."""
    wanted = _ALL.where(within(scope), _return.c.return_id > after)
    if order_id:
        wanted = wanted.where(_return.c.order_id == order_id)
    if states:
        wanted = wanted.where(_return.c.state.in_(states))
    return _many(session, session.execute(wanted.order_by(_return.c.return_id).limit(limit)).all())


def _many(session: Session, rows: Sequence[Any]) -> list[Return]:
    if not rows:
        return []
    ids = {"ids": [row.return_id for row in rows]}
    lines = _grouped(session.execute(_LINES, ids))
    inspections = _grouped(session.execute(_INSPECTIONS, ids))
    return [_return_of(row, lines.get(row.return_id, []), inspections.get(row.return_id, [])) for row in rows]


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    return {key: list(group) for key, group in groupby(rows, lambda row: row.return_id)}


def _return_of(row: Any, lines: Sequence[Any], inspections: Sequence[Any]) -> Return:
    of_unit = None if row.fee_of_unit_minor is None else Money(row.fee_of_unit_minor, row.currency)
    return Return(
        **{name: getattr(row, name) for name in _PLAIN},
        order_number=row.order_number,
        fee=FeeRule(Decimal(row.fee_percent), of_unit),
        lines=tuple(
            ReturnLine(
                line.line_id, line.sku, line.description, line.quantity, line.reason, line.shipment_id, line.received,
                line.inspected,
            )
            for line in lines
        ),
        inspections=tuple(_inspection_of(one, row.currency) for one in inspections),
    )  # fmt: skip


def _inspection_of(row: Any, currency: str) -> Inspection:
    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    return Inspection(
        row.inspection_id,
        row.warehouse_id,
        tuple(InspectedUnits(**units) for units in row.units),
        row.inspected_by,
        row.inspected_at,
        row.credited_at,
        tuple(row.credit_notes),
        money(row.credited_minor),
        money(row.fee_minor),
    )


def _values(one: Return) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in _PLAIN},
        "fee_percent": f"{one.fee.percent:f}",
        "fee_of_unit_minor": one.fee.of_unit.minor if one.fee.of_unit else None,
    }


def _inspection_values(return_id: str, position: int, one: Inspection) -> dict[str, Any]:
    return {
        "inspection_id": one.inspection_id,
        "return_id": return_id,
        "position": position,
        "warehouse_id": one.warehouse_id,
        "units": [asdict(units) for units in one.units],
        "inspected_by": one.inspected_by,
        "inspected_at": one.inspected_at,
        "credit_notes": list(one.credit_notes),
    }


def _credit_values(one: Inspection) -> dict[str, Any]:
    return {
        "of_inspection": one.inspection_id,
        "at": one.credited_at,
        "notes": list(one.credit_notes),
        "minor": one.credited.minor if one.credited else None,
        "kept": one.fee.minor if one.fee else None,
    }
