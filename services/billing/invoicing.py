"""Issuing the invoice of a shipment, inside the caller's transaction: number, books, credit and facts move together."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.committing import grant_waiting
from services.billing.domain import ledger
from services.billing.domain.charging import BilledSoFar
from services.billing.domain.credit import check_account, counts_as_committed, is_on_terms, moved_by_invoice
from services.billing.domain.facts import InvoiceIssued
from services.billing.domain.invoices import Bill, BillableOrder, Invoice, bill, schedule
from services.billing.domain.payouts import due_from_channel
from services.billing.settling import settle
from services.billing.store import credit, deliveries, invoices, sales, waits
from services.billing.store import ledger as ledger_store
from services.billing.wire import Shipped
from services.kernel.ids import invoice_number, new_id
from services.kernel.money import Money
from services.kernel.terms import DELIVERY, INSTALLMENTS
from services.runtime.business_days import next_business_day
from services.runtime.facts import emit_fact


def issue(session: Session, shipped: Shipped, now: datetime) -> Invoice:
    """The one invoice of a shipment: posted now, or as it stands when it was posted before."""
    order = shipped.order
    credit.take_or_open(session, order.customer_id, order.currency)
    earlier = invoices.of_shipment(session, shipped.shipment_id)
    if earlier is not None:
        return earlier
    before = invoices.billed_so_far(session, order.order_id, order.currency)
    billed = bill(order, shipped.quantities, before)
    sequence = invoices.next_sequence(session)
    invoice = _dated(session, order, _invoice(shipped, billed, sequence))
    invoices.add(session, invoice, sequence, now)
    ledger_store.post(session, ledger.invoice_postings(invoice, order.settlement), now)
    _move_credit(session, invoice)
    if order.settlement is not None:
        sales.add(session, order, order.settlement, due_from_channel(invoice.charges, order.settlement), now)
    waits.remove_billed(session, order.order_id, before.charges.total + invoice.total)
    _notify_issued(session, invoice, before, now)
    # cash that came before pays it at once: a prepaid order is settled the moment it is billed
    settled = settle(session, order.customer_id, order.currency, now)
    if any(one.discount_taken for one in settled.values()):  # the customer owes less than was committed
        grant_waiting(session, order.customer_id, order.currency, now)
    return settled.get(invoice.invoice_id, invoice)


def _invoice(shipped: Shipped, billed: Bill, sequence: int) -> Invoice:
    order = shipped.order
    return Invoice(
        new_id("inv"),
        invoice_number(sequence),
        order.order_id,
        order.number,
        order.customer_id,
        shipped.shipment_id,
        shipped.shipped_on,
        shipped.shipped_on,
        billed.lines,
        billed.charges,
        Money.zero(order.currency),
        billed.charges.total if order.settlement is not None else Money.zero(order.currency),
        terms=order.payment_terms.text if is_on_terms(order.payment_method) else "",
        calendar=order.calendar,
        header=shipped.header,
        parts=billed.parts,
    )


def _dated(session: Session, order: BillableOrder, invoice: Invoice) -> Invoice:
    """The invoice with its due dates and its discount, by the terms of its order."""
    is_due_on_delivery = order.payment_terms.kind == DELIVERY
    delivered_on = deliveries.awaited(session, invoice.shipment_id) if is_due_on_delivery else None
    move = partial(next_business_day, order.calendar)
    dues = schedule(order, invoice.total, invoice.invoiced_on, move, delivered_on)
    is_parted = order.payment_terms.kind == INSTALLMENTS
    return replace(
        invoice,
        due_on=dues.installments[0].due_on,
        installments=dues.installments if is_parted else (),
        early=dues.early,
    )


def _move_credit(session: Session, invoice: Invoice) -> None:
    """What was committed becomes receivable, so that the order counts once; the rest of the invoice is owed all the same."""
    commitment = credit.commitment(session, invoice.order_id)
    check_account(commitment, invoice.customer_id, invoice.total.currency)
    moved = moved_by_invoice(commitment, invoice.total)
    if commitment is not None:
        credit.invoice_commitment(session, commitment, moved)
        moved = moved if counts_as_committed(commitment.payment_method) else moved - moved
    credit.move(session, invoice.customer_id, committed=-moved, receivable=invoice.open)


def _notify_issued(session: Session, invoice: Invoice, before: BilledSoFar, now: datetime) -> None:
    """`before` is what was billed without this invoice; no other one comes in between, for the account is taken."""
    so_far = Counter(before.quantities)
    so_far.update({line.line_id: line.quantity for line in invoice.lines})
    issued = fact_wire.invoice_fact(InvoiceIssued(invoice, so_far))
    emit_fact(session, issued, order_id=invoice.order_id, subject_id=invoice.invoice_id, now=now)
