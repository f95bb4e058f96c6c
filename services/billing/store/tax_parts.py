"""What of invoices is taxed in one way."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select
from sqlmodel import Session

from services.billing.domain.charging import Charges
from services.billing.domain.invoices import Invoice
from services.billing.store import tables
from services.billing.store.billed_lines import IS_OF_GOODS
from services.kernel.money import Money
from services.kernel.tax import TaxKind, TaxPart

_row, _bill = tables.invoice_tax_part.c, tables.invoice.c
_AMOUNTS = ("merchandise", "discount", "freight", "tax")
_ADD = insert(tables.invoice_tax_part)
_OF_INVOICES = (
    select(tables.invoice_tax_part)
    .where(_row.invoice_id.in_(bindparam("ids", expanding=True)))
    .order_by(_row.invoice_id, _row.position)
)
_BILLED = (
    select(_row.tax_key, *(func.sum(_row[f"{name}_minor"] - _row[f"reversed_{name}_minor"]) for name in _AMOUNTS))
    .join(tables.invoice, _bill.invoice_id == _row.invoice_id)
    .where(_bill.order_id == bindparam("order"), IS_OF_GOODS)
    .group_by(_row.tax_key)
)


def add(session: Session, invoice: Invoice) -> None:
    """Store the tax parts of a new invoice."""
    rows = [
        {
            "invoice_id": invoice.invoice_id,
            "position": position,
            "tax_key": part.key,
            "code": part.kind.code,
            "rate": f"{part.kind.rate:f}",
            "reason": part.kind.reason,
            **{f"{name}_minor": getattr(part, name).minor for name in _AMOUNTS},
        }
        for position, part in enumerate(invoice.parts)
    ]
    if rows:
        session.execute(_ADD, rows)


def of_invoices(session: Session, rows: Sequence[Row[Any]]) -> dict[str, tuple[tuple[TaxPart, ...], ...]]:
    """Invoice id → its tax parts, and what of them is reversed; of those of these rows that have any."""
    currencies = {row.invoice_id: row.currency for row in rows}
    found = session.execute(_OF_INVOICES, {"ids": sorted(currencies)}).all()
    return {
        key: _parts(list(group), currencies[key]) for key, group in groupby(found, key=lambda one: str(one.invoice_id))
    }


def _parts(rows: Sequence[Row[Any]], currency: str) -> tuple[tuple[TaxPart, ...], ...]:
    off = (_part(one, currency, "reversed_") for one in rows)
    return tuple(_part(one, currency) for one in rows), tuple(
        one for one in off if one.merchandise.minor or one.net.minor or one.tax.minor
    )


def billed(session: Session, order_id: str, currency: str) -> dict[str, Charges]:
    """Tax part → what the invoices of an order came to of it."""
    return {
        str(key): Charges(*(Money(int(amount), currency) for amount in amounts))
        for key, *amounts in session.execute(_BILLED, {"order": order_id})
    }


def _part(row: Row[Any], currency: str, prefix: str = "") -> TaxPart:
    kind = TaxKind(row.code, Decimal(row.rate), row.reason)
    return TaxPart(row.tax_key, kind, *(Money(getattr(row, f"{prefix}{name}_minor"), currency) for name in _AMOUNTS))
