"""Corrections that somebody asked for and another person decides, inside the caller's transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing import correction_wire
from services.billing.correction_wire import Request
from services.billing.domain.corrections import APPROVED, DECLINED, Correction, check_decision, needs_second_person
from services.billing.store import corrections, credit, payments
from services.kernel.errors import Conflict, NotFound, Refused
from services.kernel.ids import new_id
from services.kernel.money import Money


def wait(session: Session, request: Request, limits: Mapping[str, Money], now: datetime) -> Correction | None:
    """The correction that waits, if its amount is beyond the limit of its currency; None when it may be made at once."""
    who = correction_wire.asked_by(request)
    payment = payments.by_id(session, request.payment_id)
    if payment is None or not who:
        return None  # nobody's, or the correction itself says that there is none
    credit.take_or_open(session, payment.customer_id, payment.amount.currency)
    waiting = corrections.waiting_of(session, payment.payment_id)
    if waiting is not None:
        raise Refused(
            "CORRECTION_WAITS", f"a {waiting.kind} of this payment waits for a second person: have it decided first"
        )
    amount = correction_wire.amount_of(request, payment.amount)
    if not needs_second_person(amount, limits):
        return None
    kind = correction_wire.kind_of(request)
    asked = Correction(
        new_id("corr"), payment.payment_id, kind, amount, request.reason, correction_wire.kept(request), who, now
    )
    corrections.add(session, asked)
    return asked


def decide(
    session: Session, correction_id: str, *, decided_by: str, is_approved: bool, note: str, now: datetime
) -> Correction:
    """The decided correction; what was approved is still to be made by the caller, in this transaction."""
    found = corrections.by_id(session, correction_id)
    if found is None:
        raise NotFound("CORRECTION_NOT_FOUND", f"there is no correction {correction_id}: look at those that wait")
    check_decision(found, decided_by)
    state = APPROVED if is_approved else DECLINED
    decided = replace(found, state=state, decided_by=decided_by, decided_at=now, note=note)
    if not corrections.decide(session, decided):
        raise Conflict("CORRECTION_DECIDED_MEANWHILE", "somebody else decided it just now: look at the payment")
    return decided
