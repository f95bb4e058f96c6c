"""Lines of invoices, and how much of each line of an order was billed, but for fees and for what had not left."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, literal_column, select
from sqlmodel import Session

from services.billing.domain.invoices import InvoiceLine
from services.billing.store import tables
from services.kernel.money import Money, UnitPrice

_row, _line = tables.invoice.c, tables.invoice_line.c
IS_OF_GOODS = _row.fee_id == literal_column("''")
"""What an order comes to; a fee is beside that."""
REVERSED_MINOR: ColumnElement[int] = (
    _row.reversed_merchandise_minor
    - _row.reversed_discount_minor
    + _row.reversed_freight_minor
    + _row.reversed_tax_minor
)
"""What of an invoice counts as not billed any more."""
_BILLED = (
    select(
        _line.line_id,
        _line.unit_price,
        func.sum(_line.quantity - _line.reversed_quantity).label("units"),
        func.sum(_line.extended_minor - _line.reversed_extended_minor).label("minor"),
        func.sum(_line.reversed_quantity).label("reversed"),
    )
    .join(tables.invoice, _row.invoice_id == _line.invoice_id)
    .where(_row.order_id == bindparam("order"), IS_OF_GOODS)
    .group_by(_line.line_id, _line.unit_price)
)


def of_order(
    session: Session, order_id: str, currency: str
) -> tuple[dict[str, int], dict[str, tuple[UnitPrice, Money]]]:
    """Line id → units; and line id → price and amount of lines at one price of which some is not billed any more."""
    by_line: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(_BILLED, {"order": order_id}):
        by_line[str(row.line_id)].append(row)
    units = {line_id: sum(int(row.units) for row in rows) for line_id, rows in by_line.items()}
    extended = {}
    for line_id, rows in by_line.items():
        standing = [row for row in rows if row.units]
        if len(standing) == 1 and any(row.reversed for row in rows):
            price = UnitPrice.parse(standing[0].unit_price, currency)
            extended[line_id] = (price, Money(int(standing[0].minor), currency))
    return {line_id: count for line_id, count in units.items() if count}, extended


def billed_line(row: Row[Any], currency: str) -> InvoiceLine:
    """A line of an invoice, and what of it is not billed any more."""
    return replace(line_of(row, currency), reversed_quantity=row.reversed_quantity)


def line_of(row: Row[Any], currency: str) -> InvoiceLine:
    """A line of an invoice, or of a credit note of one."""
    return InvoiceLine(
        row.line_id,
        row.sku,
        row.description,
        row.quantity,
        UnitPrice.parse(row.unit_price, currency),
        Money(row.extended_minor, currency),
        row.tax_key,
    )
