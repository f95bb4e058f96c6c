"""Invoices and their lines."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)  # fmt: skip
from sqlmodel import Session

from services.billing.domain.charging import BilledSoFar, Charges
from services.billing.domain.invoices import EarlyDiscount, Invoice, Threshold
from services.billing.store import billed_lines, deposit_invoices, headers, installments, tables, tax_parts
from services.billing.store.billed_lines import IS_OF_GOODS, REVERSED_MINOR
from services.kernel.money import Money
from services.kernel.terms import NOT_DUE
from services.runtime.db import Int64
from services.runtime.statements import changed

_row, _line = tables.invoice.c, tables.invoice_line.c
_NOTHING: ColumnElement[int] = literal_column("0")


def open_minor(row: Any) -> ColumnElement[int]:
    """What is open of a row of invoices, in the words of the index of what is."""
    return (  # type: ignore[no-any-return]  # columns of any alias
        row.total_minor
        - row.paid_minor
        - row.discount_taken_minor
        - row.settled_elsewhere_minor
        - row.credited_minor
        - row.written_off_minor
    )


OPEN_MINOR = open_minor(_row)
_IS_OPEN = OPEN_MINOR > _NOTHING
_NEXT = text(
    "INSERT INTO counter (name, last_number) VALUES ('invoice', 1) "
    "ON CONFLICT (name) DO UPDATE SET last_number = counter.last_number + 1 RETURNING last_number"
)
_ALL = select(tables.invoice).order_by(_row.sequence, _row.share)
_kept = tables.billable_shipment.c
_OF_SHIPMENTS = _ALL.where(
    _row.invoice_id.in_(select(_kept.invoice_id).where(_kept.shipment_id.in_(bindparam("shipments", expanding=True))))
)
_OF_ORDER = _ALL.where(_row.order_id == bindparam("order"), IS_OF_GOODS)
_NUMBERS = select(_row.number).where(_row.order_id == bindparam("order"), IS_OF_GOODS).order_by(_row.sequence).limit(5)
_BY_IDS = _ALL.where(_row.invoice_id.in_(bindparam("ids", expanding=True)))
_OPEN_OF_CUSTOMER = _ALL.where(
    _row.customer_id == bindparam("customer"), _row.currency == bindparam("of_currency"), _IS_OPEN
)
_OPEN_OF_ORDERS = _ALL.where(_row.order_id.in_(bindparam("orders", expanding=True)), _IS_OPEN)
_deposit = tables.order_deposit.c
_OPEN_WITH_DEPOSIT = _OPEN_OF_CUSTOMER.where(
    exists().where(_deposit.order_id == _row.order_id, _deposit.remaining_minor > _NOTHING)
)
_LINES = (
    select(tables.invoice_line)
    .where(_line.invoice_id.in_(bindparam("ids", expanding=True)))
    .order_by(_line.invoice_id, _line.position)
)
_CHARGED = select(
    func.coalesce(func.sum(_row.merchandise_minor - _row.reversed_merchandise_minor), 0),
    func.coalesce(func.sum(_row.discount_minor - _row.reversed_discount_minor), 0),
    func.coalesce(func.sum(_row.freight_minor - _row.reversed_freight_minor), 0),
    func.coalesce(func.sum(_row.tax_minor - _row.reversed_tax_minor), 0),
).where(_row.order_id == bindparam("order"), IS_OF_GOODS)
_BILLED_TOTALS = (
    select(_row.order_id, func.sum(_row.total_minor - REVERSED_MINOR))
    .where(_row.order_id.in_(bindparam("orders", expanding=True)), IS_OF_GOODS)
    .group_by(_row.order_id)
)
_ADD, _ADD_LINES = insert(tables.invoice), insert(tables.invoice_line)
_AMOUNT = bindparam("amount", type_=Int64)
_DISCOUNT = bindparam("discount", type_=Int64)
_PAY = (
    update(tables.invoice)
    .where(_row.invoice_id == bindparam("id"), _AMOUNT + _DISCOUNT <= OPEN_MINOR)
    .values(paid_minor=_row.paid_minor + _AMOUNT, discount_taken_minor=_row.discount_taken_minor + _DISCOUNT)
)
_TAKE_OFF = (
    update(tables.invoice)
    .where(_row.invoice_id == bindparam("id"), _row.paid_minor >= _AMOUNT)
    .values(paid_minor=_row.paid_minor - _AMOUNT, discount_taken_minor=0)
)
_SET_DUE = (
    update(tables.invoice)
    .where(_row.invoice_id == bindparam("id"), _row.due_on == NOT_DUE.isoformat())
    .values(due_on=bindparam("new_due_on"))
)
_DISCOUNTS = select(func.coalesce(func.sum(_row.discount_taken_minor), 0)).where(
    _row.order_id == bindparam("order"), IS_OF_GOODS
)
_NOT_OWED = select(
    func.coalesce(func.sum(_row.written_off_minor), 0), func.coalesce(func.sum(_row.credited_minor - REVERSED_MINOR), 0)
).where(_row.order_id == bindparam("order"), IS_OF_GOODS)


def next_sequence(session: Session) -> int:
    """The next invoice number, from 1: given back when the transaction does not commit, so that numbers have no gaps.

    Take it late: on PostgreSQL every other invoice waits for this row until the transaction ends.
    """
    return int(session.execute(_NEXT).scalar_one())


def of_shipment(session: Session, shipment_id: str) -> Invoice | None:
    """The one invoice that bills a shipment, if it was issued."""
    return of_shipments(session, [shipment_id]).get(shipment_id)


def of_shipments(session: Session, shipment_ids: Collection[str]) -> dict[str, Invoice]:
    """Shipment → the one invoice that bills it, of those that have one."""
    wanted = set(shipment_ids)
    found = many(session, _OF_SHIPMENTS, {"shipments": sorted(wanted)})
    return {shipment_id: one for one in found for shipment_id in one.bills if shipment_id in wanted}


def by_id(session: Session, invoice_id: str) -> Invoice | None:
    """An invoice by identity."""
    return by_ids(session, [invoice_id]).get(invoice_id)


def by_ids(session: Session, invoice_ids: Collection[str]) -> dict[str, Invoice]:
    """Invoice id → invoice, of those that exist."""
    return {invoice.invoice_id: invoice for invoice in many(session, _BY_IDS, {"ids": sorted(invoice_ids)})}


def of_order(session: Session, order_id: str) -> list[Invoice]:
    """An order's invoices, by number, but for those of fees."""
    return many(session, _OF_ORDER, {"order": order_id})


def numbers_of_order(session: Session, order_id: str) -> list[str]:
    """Numbers of an order's invoices, oldest first, at most 5."""
    return list(session.execute(_NUMBERS, {"order": order_id}).scalars())


def open_of_customer(session: Session, customer_id: str, currency: str) -> list[Invoice]:
    """A customer's invoices with something open, by number."""
    return many(session, _OPEN_OF_CUSTOMER, {"customer": customer_id, "of_currency": currency})


def open_with_deposit(session: Session, customer_id: str, currency: str) -> list[Invoice]:
    """A customer's invoices with something open for whose orders cash is held, by number."""
    return many(session, _OPEN_WITH_DEPOSIT, {"customer": customer_id, "of_currency": currency})


def open_of_orders(session: Session, order_ids: Collection[str]) -> list[Invoice]:
    """Invoices of these orders with something open, by number."""
    return many(session, _OPEN_OF_ORDERS, {"orders": sorted(order_ids)})


def billed_so_far(session: Session, order_id: str, currency: str) -> BilledSoFar:
    """What the invoices of an order came to, but for what had not left."""
    sums = session.execute(_CHARGED, {"order": order_id}).one()
    merchandise, discount, freight, tax = (Money(int(part), currency) for part in sums)
    charges = Charges(merchandise, discount, freight, tax)
    quantities, extended = billed_lines.of_order(session, order_id, currency)
    parts = tax_parts.billed(session, order_id, currency) if charges != Charges.none(currency) else {}
    return BilledSoFar(quantities, charges, parts, extended)


def billed_total(session: Session, order_id: str, currency: str) -> Money:
    """What the invoices of an order came to in all."""
    return billed_totals(session, [order_id], currency)[order_id]


def billed_totals(session: Session, order_ids: list[str], currency: str) -> dict[str, Money]:
    """Order id → what its invoices came to in all, zero when it has none."""
    sums = {str(order_id): int(minor) for order_id, minor in session.execute(_BILLED_TOTALS, {"orders": order_ids})}
    return {order_id: Money(sums.get(order_id, 0), currency) for order_id in order_ids}


def discounts_taken(session: Session, order_id: str, currency: str) -> Money:
    """What was taken off the invoices of an order for paying them early."""
    return Money(int(session.execute(_DISCOUNTS, {"order": order_id}).scalar_one()), currency)


def not_owed(session: Session, order_id: str, currency: str) -> tuple[Money, Money]:
    """What of the invoices of an order was given up, and what was credited."""
    given_up, credited = session.execute(_NOT_OWED, {"order": order_id}).one()
    return Money(int(given_up), currency), Money(int(credited), currency)


def add(session: Session, invoice: Invoice, sequence: int, now: datetime) -> None:
    """Store a new invoice with its lines and tax parts."""
    session.execute(_ADD, _values(invoice, sequence, now))
    lines = [
        {
            "invoice_id": invoice.invoice_id,
            "line_id": line.line_id,
            "position": position,
            "sku": line.sku,
            "description": line.description,
            "quantity": line.quantity,
            "unit_price": line.unit_price.text,
            "extended_minor": line.extended.minor,
            "tax_key": line.tax_key,
            "credited_quantity": 0,
        }
        for position, line in enumerate(invoice.lines)
    ]
    if lines:
        session.execute(_ADD_LINES, lines)
    installments.add(session, invoice)
    tax_parts.add(session, invoice)


def pay(session: Session, invoice_id: str, amount: Money, discount: Money | None = None) -> bool:
    """Count an amount as paid, and a discount as taken, unless they exceed what is open: one conditional UPDATE decides."""
    terms = {"id": invoice_id, "amount": amount.minor, "discount": discount.minor if discount else 0}
    return changed(session, _PAY, terms) == 1


def take_off(session: Session, invoice_id: str, amount: Money) -> bool:
    """Take an amount that was paid off an invoice, and the discount with it: one conditional UPDATE, whose row count decides."""
    return changed(session, _TAKE_OFF, {"id": invoice_id, "amount": amount.minor}) == 1


def set_due(session: Session, invoice_id: str, due_on: date) -> bool:
    """Give an invoice that waited for its delivery its due date; whether it still waited."""
    return changed(session, _SET_DUE, {"id": invoice_id, "new_due_on": due_on.isoformat()}) == 1


def many(session: Session, wanted: Select[Any], terms: Mapping[str, object]) -> list[Invoice]:
    """The invoices that a statement finds, in its order; a share of one of several orders is by itself."""
    return with_lines(session, session.execute(wanted, terms).all())


def with_lines(session: Session, rows: Sequence[Row[Any]]) -> list[Invoice]:
    """The invoices of these rows, in their order, their lines and tax parts read by one query each."""
    if not rows:
        return []
    all_lines = session.execute(_LINES, {"ids": [row.invoice_id for row in rows]}).all()
    lines = {key: list(group) for key, group in groupby(all_lines, key=lambda line: str(line.invoice_id))}
    dues = installments.of_invoices(session, rows)
    late = installments.paid_late(session, rows)
    parts = tax_parts.of_invoices(session, rows)
    deducted = deposit_invoices.of_invoices(session, rows)
    return [
        replace(
            _invoice(row, lines.get(row.invoice_id, [])),
            installments=dues.get(row.invoice_id, ()),
            paid_late=late.get(row.invoice_id),
            parts=(found := parts.get(row.invoice_id, ((), ())))[0],
            reversed_parts=found[1],
            deductions=deducted.get(row.invoice_id, ()),
        ).dated()
        for row in rows
    ]


def _values(invoice: Invoice, sequence: int, now: datetime) -> dict[str, object]:
    return {
        "invoice_id": invoice.invoice_id,
        "sequence": sequence,
        "number": invoice.number,
        "order_id": invoice.order_id,
        "order_number": invoice.order_number,
        "customer_id": invoice.customer_id,
        "shipment_id": invoice.billed_key or f"{invoice.order_id}/{sequence}",
        "fee_id": invoice.fee_id,
        "consolidated_id": invoice.consolidated_id,
        "share": invoice.share,
        "bills_parts": invoice.bills_parts,
        "is_at_order": invoice.is_at_order,
        "shipment_ids": "\n".join(invoice.shipment_ids),
        "currency": invoice.total.currency,
        "invoiced_on": invoice.invoiced_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "merchandise_minor": invoice.charges.merchandise.minor,
        "discount_minor": invoice.charges.discount.minor,
        "freight_minor": invoice.charges.freight.minor,
        "tax_minor": invoice.charges.tax.minor,
        "total_minor": invoice.total.minor,
        "paid_minor": invoice.paid.minor,
        "settled_elsewhere_minor": invoice.settled_elsewhere.minor,
        "terms": invoice.terms,
        "calendar": invoice.calendar,
        "early_discount_minor": invoice.early.amount.minor if invoice.early else 0,
        "discount_until": invoice.early.until.isoformat() if invoice.early else "",
        "discount_taken_minor": 0,
        "credited_minor": 0,
        "written_off_minor": 0,
        "discount_minimum_minor": invoice.threshold.minimum.minor if invoice.threshold else 0,
        "ordered_minor": invoice.threshold.ordered.minor if invoice.threshold else 0,
        "issued_at": now,
    } | headers.values(invoice.header)


def _invoice(row: Row[Any], lines: Sequence[Row[Any]]) -> Invoice:
    def money(minor: int) -> Money:
        return Money(minor, row.currency)

    return Invoice(
        row.invoice_id,
        row.number,
        row.order_id,
        row.order_number,
        row.customer_id,
        _first_shipment(row),
        date.fromisoformat(row.invoiced_on),
        date.fromisoformat(row.due_on),
        tuple(billed_lines.billed_line(line, row.currency) for line in lines),
        Charges(
            money(row.merchandise_minor), money(row.discount_minor), money(row.freight_minor), money(row.tax_minor)
        ),
        money(row.paid_minor),
        money(row.settled_elsewhere_minor),
        early=EarlyDiscount(money(row.early_discount_minor), date.fromisoformat(row.discount_until))
        if row.discount_until
        else None,
        discount_taken=money(row.discount_taken_minor) if row.discount_taken_minor else None,
        terms=row.terms,
        calendar=row.calendar,
        header=headers.header(row),
        credited_total=money(row.credited_minor),
        given_up=money(row.written_off_minor),
        shipment_ids=tuple(row.shipment_ids.splitlines()),
        fee_id=row.fee_id,
        consolidated_id=row.consolidated_id,
        share=row.share,
        bills_parts=row.bills_parts,
        threshold=Threshold(money(row.discount_minimum_minor), money(row.ordered_minor))
        if row.discount_minimum_minor
        else None,
    )


def _first_shipment(row: Row[Any]) -> str:
    if row.bills_parts:
        return str(row.shipment_ids).split("\n", 1)[0]
    return "" if row.is_at_order or row.fee_id else str(row.shipment_id)
