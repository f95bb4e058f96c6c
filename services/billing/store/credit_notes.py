"""Credit notes, what of invoices they credit, and what of invoices is given up."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, insert, select, text, update
from sqlmodel import Session

from services.billing.domain.credit_notes import Credited, CreditedSoFar, CreditedTax, CreditNote, Landing, LeftOver
from services.billing.domain.invoices import Invoice, InvoiceLine
from services.billing.store import tables
from services.billing.store.billed_lines import line_of
from services.billing.store.invoices import OPEN_MINOR
from services.kernel.ids import FIRST_CREDIT_NOTE
from services.kernel.money import Money
from services.kernel.tax import TaxKind
from services.runtime.db import Int64
from services.runtime.statements import changed, fitting

_note, _line, _cash = tables.credit_note.c, tables.credit_note_line.c, tables.credit_note_cash.c
_tax = tables.credit_note_tax_part.c
_bill, _billed = tables.invoice.c, tables.invoice_line.c
_PARTS = ("merchandise", "discount", "allowance", "freight", "tax", "claw_back")
_LANDING = ("open", "recovered", "discount_lost", "cash")
_NEXT = text(
    f"INSERT INTO counter (name, last_number) VALUES ('credit_note', {FIRST_CREDIT_NOTE}) "  # noqa: S608 - a constant
    "ON CONFLICT (name) DO UPDATE SET last_number = counter.last_number + 1 RETURNING last_number"
)
_ALL = select(tables.credit_note).order_by(_note.sequence)
_SUMS = select(*(func.coalesce(func.sum(_note[f"{part}_minor"]), 0) for part in _PARTS)).where(
    _note.invoice_id == bindparam("invoice")
)
_UNITS = (
    select(_line.line_id, func.sum(_line.quantity).label("units"), func.sum(_line.extended_minor).label("minor"))
    .join(tables.credit_note, _note.credit_note_id == _line.credit_note_id)
    .where(_note.invoice_id == bindparam("invoice"))
    .group_by(_line.line_id)
)
_BY_TAX = (
    select(_tax.tax_key, *(func.sum(_tax[f"{part}_minor"]) for part in _PARTS))
    .join(tables.credit_note, _note.credit_note_id == _tax.credit_note_id)
    .where(_note.invoice_id == bindparam("invoice"))
    .group_by(_tax.tax_key)
)
_TAX_PARTS = (
    select(tables.credit_note_tax_part)
    .where(_tax.credit_note_id.in_(bindparam("ids", expanding=True)))
    .order_by(_tax.credit_note_id, _tax.position)
)
_LINES = (
    select(tables.credit_note_line)
    .where(_line.credit_note_id.in_(bindparam("ids", expanding=True)))
    .order_by(_line.credit_note_id, _line.position)
)
_LEFT_OVER = (
    select(tables.credit_note_cash)
    .where(_cash.credit_note_id.in_(bindparam("ids", expanding=True)))
    .order_by(_cash.credit_note_id, _cash.payment_id)
)


def _minor(name: str) -> Any:  # a parameter of whole minor units
    return bindparam(name, type_=Int64)


_TAKE_UNITS = (
    update(tables.invoice_line)
    .where(
        _billed.invoice_id == bindparam("id"),
        _billed.line_id == bindparam("line"),
        _billed.credited_quantity + _minor("units") <= _billed.quantity,
    )
    .values(credited_quantity=_billed.credited_quantity + _minor("units"))
)
_CREDIT = (
    update(tables.invoice)
    .where(
        _bill.invoice_id == bindparam("id"),
        _minor("off_open") <= OPEN_MINOR,
        _minor("recovered") <= _bill.written_off_minor,
        _minor("discount") <= _bill.discount_taken_minor,
        _minor("cash") <= _bill.paid_minor,
    )
    .values(
        credited_minor=_bill.credited_minor + _minor("total") - _minor("fee"),
        written_off_minor=_bill.written_off_minor - _minor("recovered"),
        discount_taken_minor=_bill.discount_taken_minor - _minor("discount"),
        paid_minor=_bill.paid_minor - _minor("cash") + _minor("fee_of_cash"),
    )
)
_WRITE_OFF = (
    update(tables.invoice)
    .where(_bill.invoice_id == bindparam("id"), _minor("amount") <= OPEN_MINOR)
    .values(written_off_minor=_bill.written_off_minor + _minor("amount"))
)


def next_sequence(session: Session) -> int:
    """The next number, from FIRST_CREDIT_NOTE: given back when the transaction does not commit, as that of an invoice."""
    return int(session.execute(_NEXT).scalar_one())


def so_far(session: Session, invoice: Invoice) -> CreditedSoFar:
    """What the credit notes of an invoice came to."""
    currency, of = invoice.total.currency, {"invoice": invoice.invoice_id}
    parts = _credited(session.execute(_SUMS, of).one(), currency)
    rows = session.execute(_UNITS, of).all()
    return CreditedSoFar(
        {row.line_id: int(row.units) for row in rows},
        {row.line_id: Money(int(row.minor), currency) for row in rows},
        parts,
        {str(key): _credited(minors, currency) for key, *minors in session.execute(_BY_TAX, of)},
    )


def _credited(minors: Sequence[Any], currency: str) -> Credited:
    """From what a row has of _PARTS."""
    merchandise, discount, allowance, freight, tax = (Money(int(minor), currency) for minor in minors[:5])
    return Credited(merchandise, discount, allowance, freight, tax, int(minors[5]))


def take(
    session: Session, invoice_id: str, lines: Sequence[InvoiceLine], total: Money, landing: Landing, fee: Money
) -> bool:
    """Count units and amounts of an invoice as credited, unless there are not as many: conditional UPDATEs decide.

    The fee is kept of cash first; what of it is not paid stays open.
    """
    units = [{"id": invoice_id, "line": line.line_id, "units": line.quantity} for line in lines]
    if units and changed(session, _TAKE_UNITS, units) != len(units):
        return False
    terms = {
        "id": invoice_id,
        "total": total.minor,
        "off_open": landing.open.minor,
        "recovered": landing.recovered.minor,
        "discount": landing.discount.minor,
        "cash": landing.cash.minor,
        "fee": fee.minor,
        "fee_of_cash": min(fee, landing.cash).minor,
    }
    return changed(session, _CREDIT, terms) == 1


def give_up(session: Session, invoice_id: str, amount: Money) -> bool:
    """Count an amount as given up, unless less is open: one conditional UPDATE decides."""
    return changed(session, _WRITE_OFF, {"id": invoice_id, "amount": amount.minor}) == 1


def add_write_off(
    session: Session,
    write_off_id: str,
    invoice_id: str,
    amount: Money,
    *,
    reason: str,
    asked_by: str,
    approved_by: str,
    now: datetime,
) -> None:
    """Keep what was given up, and why."""
    values = {
        "write_off_id": write_off_id,
        "invoice_id": invoice_id,
        "amount_minor": amount.minor,
        "reason": reason,
        "asked_by": asked_by,
        "approved_by": approved_by,
        "written_off_at": now,
    }
    session.execute(insert(tables.write_off), values)


def add(session: Session, note: CreditNote, sequence: int) -> None:
    """Store a new credit note with its lines and the cash that it left."""
    session.execute(insert(tables.credit_note), _values(note, sequence))
    lines = [
        {
            "credit_note_id": note.credit_note_id,
            "line_id": line.line_id,
            "position": position,
            "sku": line.sku,
            "description": line.description,
            "quantity": line.quantity,
            "unit_price": line.unit_price.text,
            "extended_minor": line.extended.minor,
            "tax_key": line.tax_key,
        }
        for position, line in enumerate(note.lines)
    ]
    if lines:
        session.execute(insert(tables.credit_note_line), lines)
    session.execute(insert(tables.credit_note_tax_part), _tax_values(note))
    cash = [
        {"credit_note_id": note.credit_note_id, "payment_id": one.payment_id, "amount_minor": one.amount.minor}
        for one in note.left_over
    ]
    if cash:
        session.execute(insert(tables.credit_note_cash), cash)


def known(session: Session, id_or_number: str) -> CreditNote | None:
    """A credit note by identity or number."""
    wanted = _ALL.where((_note.credit_note_id == id_or_number) | (_note.number == id_or_number))
    return next(iter(_many(session, session.execute(wanted).all())), None)


def credited_units(session: Session, order_id: str) -> dict[tuple[str, str], int]:
    """(Invoice id, line id) → units credited so far, of all invoices of an order."""
    rows = session.execute(
        select(_billed.invoice_id, _billed.line_id, _billed.credited_quantity)
        .join(tables.invoice, _bill.invoice_id == _billed.invoice_id)
        .where(_bill.order_id == order_id)
    )
    return {(row.invoice_id, row.line_id): row.credited_quantity for row in rows}


def of_return(session: Session, return_id: str) -> list[CreditNote]:
    """The credit notes of a return, by number."""
    wanted = _ALL.where(_note.return_id == return_id, text("return_id <> ''"))
    return _many(session, session.execute(wanted).all())


def page(
    session: Session, *, invoice: str, order_id: str, customer_id: str, after: int, limit: int
) -> tuple[list[CreditNote], int | None]:
    """Credit notes by number beyond sequence `after`, and the `after` of the next page; an empty filter does not filter.

    `invoice` is its identity or its number.
    """
    wanted = _ALL.where(_note.sequence > after)
    if invoice:
        wanted = wanted.where((_note.invoice_id == invoice) | _note.invoice_id.in_(_named(invoice)))
    for column, value in ((_note.order_id, order_id), (_note.customer_id, customer_id)):
        if value:
            wanted = wanted.where(column == value)
    rows = session.execute(wanted.limit(limit + 1)).all()
    fits = fitting(session, _line.credit_note_id, [row.credit_note_id for row in rows[:limit]])
    return _many(session, rows[:fits]), rows[fits - 1].sequence if len(rows) > fits else None


def _named(name: str) -> Select[Any]:
    """The invoices of a number, or the shares of a consolidated one."""
    return select(_bill.invoice_id).where(
        (_bill.number == name) | ((_bill.consolidated_id == name) & text("consolidated_id <> ''"))
    )


def _values(note: CreditNote, sequence: int) -> Mapping[str, object]:
    parts, landing = note.parts, note.landing
    amounts = {f"{name}_minor": getattr(parts, name).minor for name in (*_PARTS, "total")}
    names = (
        "credit_note_id", "number", "invoice_id", "invoice_number", "order_id", "order_number", "customer_id", "issued_at",
        "reason_code", "reason", "asked_by", "approved_by", "is_held", "return_id",
    )  # fmt: skip
    return {
        **{name: getattr(note, name) for name in names},
        **amounts,
        "sequence": sequence,
        "currency": parts.total.currency,
        "credited_on": note.credited_on.isoformat(),
        "open_minor": landing.open.minor,
        "recovered_minor": landing.recovered.minor,
        "discount_lost_minor": landing.discount.minor,
        "cash_minor": landing.cash.minor,
        "fee_minor": note.fee.minor if note.fee else 0,
        "ours_minor": note.ours.minor if note.ours else 0,
        "deferred_goods_minor": note.deferred[0].minor if note.deferred else 0,
        "deferred_freight_minor": note.deferred[1].minor if note.deferred else 0,
    }


def _tax_values(note: CreditNote) -> list[dict[str, object]]:
    return [
        {
            "credit_note_id": note.credit_note_id,
            "tax_key": one.key,
            "position": position,
            "code": one.kind.code,
            "rate": f"{one.kind.rate:f}",
            "reason": one.kind.reason,
            **{f"{name}_minor": getattr(one.parts, name).minor for name in _PARTS},
        }
        for position, one in enumerate(note.by_tax)
    ]


def _many(session: Session, rows: Sequence[Row[Any]]) -> list[CreditNote]:
    if not rows:
        return []
    ids = {"ids": [row.credit_note_id for row in rows]}
    lines = {key: list(group) for key, group in groupby(session.execute(_LINES, ids), lambda one: one.credit_note_id)}
    cash = {
        key: list(group) for key, group in groupby(session.execute(_LEFT_OVER, ids), lambda one: one.credit_note_id)
    }
    taxes = {
        key: list(group) for key, group in groupby(session.execute(_TAX_PARTS, ids), lambda one: one.credit_note_id)
    }
    return [_note_of(row, *(found.get(row.credit_note_id, []) for found in (lines, cash, taxes))) for row in rows]


def _note_of(
    row: Row[Any], lines: Sequence[Row[Any]], cash: Sequence[Row[Any]], taxes: Sequence[Row[Any]]
) -> CreditNote:
    def money(minor: int) -> Money:
        return Money(minor, row.currency)

    return CreditNote(
        row.credit_note_id,
        row.number,
        row.invoice_id,
        row.invoice_number,
        row.order_id,
        row.order_number,
        row.customer_id,
        date.fromisoformat(row.credited_on),
        row.issued_at,
        row.reason_code,
        row.reason,
        tuple(line_of(line, row.currency) for line in lines),
        _credited([getattr(row, f"{part}_minor") for part in _PARTS], row.currency),
        Landing(*(money(getattr(row, f"{part}_minor")) for part in _LANDING)),
        tuple(LeftOver(one.payment_id, money(one.amount_minor)) for one in cash),
        row.asked_by,
        row.approved_by,
        tuple(
            CreditedTax(
                one.tax_key,
                TaxKind(one.code, Decimal(one.rate), one.reason),
                _credited([getattr(one, f"{part}_minor") for part in _PARTS], row.currency),
            )
            for one in taxes
        ),
        (money(row.deferred_goods_minor), money(row.deferred_freight_minor)),
        bool(row.is_held),
        money(row.fee_minor),
        row.return_id,
        money(row.ours_minor),
    )
