"""Crediting invoices and giving them up, inside the caller's transaction: number, books, cash, credit and facts move together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.cards.letting_go import let_go_if_over
from services.billing.committing import grant_waiting
from services.billing.domain.at_order import off_deferred
from services.billing.domain.claw_backs import has_goods_back, taken_of
from services.billing.domain.consolidated import check_of_one_order
from services.billing.domain.corrected_invoices import credit_note_postings, write_off_posting
from services.billing.domain.credit_notes import (
    CreditAsked,
    CreditFigures,
    CreditNote,
    LeftOver,
    credit,
    land_with_fee,
)
from services.billing.domain.credit_refusals import check_write_off
from services.billing.domain.facts import InvoiceCredited, InvoiceWrittenOff
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Application, Payment, with_held
from services.billing.store import (
    at_order,
    claw_backs,
    credit_notes,
    deposits,
    families,
    invoice_pages,
    invoices,
    payments,
)
from services.billing.store import credit as accounts
from services.billing.store import ledger as ledger_store
from services.kernel.errors import Conflict, NotFound
from services.kernel.ids import credit_note_number, new_id
from services.kernel.money import Money
from services.runtime import sessions
from services.runtime.facts import emit_fact


@dataclass(frozen=True, slots=True)
class WriteOffAsked:
    """What somebody wants given up of an invoice; None is all that is open."""

    amount: Money | None
    reason: str
    asked_by: str = ""


def taken(session: Session, id_or_number: str) -> Invoice:
    """An invoice by identity or number, its account locked; NotFound when there is none, Refused for one of several orders."""
    known = invoices.by_id(session, id_or_number) or _whole(session, id_or_number)
    if known is None:
        raise NotFound("INVOICE_NOT_FOUND", f"there is no invoice {id_or_number[:40]}: check its number")
    families.take(session, {(known.customer_id, known.total.currency)})
    invoice = invoices.by_id(session, known.invoice_id)
    assert invoice is not None, "invoices are never deleted"
    return invoice


def _whole(session: Session, id_or_number: str) -> Invoice | None:
    found = invoice_pages.by_number(session, id_or_number)
    found = found or invoice_pages.consolidated(session, [id_or_number]).get(id_or_number)
    return check_of_one_order(found) if found else None


def figures(session: Session, invoice: Invoice, asked: CreditAsked) -> CreditFigures:
    """What falls on what is asked of an invoice whose account is taken; of goods that come back less the discount that is not earned."""
    so_far = credit_notes.so_far(session, invoice)
    found = credit(invoice, asked, so_far)
    if not has_goods_back(invoice, asked):
        return found
    now = found.parts + asked.with_it if asked.with_it else found.parts
    now = replace(now, merchandise=now.merchandise - asked.ours) if asked.ours else now
    due = claw_backs.kept(session, invoice.order_id, invoice.total.currency).to_take_back(now)
    taken = taken_of(found, due)
    return credit(invoice, replace(asked, claw_back=taken), so_far) if taken.minor else found


def post(
    session: Session,
    invoice: Invoice,
    asked: CreditAsked,
    approved_by: str,
    now: datetime,
    reversal: Mapping[str, int] | None = None,
) -> CreditNote:
    """Post a credit note of an invoice whose account is taken. Cash that pays it no longer lies on account, the last to come first.

    With a `reversal`, line id → units that stay invoiced, that cash is held for the order, of which the goods are billed again.
    """
    is_held = reversal is not None
    found = figures(session, invoice, asked)
    landing, fee = land_with_fee(invoice, found, asked.fees)
    if not credit_notes.take(session, invoice.invoice_id, found.lines, found.parts.total, landing, fee):
        raise Conflict("INVOICE_CHANGED_MEANWHILE", "the invoice was changed by somebody else: try again")
    left_over = _loosen(session, invoice, landing.cash - min(fee, landing.cash), now, is_held=is_held)
    sequence = credit_notes.next_sequence(session)
    note = CreditNote(
        new_id("cn"), credit_note_number(sequence), invoice.invoice_id, invoice.number, invoice.order_id,
        invoice.order_number, invoice.customer_id, sessions.business_day(session, now), now, asked.reason_code, asked.reason,
        found.lines, found.parts, landing, left_over, asked.asked_by, approved_by,
        found.by_tax, _deferred(session, invoice, found, asked), is_held, fee, asked.return_id, asked.ours,
    )  # fmt: skip
    credit_notes.add(session, note, sequence)
    ledger_store.post(session, credit_note_postings(note, is_fee=bool(invoice.fee_id)), now)
    after = _moved(session, invoice, landing.open + landing.cash - fee)
    held = deposits.cash_of(session, invoice.order_id, invoice.total.currency).held if is_held else None
    detail = fact_wire.credited_fact(InvoiceCredited(note, after, reversal, held))
    emit_fact(session, detail, order_id=invoice.order_id, subject_id=note.credit_note_id, now=now)
    _follow(session, after, now)
    return note


def give_back(session: Session, of: CreditNote, now: datetime) -> list[CreditNote]:
    """Credit notes of the discount that was taken back of other invoices for goods that a credit note has credited by now."""
    currency, posted = of.parts.total.currency, list[CreditNote]()
    invoices_of = claw_backs.by_invoice(session, of.order_id, currency)
    left = claw_backs.kept(session, of.order_id, currency).to_give_back if invoices_of else Money.zero(currency)
    for invoice_id, had in invoices_of.items():
        part, zero = min(had, left), Money.zero(currency)
        if part.minor:
            asked = CreditAsked(
                {}, zero, zero, is_all=False, reason_code=of.reason_code, reason=of.reason, asked_by=of.asked_by,
                return_id=of.return_id, claw_back=-part,
            )  # fmt: skip
            posted.append(post(session, taken(session, invoice_id), asked, of.approved_by, now))
            left = left - part
    return posted


def _deferred(
    session: Session, invoice: Invoice, found: CreditFigures, asked: CreditAsked
) -> tuple[Money, Money] | None:
    """What of goods and of freight had not become revenue, of an invoice that was made at order."""
    if not invoice.is_at_order:
        return None
    revenue = at_order.revenue(session, invoice.order_id, invoice.total.currency)
    off = off_deferred(found.parts, asked.reason_code, revenue)
    return off.goods, off.freight


def write_off(session: Session, invoice: Invoice, asked: WriteOffAsked, approved_by: str, now: datetime) -> None:
    """Give up what is open of an invoice whose account is taken, or an amount of it."""
    amount, write_off_id = check_write_off(invoice, asked.amount), new_id("wo")
    if not credit_notes.give_up(session, invoice.invoice_id, amount):
        raise Conflict("INVOICE_CHANGED_MEANWHILE", "the invoice was changed by somebody else: try again")
    credit_notes.add_write_off(
        session, write_off_id, invoice.invoice_id, amount,
        reason=asked.reason, asked_by=asked.asked_by, approved_by=approved_by, now=now,
    )  # fmt: skip
    ledger_store.post(session, [write_off_posting(invoice, amount, write_off_id)], now)
    after = _moved(session, invoice, amount)
    detail = fact_wire.written_off_fact(InvoiceWrittenOff(amount, asked.reason, after))
    emit_fact(session, detail, order_id=invoice.order_id, subject_id=invoice.invoice_id, now=now)
    _follow(session, after, now)


def _loosen(session: Session, invoice: Invoice, cash: Money, now: datetime, *, is_held: bool) -> tuple[LeftOver, ...]:
    """Take cash off an invoice, from the last payment that came on; it lies on account until somebody decides, or is held for its order."""
    left, found = cash, []
    for payment in reversed(payments.of_invoice(session, invoice.invoice_id)):
        applied = next(one.amount for one in payment.applications if one.invoice_id == invoice.invoice_id)
        part = min(applied, left)
        if not part.minor:
            break
        after = _without(payment, invoice, part, is_held=is_held)
        if not payments.reuse(session, payment, after, now):
            raise Conflict("PAYMENT_USED_MEANWHILE", "the payment was used by somebody else: try again")
        found.append(LeftOver(payment.payment_id, part))
        left = left - part
    assert not left.minor, "what is paid on an invoice is what payments apply to it"
    return tuple(found)


def _without(payment: Payment, invoice: Invoice, part: Money, *, is_held: bool) -> Payment:
    applications: Sequence[Application] = [
        replace(one, amount=one.amount - part) if one.invoice_id == invoice.invoice_id else one
        for one in payment.applications
    ]
    less = replace(payment, applications=tuple(one for one in applications if one.amount.minor))
    if is_held:
        return replace(less, deposits=with_held(payment.deposits, invoice.order_id, part))
    return replace(less, unapplied=payment.unapplied + part, is_on_account=True)


def _moved(session: Session, invoice: Invoice, less: Money) -> Invoice:
    """The invoice as it stands, when its customer owes so much less."""
    accounts.move(session, invoice.customer_id, committed=Money.zero(less.currency), receivable=-less)
    after = invoices.by_id(session, invoice.invoice_id)
    assert after is not None, "invoices are never deleted"
    return after


def _follow(session: Session, invoice: Invoice, now: datetime) -> None:
    """What is authorized on a card for it and not needed any more goes, and orders that wait take the room."""
    if not invoice.open.minor:
        let_go_if_over(session, invoice.order_id, now)
    grant_waiting(session, invoice.customer_id, invoice.total.currency, now)
