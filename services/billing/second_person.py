"""Corrections that somebody asked for and another person decides, inside the caller's transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing import correcting, correction_wire
from services.billing.correction_wire import Request
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


def decide(
    session: Session, correction_id: str, *, decided_by: str, is_approved: bool, note: str, now: datetime
) -> Correction:
    """The decided correction; what was approved is still to be made by the caller, in this transaction."""
    found = _known(session, correction_id)
    check_decision(found, decided_by)
    state = APPROVED if is_approved else DECLINED
    decided = replace(found, state=state, decided_by=decided_by, decided_at=now, note=note)
    if not corrections.decide(session, decided):
        raise Conflict("CORRECTION_DECIDED_MEANWHILE", "somebody else decided it just now: look at the payment")
    return decided


def undecided(session: Session, correction_id: str) -> Correction:
    """A correction that waits; NotFound when there is none, Refused once it is decided."""
    found = _known(session, correction_id)
    check_waiting(found)
    return found


def _known(session: Session, correction_id: str) -> Correction:
    found = corrections.by_id(session, correction_id)
    if found is None:
        raise NotFound("CORRECTION_NOT_FOUND", f"there is no correction {correction_id}: look at those that wait")
    return found
