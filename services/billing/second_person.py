"""Corrections that somebody asked for and another person decides, inside the caller's transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing import correcting, correction_wire, credit_wire, crediting
from services.billing.correction_wire import Request
from services.billing.crediting import WriteOffAsked
from services.billing.domain.corrections import (
    APPROVED,
    DECLINED,
    REVERSAL,
    Correction,
    check_decision,
    check_possible,
    check_waiting,
    corrected_in_all,
    needs_second_person,
)
from services.billing.domain.credit_refusals import check_write_off
from services.billing.domain.invoices import Invoice
from services.billing.store import corrections
from services.kernel.errors import Conflict, NotFound, Refused
from services.kernel.ids import new_id
from services.kernel.money import Money


def wait(session: Session, request: Request, limits: Mapping[str, Money], now: datetime) -> Correction | None:
    """The correction that waits, if it is beyond the limit of its currency; None when it may be made at once.

    Refused as the correction itself, so that nothing waits that cannot be made.
    """
    who = correction_wire.asked_by(request)
    if not who:
        return None
    payment = correcting.taken(session, request.payment_id, correction_wire.moves_to(request))
    waiting = corrections.waiting_of(session, payment.payment_id)
    if waiting is not None:
        raise Refused(
            "CORRECTION_WAITS", f"a {waiting.kind} of this payment waits for a second person: have it decided first"
        )
    kind, amount = correction_wire.kind_of(request), correction_wire.amount_of(request, payment.amount)
    if kind == REVERSAL and payment.is_reversed:
        return None  # a repeat, which changes nothing
    check_possible(kind, payment, amount, correction_wire.order_of(request))
    if not needs_second_person(corrected_in_all(kind, payment, amount), limits):
        return None
    asked = Correction(
        new_id("corr"), payment.payment_id, kind, amount, request.reason, correction_wire.kept(request), who, now
    )
    corrections.add(session, asked)
    return asked


def wait_for_invoice(
    session: Session, invoice: Invoice, request: credit_wire.Request, limits: Mapping[str, Money], now: datetime
) -> Correction | None:
    """The credit note or write-off that waits, as wait() has it of a payment; the invoice's account is taken.

    The limit is held against all that is credited or given up of the invoice, so that parts come to no more than the whole.
    """
    asked = credit_wire.asked(request, invoice.total.currency)
    if not asked.asked_by:
        return None
    waiting = corrections.waiting_of_invoice(session, invoice.invoice_id)
    if waiting is not None:
        raise Refused(
            "CORRECTION_WAITS",
            f"a {waiting.kind.replace('_', ' ')} of this invoice waits for a second person: have it decided first",
        )
    if isinstance(asked, WriteOffAsked):
        amount, before = check_write_off(invoice, asked.amount), invoice.written_off
    else:
        amount, before = crediting.figures(session, invoice, asked).parts.total, invoice.credited
    if not needs_second_person(before + amount, limits):
        return None
    kept = credit_wire.kept(request, invoice)
    correction = Correction(
        new_id("corr"), "", credit_wire.kind_of(asked), amount, asked.reason, kept, asked.asked_by, now,
        invoice_id=invoice.invoice_id,
    )  # fmt: skip
    corrections.add(session, correction)
    return correction


def decide(
    session: Session, correction_id: str, *, decided_by: str, is_approved: bool, note: str, now: datetime
) -> Correction:
    """The decided correction; what was approved is still to be made by the caller, in this transaction."""
    found = _known(session, correction_id)
    check_decision(found, decided_by)
    state = APPROVED if is_approved else DECLINED
    decided = replace(found, state=state, decided_by=decided_by, decided_at=now, note=note)
    if not corrections.decide(session, decided):
        raise Conflict("CORRECTION_DECIDED_MEANWHILE", "somebody else decided it just now: look at what became of it")
    return decided


def undecided(session: Session, correction_id: str, *, of_invoice: bool) -> Correction:
    """A correction that waits, of an invoice or of a payment; NotFound when there is none, Refused once it is decided."""
    found = _known(session, correction_id)
    if bool(found.invoice_id) != of_invoice:
        raise _unknown(correction_id)
    check_waiting(found)
    return found


def _known(session: Session, correction_id: str) -> Correction:
    found = corrections.by_id(session, correction_id)
    if found is None:
        raise _unknown(correction_id)
    return found


def _unknown(correction_id: str) -> NotFound:
    return NotFound("CORRECTION_NOT_FOUND", f"there is no correction {correction_id}: look at those that wait")
