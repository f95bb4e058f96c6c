"""Shipments whose ship confirm was reversed: what became of each, and what of its invoice is not billed any more."""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session

from services.billing.domain.at_order import Amounts
from services.billing.domain.billable import Billable
from services.billing.domain.credit_notes import Credited, CreditedSoFar, CreditFigures
from services.billing.domain.invoices import Invoice
from services.billing.domain.reversals import ReversalAsked, Reversed
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import Int64
from services.runtime.statements import changed

_row, _bill, _line = tables.shipment_reversal.c, tables.invoice.c, tables.invoice_line.c
_part, _kept, _kept_line = tables.invoice_tax_part.c, tables.billable_shipment.c, tables.billable_line.c
_taken = tables.billable_part.c
_shipped, _shipped_line = tables.revenue_recognition.c, tables.revenue_recognition_line.c
_PARTS = ("merchandise", "discount", "freight", "tax")
_FIND = select(tables.shipment_reversal).where(_row.shipment_id == bindparam("shipment"))
_OF_INVOICE = select(_row.shipment_id).where(
    (_row.invoice_id == bindparam("invoice"))
    | _row.shipment_id.in_(select(_taken.shipment_id).where(_taken.invoice_id == bindparam("invoice")))
)
_REVERSED_LINES = select(_line.line_id, _line.reversed_quantity, _line.reversed_extended_minor).where(
    _line.invoice_id == bindparam("invoice"), _line.reversed_quantity > 0
)
_REVERSED_PARTS = select(tables.invoice_tax_part).where(_part.invoice_id == bindparam("invoice"))
_AMOUNTS = select(*(_bill[f"reversed_{name}_minor"] for name in _PARTS)).where(_bill.invoice_id == bindparam("invoice"))
_MORE = {f"reversed_{name}_minor": bindparam(f"more_{name}", type_=Int64) for name in _PARTS}
_ADD_TO_INVOICE = (
    update(tables.invoice)
    .where(_bill.invoice_id == bindparam("id"))
    .values({name: _bill[name] + more for name, more in _MORE.items()})
)
_ADD_TO_PART = (
    update(tables.invoice_tax_part)
    .where(_part.invoice_id == bindparam("id"), _part.tax_key == bindparam("key"))
    .values({name: _part[name] + more for name, more in _MORE.items()})
)
_UNITS, _MINOR = bindparam("units", type_=Int64), bindparam("minor", type_=Int64)
_ADD_TO_LINE = (
    update(tables.invoice_line)
    .where(
        _line.invoice_id == bindparam("id"),
        _line.line_id == bindparam("line"),
        _line.reversed_quantity + _UNITS <= _line.quantity,
    )
    .values(
        reversed_quantity=_line.reversed_quantity + _UNITS,
        reversed_extended_minor=_line.reversed_extended_minor + _MINOR,
    )
)


def find(session: Session, shipment_id: str) -> Reversed | None:
    """What became of a shipment that never left; None for any other."""
    row = session.execute(_FIND, {"shipment": shipment_id}).one_or_none()
    if row is None:
        return None
    amount, held = (Money(minor, row.currency) for minor in (row.amount_minor, row.held_minor))
    return Reversed(row.outcome, amount, held, row.invoice_id or "", row.credit_note_id or "")


def of_invoice(session: Session, invoice_id: str) -> frozenset[str]:
    """The shipments on an invoice that never left."""
    return frozenset(str(one) for one in session.execute(_OF_INVOICE, {"invoice": invoice_id}).scalars())


def add(session: Session, asked: ReversalAsked, done: Reversed, now: datetime) -> None:
    """Keep what became of a shipment."""
    values = {
        "shipment_id": asked.shipment_id,
        "shipment_number": asked.shipment_number,
        "order_id": asked.order_id,
        "currency": done.amount.currency,
        "outcome": done.outcome,
        "amount_minor": done.amount.minor,
        "held_minor": done.held.minor,
        "invoice_id": done.invoice_id or None,
        "credit_note_id": done.credit_note_id or None,
        "reversed_by": asked.reversed_by,
        "reason": asked.reason,
        "recorded_at": now,
    }
    session.execute(insert(tables.shipment_reversal), values)


def so_far(session: Session, invoice: Invoice) -> CreditedSoFar:
    """What of an invoice counts as not billed any more."""
    of, currency = {"invoice": invoice.invoice_id}, invoice.total.currency
    lines = session.execute(_REVERSED_LINES, of).all()
    merchandise, discount, freight, tax = (Money(minor, currency) for minor in session.execute(_AMOUNTS, of).one())
    zero = Money.zero(currency)
    by_tax = {
        row.tax_key: Credited(
            Money(row.reversed_merchandise_minor, currency),
            Money(row.reversed_discount_minor, currency),
            zero,
            Money(row.reversed_freight_minor, currency),
            Money(row.reversed_tax_minor, currency),
        )
        for row in session.execute(_REVERSED_PARTS, of)
    }
    return CreditedSoFar(
        {row.line_id: row.reversed_quantity for row in lines},
        {row.line_id: Money(row.reversed_extended_minor, currency) for row in lines},
        Credited(merchandise, discount, zero, freight, tax),
        by_tax,
    )


def unbill(session: Session, invoice: Invoice, off: CreditFigures) -> bool:
    """Count it as not billed any more; whether as many units were."""
    lines = [
        {"id": invoice.invoice_id, "line": line.line_id, "units": line.quantity, "minor": line.extended.minor}
        for line in off.lines
    ]
    if changed(session, _ADD_TO_LINE, lines) != len(lines):
        return False
    session.execute(_ADD_TO_INVOICE, {"id": invoice.invoice_id, **_more(off.parts)})
    if invoice.parts:
        rows = [{"id": invoice.invoice_id, "key": one.key, **_more(one.parts)} for one in off.by_tax]
        if rows:
            session.execute(_ADD_TO_PART, rows)
    return True


def unqueue(session: Session, waiting: Billable) -> bool:
    """A shipment waits for no invoice any more; whether it still did."""
    session.execute(delete(tables.billable_line).where(_kept_line.shipment_id == waiting.shipment_id))
    waits = (_kept.shipment_id == waiting.shipment_id) & _kept.invoice_id.is_(None)
    return changed(session, delete(tables.billable_shipment).where(waits)) == 1


def defer(session: Session, shipment_id: str) -> tuple[str, Amounts] | None:
    """A shipment that had become revenue has not; its order and what is deferred again. None for one that never had."""
    row = session.execute(select(tables.revenue_recognition).where(_shipped.shipment_id == shipment_id)).one_or_none()
    if row is None:
        return None
    session.execute(delete(tables.revenue_recognition_line).where(_shipped_line.shipment_id == shipment_id))
    session.execute(delete(tables.revenue_recognition).where(_shipped.shipment_id == shipment_id))
    amounts = Amounts(Money(row.goods_minor, row.currency), Money(row.freight_minor, row.currency))
    return row.order_id, amounts


def _more(parts: Credited) -> dict[str, int]:
    return {f"more_{name}": getattr(parts, name).minor for name in _PARTS}
