"""Parts of shipments that invoices by hand bill: units are taken by one conditional UPDATE a line, whose row count decides."""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, delete, exists, insert, select, update
from sqlmodel import Session

from services.billing.domain.billable import Billable
from services.billing.domain.invoices import Invoice
from services.billing.store import invoices, tables
from services.kernel.money import Money
from services.runtime.db import Int64
from services.runtime.statements import changed

_row, _line, _part = tables.billable_shipment.c, tables.billable_line.c, tables.billable_part.c
_UNITS = bindparam("units", type_=Int64)
_IS_FREE = exists().where(_row.shipment_id == _line.shipment_id, _row.invoice_id.is_(None), _row.draft_id == "")
_TAKE = (
    update(tables.billable_line)
    .where(
        _line.shipment_id == bindparam("shipment"),
        _line.line_id == bindparam("line"),
        _line.billed_quantity + _UNITS <= _line.quantity,
        _IS_FREE,
    )
    .values(billed_quantity=_line.billed_quantity + _UNITS)
)
_SET_AMOUNT = (
    update(tables.billable_shipment)
    .where(_row.shipment_id == bindparam("shipment"), _row.invoice_id.is_(None))
    .values(amount_minor=bindparam("amount", type_=Int64))
)
_OF_SHIPMENT = (
    select(_part.invoice_id, _part.line_id, _part.quantity)
    .join(tables.invoice, tables.invoice.c.invoice_id == _part.invoice_id)
    .where(_part.shipment_id == bindparam("shipment"))
    .order_by(tables.invoice.c.sequence, _part.line_id)
)
_INVOICES = select(_part.invoice_id).where(_part.shipment_id.in_(bindparam("shipments", expanding=True))).distinct()


def take(session: Session, invoice_id: str, parts: Mapping[str, Mapping[str, int]]) -> bool:
    """Put units of shipments (shipment → line id → units) on an invoice; whether all of them waited, and no draft held any."""
    rows = [
        (shipment, line, units) for shipment, lines in sorted(parts.items()) for line, units in sorted(lines.items())
    ]
    terms = [{"shipment": shipment, "line": line, "units": units} for shipment, line, units in rows]
    if sum(changed(session, _TAKE, each) for each in terms) != len(rows):
        return False
    names = ("shipment_id", "line_id", "quantity")
    kept = [dict(zip(names, row, strict=True), invoice_id=invoice_id) for row in rows]
    session.execute(insert(tables.billable_part), kept)
    return True


def set_amount(session: Session, shipment_id: str, amount: Money) -> None:
    """What the rest of a shipment that waits comes to."""
    changed(session, _SET_AMOUNT, {"shipment": shipment_id, "amount": amount.minor})


def of_shipment(session: Session, shipment_id: str) -> dict[str, dict[str, int]]:
    """Invoice id → line id → units of a shipment on the invoices of parts of it, by number."""
    found: dict[str, dict[str, int]] = {}
    for row in session.execute(_OF_SHIPMENT, {"shipment": shipment_id}):
        found.setdefault(str(row.invoice_id), {})[str(row.line_id)] = int(row.quantity)
    return found


def invoices_of(session: Session, shipment_ids: Collection[str]) -> list[Invoice]:
    """The invoices of parts of these shipments."""
    ids = session.execute(_INVOICES, {"shipments": sorted(shipment_ids)}).scalars().all()
    return list(invoices.by_ids(session, ids).values()) if ids else []


def drop_rest(session: Session, waiting: Billable, invoice_id: str) -> bool:
    """What of a shipment waits does not any more: it is on its invoices, of which this is the last; whether it still waited."""
    of_shipment = _line.shipment_id == waiting.shipment_id
    session.execute(delete(tables.billable_line).where(of_shipment, _line.billed_quantity == 0))
    session.execute(update(tables.billable_line).where(of_shipment).values(quantity=_line.billed_quantity))
    waits = (_row.shipment_id == waiting.shipment_id) & _row.invoice_id.is_(None)
    return changed(session, update(tables.billable_shipment).where(waits).values(invoice_id=invoice_id)) == 1
