"""Invoices and their lines."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import ColumnElement, func, text
from sqlmodel import Session, col, select, update

from services.billing import models
from services.billing.domain.invoices import OPEN, PAID, PART_PAID, BilledSoFar, Charges, Invoice, InvoiceLine
from services.kernel.money import Money, UnitPrice

_OPEN_MINOR = col(models.Invoice.total_minor) - col(models.Invoice.paid_minor)
_STATUS: dict[str, ColumnElement[bool]] = {
    OPEN: (_OPEN_MINOR > 0) & (col(models.Invoice.paid_minor) == 0),
    PART_PAID: (_OPEN_MINOR > 0) & (col(models.Invoice.paid_minor) > 0),
    PAID: _OPEN_MINOR == 0,
}


def next_sequence(session: Session) -> int:
    """The next invoice number, from 1: given back when the transaction does not commit, so that numbers have no gaps.

    Take it late: on PostgreSQL every other invoice waits for this row until the transaction ends.
    """
    counting = text(
        "INSERT INTO counter (name, last_number) VALUES ('invoice', 1) "
        "ON CONFLICT (name) DO UPDATE SET last_number = counter.last_number + 1 RETURNING last_number"
    )
    return int(session.execute(counting).scalar_one())


def of_shipment(session: Session, shipment_id: str) -> Invoice | None:
    """The one invoice of a shipment, if it was issued."""
    return _one(session, col(models.Invoice.shipment_id) == shipment_id)


def by_id(session: Session, invoice_id: str) -> Invoice | None:
    """An invoice by identity."""
    return _one(session, col(models.Invoice.invoice_id) == invoice_id)


def by_ids(session: Session, invoice_ids: Collection[str]) -> dict[str, Invoice]:
    """Invoice id → invoice, of those that exist."""
    found = _many(session, col(models.Invoice.invoice_id).in_(sorted(invoice_ids)))
    return {invoice.invoice_id: invoice for invoice in found}


def open_of_customer(session: Session, customer_id: str, currency: str) -> list[Invoice]:
    """A customer's invoices with something open, by number."""
    return _many(
        session,
        col(models.Invoice.customer_id) == customer_id,
        col(models.Invoice.currency) == currency,
        _OPEN_MINOR > 0,
    )


def page(
    session: Session, *, order_id: str, customer_id: str, status: str, after: int, limit: int
) -> list[tuple[int, Invoice]]:
    """Invoices by number beyond sequence `after`, each with its sequence; an empty filter does not filter."""
    wanted = [col(models.Invoice.sequence) > after]
    if order_id:
        wanted.append(col(models.Invoice.order_id) == order_id)
    if customer_id:
        wanted.append(col(models.Invoice.customer_id) == customer_id)
    if status:
        wanted.append(_STATUS[status])
    rows = session.exec(select(models.Invoice).where(*wanted).order_by(col(models.Invoice.sequence)).limit(limit)).all()
    return list(zip((row.sequence for row in rows), _with_lines(session, rows), strict=True))


def billed_so_far(session: Session, order_id: str, currency: str) -> BilledSoFar:
    """What the invoices of an order came to."""
    columns = models.Invoice
    sums = session.exec(
        select(
            func.coalesce(func.sum(columns.merchandise_minor), 0),
            func.coalesce(func.sum(columns.discount_minor), 0),
            func.coalesce(func.sum(columns.freight_minor), 0),
            func.coalesce(func.sum(columns.tax_minor), 0),
        ).where(col(columns.order_id) == order_id)
    ).one()
    quantities = session.exec(
        select(models.InvoiceLine.line_id, func.sum(models.InvoiceLine.quantity))
        .join(models.Invoice, col(models.Invoice.invoice_id) == col(models.InvoiceLine.invoice_id))
        .where(col(models.Invoice.order_id) == order_id)
        .group_by(col(models.InvoiceLine.line_id))
    ).all()
    merchandise, discount, freight, tax = (Money(int(part), currency) for part in sums)
    charges = Charges(merchandise, discount, freight, tax)
    return BilledSoFar({line_id: int(units) for line_id, units in quantities}, charges)


def billed_total(session: Session, order_id: str, currency: str) -> Money:
    """What the invoices of an order came to in all."""
    billed = func.coalesce(func.sum(models.Invoice.total_minor), 0)
    return Money(int(session.exec(select(billed).where(col(models.Invoice.order_id) == order_id)).one()), currency)


def add(session: Session, invoice: Invoice, sequence: int, now: datetime) -> None:
    """Store a new invoice with its lines."""
    session.add(_row(invoice, sequence, now))
    session.flush()
    session.add_all(
        models.InvoiceLine(
            invoice_id=invoice.invoice_id,
            line_id=line.line_id,
            position=position,
            sku=line.sku,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price.text,
            extended_minor=line.extended.minor,
        )
        for position, line in enumerate(invoice.lines)
    )
    session.flush()


def pay(session: Session, invoice_id: str, amount: Money) -> bool:
    """Count an amount as paid unless that exceeds the total: one conditional UPDATE, whose row count decides."""
    paid = session.exec(
        update(models.Invoice)
        .where(
            col(models.Invoice.invoice_id) == invoice_id,
            col(models.Invoice.paid_minor) + amount.minor <= col(models.Invoice.total_minor),
        )
        .values(paid_minor=col(models.Invoice.paid_minor) + amount.minor)
        .execution_options(synchronize_session=False)
    )
    return paid.rowcount == 1


def _one(session: Session, wanted: ColumnElement[bool]) -> Invoice | None:
    found = _many(session, wanted)
    return found[0] if found else None


def _many(session: Session, *wanted: ColumnElement[bool]) -> list[Invoice]:
    query = select(models.Invoice).where(*wanted).order_by(col(models.Invoice.sequence))
    return _with_lines(session, session.exec(query.execution_options(populate_existing=True)).all())


def _with_lines(session: Session, rows: Sequence[models.Invoice]) -> list[Invoice]:
    """The invoices of these rows, in their order, their lines read by one query."""
    lines: dict[str, list[models.InvoiceLine]] = {}
    if rows:
        line_rows = session.exec(
            select(models.InvoiceLine)
            .where(col(models.InvoiceLine.invoice_id).in_([row.invoice_id for row in rows]))
            .order_by(col(models.InvoiceLine.invoice_id), col(models.InvoiceLine.position))
        ).all()
        lines = {key: list(group) for key, group in groupby(line_rows, key=lambda line: line.invoice_id)}
    return [_invoice(row, lines.get(row.invoice_id, [])) for row in rows]


def _row(invoice: Invoice, sequence: int, now: datetime) -> models.Invoice:
    return models.Invoice(
        invoice_id=invoice.invoice_id,
        sequence=sequence,
        number=invoice.number,
        order_id=invoice.order_id,
        order_number=invoice.order_number,
        customer_id=invoice.customer_id,
        shipment_id=invoice.shipment_id,
        currency=invoice.total.currency,
        invoiced_on=invoice.invoiced_on.isoformat(),
        due_on=invoice.due_on.isoformat(),
        merchandise_minor=invoice.charges.merchandise.minor,
        discount_minor=invoice.charges.discount.minor,
        freight_minor=invoice.charges.freight.minor,
        tax_minor=invoice.charges.tax.minor,
        total_minor=invoice.total.minor,
        paid_minor=invoice.paid.minor,
        issued_at=now,
    )


def _invoice(row: models.Invoice, lines: Sequence[models.InvoiceLine]) -> Invoice:
    def money(minor: int) -> Money:
        return Money(minor, row.currency)

    return Invoice(
        row.invoice_id,
        row.number,
        row.order_id,
        row.order_number,
        row.customer_id,
        row.shipment_id,
        date.fromisoformat(row.invoiced_on),
        date.fromisoformat(row.due_on),
        tuple(
            InvoiceLine(
                line.line_id,
                line.sku,
                line.description,
                line.quantity,
                UnitPrice.parse(line.unit_price, row.currency),
                money(line.extended_minor),
            )
            for line in lines
        ),
        Charges(
            money(row.merchandise_minor), money(row.discount_minor), money(row.freight_minor), money(row.tax_minor)
        ),
        money(row.paid_minor),
    )
