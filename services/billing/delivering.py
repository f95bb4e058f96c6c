"""Recording deliveries, inside the caller's transaction: an invoice that is due on delivery falls due by it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.delivery_wire import Delivered
from services.billing.domain.facts import DueDateSet
from services.billing.domain.invoices import Invoice
from services.billing.store import billable, credit, deliveries, families, invoices, parts, reversals
from services.kernel.terms import NOT_DUE, Terms
from services.runtime.business_days import next_business_day
from services.runtime.facts import emit_fact


def record(session: Session, arrived: Sequence[Delivered], now: datetime) -> bool:
    """Keep which shipments arrived, each once, and tell of each invoice that has its due date by it; whether one is to be made by it."""
    named = [one.shipment_id for one in arrived]
    known, in_part = invoices.of_shipments(session, named), parts.invoices_of(session, named)
    waiting = [one for one in (*known.values(), *in_part) if one.due_on == NOT_DUE]
    families.take(session, {(one.customer_id, one.total.currency) for one in waiting})
    for one in arrived:
        if not deliveries.record(session, one.shipment_id, one.delivered_on):
            continue
        for invoice in _billing(session, one.shipment_id, known.get(one.shipment_id)):
            if invoice.due_on == NOT_DUE:
                _set_due(session, invoice, now)
    return billable.arrived(session, [one.shipment_id for one in arrived])


def _billing(session: Session, shipment_id: str, known: Invoice | None) -> list[Invoice]:
    """The invoices of a shipment, and of parts of it; one that was issued while this waited for it is known by now."""
    whole = known or invoices.of_shipment(session, shipment_id)
    return [*parts.invoices_of(session, [shipment_id]), *([whole] if whole else [])]


def set_due_if_arrived(session: Session, invoice_id: str, now: datetime) -> None:
    """A shipment of an invoice never left: it is due by the others, once they have arrived."""
    invoice = invoices.by_id(session, invoice_id)
    assert invoice is not None, "invoices are never deleted"
    if invoice.due_on == NOT_DUE:
        _set_due(session, invoice, now)


def _set_due(session: Session, invoice: Invoice, now: datetime) -> None:
    """An invoice of several shipments is due by the last of them, but for those that never left."""
    credit.take_or_open(session, invoice.customer_id, invoice.total.currency)
    never_left = reversals.of_invoice(session, invoice.invoice_id)
    awaited = [one for one in invoice.bills if one not in never_left]
    days = deliveries.days(session, awaited)
    if len(days) < len(awaited) or not awaited:
        return
    move = partial(next_business_day, invoice.calendar)
    (due,) = Terms.parse(invoice.terms).installments(invoice.total, invoice.invoiced_on, move, max(days))
    if invoices.set_due(session, invoice.invoice_id, due.due_on):
        standing = invoices.by_id(session, invoice.invoice_id)  # as it is now that its account is locked
        assert standing is not None, "invoices are never deleted"
        detail = fact_wire.due_date_fact(DueDateSet(replace(standing, due_on=due.due_on)))
        emit_fact(session, detail, order_id=invoice.order_id, subject_id=invoice.invoice_id, now=now)
