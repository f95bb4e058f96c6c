"""Recording deliveries, inside the caller's transaction: an invoice that is due on delivery falls due by it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.delivery_wire import Delivered
from services.billing.domain.facts import DueDateSet
from services.billing.store import deliveries, invoices
from services.kernel.terms import NOT_DUE, Terms
from services.runtime.business_days import next_business_day
from services.runtime.facts import emit_fact


def record(session: Session, arrived: Iterable[Delivered], now: datetime) -> None:
    """Keep which shipments arrived, each once, and tell of each invoice that has its due date by it."""
    for one in arrived:
        if not deliveries.record(session, one.shipment_id, one.delivered_on):
            continue
        invoice = invoices.of_shipment(session, one.shipment_id)
        if invoice is None or invoice.due_on != NOT_DUE:
            continue
        move = partial(next_business_day, invoice.calendar)
        (due,) = Terms.parse(invoice.terms).installments(invoice.total, invoice.invoiced_on, move, one.delivered_on)
        if invoices.set_due(session, invoice.invoice_id, due.due_on):
            detail = fact_wire.due_date_fact(DueDateSet(replace(invoice, due_on=due.due_on)))
            emit_fact(session, detail, order_id=invoice.order_id, subject_id=invoice.invoice_id, now=now)
