"""Invoicing deposits, inside the caller's transaction: what is held for an order is on its deposit invoices, and what is not any more is deducted or credited.

Number, books and facts move together; the cash itself is payments'.
"""

from datetime import datetime

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.domain.billable import OrderToBill
from services.billing.domain.deposit_invoices import (
    CREDIT_NOTE,
    INVOICE,
    DepositDeduction,
    DepositInvoice,
    contained,
    taken,
    to_invoice,
)
from services.billing.domain.deposit_postings import credited_postings, deducted_postings, invoiced_postings
from services.billing.domain.facts import DepositInvoiced, why_taken_back
from services.billing.domain.invoices import Invoice
from services.billing.store import credit, deposit_invoices, deposits, invoices, payments
from services.billing.store import ledger as ledger_store
from services.kernel.errors import Conflict
from services.kernel.ids import deposit_credit_note_number, deposit_invoice_number, new_id
from services.kernel.money import Money
from services.runtime import sessions
from services.runtime.facts import emit_fact


def post_due(session: Session, to_bill: OrderToBill, now: datetime) -> DepositInvoice | None:
    """A deposit invoice of the cash that has come for an order and is on none; None where there is no such cash."""
    order = to_bill.order
    credit.take_or_open(session, order.customer_id, order.currency)
    held = deposits.cash_of(session, order.order_id, order.currency).held
    unbilled = order.charges.total - invoices.billed_total(session, order.order_id, order.currency)
    amount = to_invoice(held, unbilled, deposit_invoices.open_of_order(session, order.order_id))
    if not amount.minor:
        return None
    holding = payments.by_ids(session, deposits.holding_payments(session, order.order_id))
    sequence, zero, parts = (
        deposit_invoices.next_sequence(session, INVOICE),
        amount - amount,
        contained(amount, order.parts),
    )
    posted = DepositInvoice(
        new_id("dep"), deposit_invoice_number(sequence), INVOICE, order.order_id, order.number, order.customer_id,
        sessions.business_day(session, now), max(one.received_on for one in holding), now, parts, parts, zero, zero,
        header=to_bill.header,
    )  # fmt: skip
    deposit_invoices.add(session, posted, sequence)
    ledger_store.post(session, invoiced_postings(posted), now)
    _notify(session, posted, now)
    return posted


def deduct(session: Session, invoice: Invoice, amount: Money, now: datetime) -> None:
    """Cash that was held for an order pays an invoice of it: what of it is on deposit invoices is deducted of them, the oldest first."""
    rest = amount
    for posted in deposit_invoices.open_of_order(session, invoice.order_id):
        part = min(posted.open, rest)
        if not part.minor:
            break
        parts = taken(part, posted.left)
        one = DepositDeduction(
            posted.deposit_invoice_id, posted.number, posted.invoiced_on, invoice.invoice_id, invoice.number, part,
            Money.total((each.tax for each in parts), part.currency),
        )  # fmt: skip
        if not deposit_invoices.deduct(session, one, posted, parts):
            raise _used_meanwhile()
        ledger_store.post(session, deducted_postings(one, posted), now)
        rest = rest - part


def follow(session: Session, order_id: str, cause: str, said: str, now: datetime) -> None:
    """Credit what deposit invoices of an order say that is not held for it any more, the newest first; `cause` is what became of it."""
    found = deposit_invoices.open_of_order(session, order_id)
    if not found:
        return
    currency = found[0].currency
    on_paper = Money.total((one.open for one in found), currency)
    beyond = on_paper - deposits.cash_of(session, order_id, currency).held
    for posted in reversed(found):
        part = min(posted.open, beyond)
        if part.minor <= 0:
            break
        _credit(session, posted, part, why_taken_back(cause, said), now)
        beyond = beyond - part


def _credit(session: Session, posted: DepositInvoice, amount: Money, reason: str, now: datetime) -> None:
    parts, zero = taken(amount, posted.left), amount - amount
    if not deposit_invoices.credit(session, posted, amount, parts):
        raise _used_meanwhile()
    sequence = deposit_invoices.next_sequence(session, CREDIT_NOTE)
    credited = tuple(part for part in parts if part.gross.minor)
    note = DepositInvoice(
        new_id("dep"), deposit_credit_note_number(sequence), CREDIT_NOTE, posted.order_id, posted.order_number,
        posted.customer_id, sessions.business_day(session, now), posted.received_on, now, credited, (), zero, zero,
        posted.number, posted.invoiced_on, reason, posted.header,
    )  # fmt: skip
    deposit_invoices.add(session, note, sequence)
    ledger_store.post(session, credited_postings(note, posted), now)
    _notify(session, note, now)


def _notify(session: Session, posted: DepositInvoice, now: datetime) -> None:
    detail = fact_wire.deposit_invoiced_fact(DepositInvoiced(posted))
    emit_fact(session, detail, order_id=posted.order_id, subject_id=posted.deposit_invoice_id, now=now)


def _used_meanwhile() -> Conflict:
    return Conflict("DEPOSIT_USED_MEANWHILE", "the order's deposit was used by somebody else: try again")
