"""Deposit invoices, credit notes of them, and what invoices deduct."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, bindparam, insert, select, text, update
from sqlmodel import Session

from services.billing.domain.deposit_invoices import (
    CREDIT_NOTE,
    INVOICE,
    DepositDeduction,
    DepositInvoice,
    DepositPart,
)
from services.billing.store import headers, tables
from services.kernel.ids import FIRST_DEPOSIT_INVOICE
from services.kernel.money import Money
from services.kernel.tax import TaxKind
from services.runtime.db import Int64
from services.runtime.statements import changed

_row, _part, _deduction = tables.deposit_invoice.c, tables.deposit_invoice_part.c, tables.deposit_deduction.c
_bill = tables.invoice.c
_NEXT = text(
    f"INSERT INTO counter (name, last_number) VALUES (:name, {FIRST_DEPOSIT_INVOICE}) "  # noqa: S608 - a constant
    "ON CONFLICT (name) DO UPDATE SET last_number = counter.last_number + 1 RETURNING last_number"
)
_ALL = select(tables.deposit_invoice).order_by(_row.deposit_invoice_id)
_OPEN = _ALL.where(
    _row.order_id == bindparam("order"),
    _row.kind == INVOICE,
    _row.total_minor > _row.deducted_minor + _row.credited_minor,
)
_PARTS = (
    select(tables.deposit_invoice_part)
    .where(_part.deposit_invoice_id.in_(bindparam("ids", expanding=True)))
    .order_by(_part.deposit_invoice_id, _part.position)
)
_DEDUCTIONS = (
    select(
        tables.deposit_deduction,
        _row.number.label("deposit_number"),
        _row.invoiced_on.label("deposit_on"),
        _row.currency,
        _bill.number.label("invoice_number"),
    )
    .join(tables.deposit_invoice, _row.deposit_invoice_id == _deduction.deposit_invoice_id)
    .join(tables.invoice, _bill.invoice_id == _deduction.invoice_id)
    .order_by(_row.sequence, _bill.sequence)
)
_OF_INVOICES = _DEDUCTIONS.where(_deduction.invoice_id.in_(bindparam("ids", expanding=True)))
_OF_DEPOSITS = _DEDUCTIONS.where(_deduction.deposit_invoice_id.in_(bindparam("ids", expanding=True)))
_AMOUNT, _IS_ONE = bindparam("amount", type_=Int64), _row.deposit_invoice_id == bindparam("id")
_IS_AS_SEEN = _row.deducted_minor + _row.credited_minor == bindparam("used", type_=Int64)
_DEDUCT = (
    update(tables.deposit_invoice).where(_IS_ONE, _IS_AS_SEEN).values(deducted_minor=_row.deducted_minor + _AMOUNT)
)
_CREDIT = (
    update(tables.deposit_invoice).where(_IS_ONE, _IS_AS_SEEN).values(credited_minor=_row.credited_minor + _AMOUNT)
)
_TAKE_PART = (
    update(tables.deposit_invoice_part)
    .where(_part.deposit_invoice_id == bindparam("id"), _part.position == bindparam("place"))
    .values(
        left_net_minor=_part.left_net_minor - bindparam("net", type_=Int64),
        left_tax_minor=_part.left_tax_minor - bindparam("tax", type_=Int64),
    )
)
# an invoice deducts the same one again when two payments were for it
_ADD_DEDUCTION = text(
    "INSERT INTO deposit_deduction (deposit_invoice_id, invoice_id, amount_minor, tax_minor) "
    "VALUES (:deposit_invoice_id, :invoice_id, :amount_minor, :tax_minor) ON CONFLICT (deposit_invoice_id, invoice_id) "
    "DO UPDATE SET amount_minor = deposit_deduction.amount_minor + excluded.amount_minor, "
    "tax_minor = deposit_deduction.tax_minor + excluded.tax_minor"
)
# orders with a deposit that wait for their money or have theirs, of whose cash some is on no deposit invoice
_DUE = text(
    "SELECT h.order_id FROM (SELECT order_id, SUM(remaining_minor) AS minor FROM order_deposit WHERE remaining_minor > 0 "
    "GROUP BY order_id) AS h WHERE h.order_id > :after AND (EXISTS (SELECT 1 FROM commitment AS c WHERE c.order_id = h.order_id "
    "AND c.payment_method = 'deposit' AND NOT c.is_released AND c.remaining_minor > 0) OR EXISTS (SELECT 1 FROM credit_wait AS w "
    "WHERE w.order_id = h.order_id AND w.payment_method = 'deposit')) AND h.minor > COALESCE((SELECT SUM(total_minor - deducted_minor "
    "- credited_minor) FROM deposit_invoice AS d WHERE d.order_id = h.order_id AND d.kind = 'invoice'), 0) "
    "ORDER BY h.order_id LIMIT :most"
)


def next_sequence(session: Session, kind: str) -> int:
    """The next number of the series of a kind: given back when the transaction does not commit, as that of an invoice."""
    return int(session.execute(_NEXT, {"name": f"deposit_{kind}"}).scalar_one())


def due(session: Session, after: str, limit: int) -> list[str]:
    """Orders with a deposit of whose cash some is on no deposit invoice, behind an id."""
    return [str(order_id) for order_id in session.execute(_DUE, {"after": after, "most": limit}).scalars()]


def open_of_order(session: Session, order_id: str) -> list[DepositInvoice]:
    """Deposit invoices of an order of which something is neither deducted nor credited, oldest first."""
    return _many(session, _OPEN, {"order": order_id})


def known(session: Session, id_or_number: str) -> DepositInvoice | None:
    """A deposit invoice or a credit note of one, by identity or number."""
    wanted = _ALL.where((_row.deposit_invoice_id == id_or_number) | (_row.number == id_or_number))
    return next(iter(_many(session, wanted, {})), None)


def page(session: Session, *, order_id: str, customer_id: str, after: str, limit: int) -> list[DepositInvoice]:
    """Deposit invoices and credit notes of them behind an id, oldest first; an empty filter does not filter."""
    wanted = _ALL.where(_row.deposit_invoice_id > after)
    for column, value in ((_row.order_id, order_id), (_row.customer_id, customer_id)):
        if value:
            wanted = wanted.where(column == value)
    return _many(session, wanted.limit(limit), {})


def deductions_of(session: Session, deposit_ids: Collection[str]) -> dict[str, tuple[DepositDeduction, ...]]:
    """Deposit invoice id → what invoices deduct of it, of those of which some do."""
    found = _deductions(session, _OF_DEPOSITS, deposit_ids)
    return {key: tuple(one for one in found if one.deposit_invoice_id == key) for key in deposit_ids}


def of_invoices(session: Session, rows: Sequence[Row[Any]]) -> dict[str, tuple[DepositDeduction, ...]]:
    """Invoice id → what it deducts of deposit invoices; only invoices of orders with a deposit are looked at."""
    ids = [row.invoice_id for row in rows if row.payment_method == "deposit"]
    found = _deductions(session, _OF_INVOICES, ids) if ids else []
    return {key: tuple(one for one in found if one.invoice_id == key) for key in ids}


def add(session: Session, posted: DepositInvoice, sequence: int) -> None:
    """Store a new deposit invoice or credit note of one with its parts."""
    session.execute(insert(tables.deposit_invoice), _values(posted, sequence))
    session.execute(insert(tables.deposit_invoice_part), _part_values(posted))


def deduct(session: Session, one: DepositDeduction, before: DepositInvoice, parts: Sequence[DepositPart]) -> bool:
    """Deduct these parts for an invoice, unless somebody else has used it meanwhile: one conditional UPDATE decides."""
    if not _take(session, _DEDUCT, before, one.amount, parts):
        return False
    values = {"deposit_invoice_id": one.deposit_invoice_id, "invoice_id": one.invoice_id}
    session.execute(_ADD_DEDUCTION, {**values, "amount_minor": one.amount.minor, "tax_minor": one.tax.minor})
    return True


def credit(session: Session, before: DepositInvoice, amount: Money, parts: Sequence[DepositPart]) -> bool:
    """Count these parts as credited, unless somebody else has used it meanwhile."""
    return _take(session, _CREDIT, before, amount, parts)


def _take(
    session: Session, how: Any, before: DepositInvoice, amount: Money, parts: Sequence[DepositPart]
) -> bool:  # `how` is an UPDATE
    terms = {"id": before.deposit_invoice_id, "amount": amount.minor, "used": (before.total - before.open).minor}
    if changed(session, how, terms) != 1:
        return False
    rows = [
        {"id": before.deposit_invoice_id, "place": place, "net": part.net.minor, "tax": part.tax.minor}
        for place, part in enumerate(parts)
    ]
    session.execute(_TAKE_PART, rows)
    return True


def _deductions(session: Session, wanted: Select[Any], ids: Collection[str]) -> list[DepositDeduction]:
    return [
        DepositDeduction(
            row.deposit_invoice_id,
            row.deposit_number,
            date.fromisoformat(row.deposit_on),
            row.invoice_id,
            row.invoice_number,
            Money(row.amount_minor, row.currency),
            Money(row.tax_minor, row.currency),
        )
        for row in session.execute(wanted, {"ids": sorted(ids)})
    ]


def _values(posted: DepositInvoice, sequence: int) -> dict[str, object]:
    names = (
        "deposit_invoice_id", "kind", "number", "corrects", "reason", "order_id", "order_number", "customer_id", "currency", "issued_at"
    )  # fmt: skip
    return {
        **{name: getattr(posted, name) for name in names},
        **headers.values(posted.header),
        "sequence": sequence,
        "corrected_on": posted.corrected_on.isoformat() if posted.corrected_on else "",
        "invoiced_on": posted.invoiced_on.isoformat(),
        "received_on": posted.received_on.isoformat(),
        "total_minor": posted.total.minor,
        "tax_minor": posted.tax.minor,
        "deducted_minor": posted.deducted.minor,
        "credited_minor": posted.credited.minor,
    }


def _part_values(posted: DepositInvoice) -> list[dict[str, object]]:
    return [
        {
            "deposit_invoice_id": posted.deposit_invoice_id,
            "position": position,
            "code": part.kind.code,
            "rate": f"{part.kind.rate:f}",
            "reason": part.kind.reason,
            "net_minor": part.net.minor,
            "tax_minor": part.tax.minor,
            "left_net_minor": 0 if posted.kind == CREDIT_NOTE else part.net.minor,
            "left_tax_minor": 0 if posted.kind == CREDIT_NOTE else part.tax.minor,
        }
        for position, part in enumerate(posted.parts)
    ]


def _many(session: Session, wanted: Select[Any], terms: dict[str, object]) -> list[DepositInvoice]:
    rows = session.execute(wanted, terms).all()
    if not rows:
        return []
    found = session.execute(_PARTS, {"ids": [row.deposit_invoice_id for row in rows]}).all()
    parts = {key: list(group) for key, group in groupby(found, key=lambda part: str(part.deposit_invoice_id))}
    return [_deposit_invoice(row, parts[row.deposit_invoice_id]) for row in rows]


def _deposit_invoice(row: Row[Any], parts: Sequence[Row[Any]]) -> DepositInvoice:
    kinds = [TaxKind(part.code, Decimal(part.rate), part.reason) for part in parts]

    def read(prefix: str) -> tuple[DepositPart, ...]:
        return tuple(
            DepositPart(
                kind,
                Money(getattr(part, f"{prefix}net_minor"), row.currency),
                Money(getattr(part, f"{prefix}tax_minor"), row.currency),
            )
            for kind, part in zip(kinds, parts, strict=True)
        )

    return DepositInvoice(
        row.deposit_invoice_id,
        row.number,
        row.kind,
        row.order_id,
        row.order_number,
        row.customer_id,
        date.fromisoformat(row.invoiced_on),
        date.fromisoformat(row.received_on),
        row.issued_at,
        read(""),
        read("left_"),
        Money(row.deducted_minor, row.currency),
        Money(row.credited_minor, row.currency),
        row.corrects,
        date.fromisoformat(row.corrected_on) if row.corrected_on else None,
        row.reason,
        headers.header(row),
    )
