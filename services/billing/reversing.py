"""Taking back what a ship confirm did here that was a mistake, inside the caller's transaction: once, whatever became of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.billing import crediting, delivering, fact_wire
from services.billing.cards.letting_go import let_go_if_over
from services.billing.domain import drafts as drafting
from services.billing.domain import reversals as domain
from services.billing.domain.billable import Billable
from services.billing.domain.credit import check_account, counts_as_committed
from services.billing.domain.credit_notes import CreditFigures, CreditNote, everything, falls_on
from services.billing.domain.credit_refusals import check_creditable
from services.billing.domain.facts import InvoiceReversed
from services.billing.domain.invoices import Invoice
from services.billing.domain.recognized import deferral_postings
from services.billing.domain.reversals import CREDITED, DEFERRED, NONE, UNQUEUED, ReversalAsked, Reversed
from services.billing.settling import settle
from services.billing.store import billable, credit, credit_notes, drafts, exchanges, invoices, parts
from services.billing.store import ledger as ledger_store
from services.billing.store import reversals as store
from services.kernel.errors import Conflict
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()


def reverse(session: Session, asked: ReversalAsked, now: datetime) -> Reversed:
    """What became of a shipment that never left: now, or when that was said before. Whoever bills it later does nothing."""
    credit.take_or_open(session, asked.customer_id, asked.currency)
    earlier = store.find(session, asked.shipment_id)
    if earlier is not None:
        return earlier
    exchanges.drop(session, asked.shipment_id)
    done = _undone(session, asked, now)
    store.add(session, asked, done, now)
    if done.invoice_id:
        delivering.set_due_if_arrived(session, done.invoice_id, now)
    log.info("shipment.billing_reversed", order_id=asked.order_id, shipment_id=asked.shipment_id, outcome=done.outcome)
    return done


def _undone(session: Session, asked: ReversalAsked, now: datetime) -> Reversed:
    known = billable.find(session, asked.shipment_id)
    if known is not None and (in_part := parts.of_shipment(session, asked.shipment_id)):
        return _credit_parts(session, known, in_part, asked, now)
    if known is not None and known.invoice_id:
        return _credit(session, known, asked, now)
    if known is not None:
        return _unqueue(session, known, asked, now)
    nothing = Money.zero(asked.currency)
    deferred = store.defer(session, asked.shipment_id)
    if deferred is None:
        return Reversed(NONE, nothing, nothing)
    order_id, amounts = deferred
    postings = deferral_postings(asked.shipment_id, order_id, asked.shipment_number, amounts)
    ledger_store.post(session, postings, now)
    return Reversed(DEFERRED, amounts.goods + amounts.freight, nothing)


def _unqueue(session: Session, waiting: Billable, asked: ReversalAsked, now: datetime) -> Reversed:
    """It waits for no invoice any more; a draft that held nothing else is discarded."""
    if not store.unqueue(session, waiting):
        raise Conflict("SHIPMENT_TAKEN_MEANWHILE", "somebody else invoiced the shipment just now: try again")
    _leave_draft(session, waiting, asked, now)
    return Reversed(UNQUEUED, waiting.amount, Money.zero(waiting.amount.currency))


def _leave_draft(session: Session, waiting: Billable, asked: ReversalAsked, now: datetime) -> None:
    if waiting.draft_id and not billable.of_draft(session, waiting.draft_id):
        draft = drafts.find(session, waiting.draft_id)
        assert draft is not None, "a shipment is held by a draft that is there"
        ended = replace(draft, state=drafting.DISCARDED, ended_by=asked.reversed_by, ended_at=now)
        if not drafts.move(session, draft, ended):
            raise Conflict("DRAFT_MOVED_MEANWHILE", "somebody else posted or discarded its draft just now: try again")


def _credit_parts(
    session: Session, known: Billable, in_part: Mapping[str, Mapping[str, int]], asked: ReversalAsked, now: datetime
) -> Reversed:
    """Each invoice of a part of it is credited, and that of the rest, which waits for none any more; the last one is named."""
    billed = [replace(known, invoice_id=one, quantities=units) for one, units in in_part.items()]
    if known.invoice_id and known.quantities:
        billed.append(known)
    elif not known.invoice_id:
        if not parts.drop_rest(session, known, billed[-1].invoice_id):
            raise Conflict("SHIPMENT_TAKEN_MEANWHILE", "somebody else invoiced the shipment just now: try again")
        _leave_draft(session, known, asked, now)
    done = [_credit(session, one, asked, now) for one in billed]
    for one in billed[:-1]:
        delivering.set_due_if_arrived(session, one.invoice_id, now)
    amount, held = (
        Money.total(each, asked.currency) for each in ((one.amount for one in done), (one.held for one in done))
    )
    last = next((one for one in reversed(done) if one.credit_note_id), done[-1])
    return replace(done[-1], amount=amount, held=held, credit_note_id=last.credit_note_id)


def _credit(session: Session, known: Billable, asked: ReversalAsked, now: datetime) -> Reversed:
    """Its invoice is credited, as far as it is not yet, and its units count as not billed; the order's credit is as it was."""
    invoice = crediting.taken(session, known.invoice_id)
    check_creditable(invoice)
    had = store.so_far(session, invoice)
    off = domain.unbilled(invoice, domain.units_on(invoice, known.quantities), had)
    if not store.unbill(session, invoice, off):
        raise Conflict("INVOICE_CHANGED_MEANWHILE", "the invoice was changed by somebody else: try again")
    _commit_again(session, invoice, off.parts.total)
    note = _note(session, invoice, off, asked, now, is_last=domain.is_last(invoice, off, had))
    settle(session, invoice.customer_id, asked.currency, now)
    let_go_if_over(session, invoice.order_id, now)
    nothing = Money.zero(invoice.total.currency)
    if note is None:
        return Reversed(CREDITED, nothing, nothing, invoice.invoice_id)
    crediting.give_back(session, note, now)
    return Reversed(CREDITED, note.parts.total, note.landing.cash, invoice.invoice_id, note.credit_note_id)


def _note(
    session: Session, invoice: Invoice, off: CreditFigures, asked: ReversalAsked, now: datetime, *, is_last: bool
) -> CreditNote | None:
    """The credit note of what is left to be credited, None where that is nothing; orders hears of the units in any case."""
    so_far = credit_notes.so_far(session, invoice)
    wanted = domain.left_to_credit(invoice, off, so_far, asked, is_last=is_last)
    billed = invoices.billed_so_far(session, invoice.order_id, invoice.total.currency).quantities
    invoiced = {**{line.line_id: 0 for line in off.lines}, **billed}
    # an invoice may bear the discount of another one: what stays open of it then is no longer to be credited
    units, freight = everything(invoice, so_far) if is_last else (wanted.lines, wanted.freight)
    if falls_on(invoice, units, freight, so_far).parts.total.minor:
        return crediting.post(session, invoice, wanted, "", now, invoiced)
    after = invoices.by_id(session, invoice.invoice_id)
    assert after is not None, "invoices are never deleted"
    fact = fact_wire.reversed_fact(InvoiceReversed(after, invoiced, asked.words))
    emit_fact(session, fact, order_id=invoice.order_id, subject_id=invoice.invoice_id, now=now)
    return None


def _commit_again(session: Session, invoice: Invoice, total: Money) -> None:
    """What had become receivable is committed as before, so that the order counts once still."""
    held = credit.commitment(session, invoice.order_id)
    check_account(held, invoice.customer_id, total.currency)
    if held is None or held.is_released:
        return
    back = min(held.invoiced, total)
    credit.invoice_commitment(session, held, -back)
    if counts_as_committed(held.payment_method):
        credit.move(session, invoice.customer_id, committed=back, receivable=Money.zero(total.currency))
