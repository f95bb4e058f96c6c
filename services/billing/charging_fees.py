"""Charging a fee of an order, inside the caller's transaction: an invoice of its own, once, which is none of what the order comes to."""

from dataclasses import replace
from datetime import date, datetime

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.cards import planning
from services.billing.domain import ledger
from services.billing.domain.billable import OrderToBill
from services.billing.domain.charging import BilledSoFar, Charges
from services.billing.domain.credit import CARD, is_on_terms
from services.billing.domain.facts import InvoiceIssued
from services.billing.domain.invoices import Bill, Invoice, bill
from services.billing.invoicing import dated
from services.billing.settling import settle
from services.billing.store import authorizations, credit, fees, invoices
from services.billing.store import ledger as ledger_store
from services.kernel.ids import invoice_number, new_id
from services.kernel.money import Money
from services.runtime import sessions
from services.runtime.facts import emit_fact


def charge(session: Session, fee_id: str, of: OrderToBill, now: datetime, card_token: str = "") -> Invoice:
    """The invoice of a fee: posted now, or as it stands when it was posted before. `of` has what is charged as its lines.

    Cash that is held for the order pays it at once. What is left is captured from the order's card, where one was ever authorized,
    and else owed by the order's terms.
    """
    order = of.order
    credit.take_or_open(session, order.customer_id, order.currency)
    known = fees.invoice_of(session, fee_id)
    if known is not None:
        return known
    nothing = BilledSoFar({}, Charges.none(order.currency))
    billed = bill(order, {line.line_id: line.quantity for line in order.lines}, nothing)
    sequence = invoices.next_sequence(session)
    is_by_card = _has_card(session, of)
    invoice = _invoice(fee_id, of, billed, sequence, sessions.business_day(session, now), is_by_card=is_by_card)
    invoice = replace(dated(order, invoice, invoice.invoiced_on), early=None)
    invoices.add(session, invoice, sequence, now)
    ledger_store.post(session, ledger.invoice_postings(invoice), now)
    zero = Money.zero(order.currency)
    credit.move(session, order.customer_id, committed=zero, receivable=invoice.open)
    so_far = invoices.billed_so_far(session, order.order_id, order.currency)
    issued = fact_wire.invoice_fact(InvoiceIssued(invoice, so_far.quantities))
    emit_fact(session, issued, order_id=order.order_id, subject_id=invoice.invoice_id, now=now)
    settled = settle(session, order.customer_id, order.currency, now).get(invoice.invoice_id, invoice)
    if is_by_card:
        planning.capture(session, settled, card_token, now)
    return settled


def _has_card(session: Session, of: OrderToBill) -> bool:
    """Whether a card was authorized for the order: then its customer has agreed to be charged on it."""
    found = authorizations.of_order(session, of.order.order_id) if of.order.payment_method == CARD else []
    return any(not one.is_paid_at_once for one in found)


def _invoice(fee_id: str, of: OrderToBill, billed: Bill, sequence: int, today: date, *, is_by_card: bool) -> Invoice:
    order = of.order
    header = replace(of.header, payment_method=CARD if is_by_card else "")
    zero = Money.zero(order.currency)
    return Invoice(
        new_id("inv"), invoice_number(sequence), order.order_id, order.number, order.customer_id, "", today, today,
        billed.lines, billed.charges, zero, zero,
        terms=order.payment_terms.text if is_on_terms(order.payment_method) else "",
        calendar=order.calendar, header=header, parts=billed.parts, fee_id=fee_id,
    )  # fmt: skip
