"""Corrections of payments and invoices that need a second person: who asks for much does not decide it alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.payments import Payment, check_current, check_refund, check_reversible
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money

REVERSAL, REAPPLICATION, REFUND = "reversal", "reapplication", "refund"
CREDIT_NOTE, WRITE_OFF = "credit_note", "write_off"
KINDS = (REVERSAL, REAPPLICATION, REFUND, CREDIT_NOTE, WRITE_OFF)
WAITING, APPROVED, DECLINED = "waiting", "approved", "declined"
STATES = (WAITING, APPROVED, DECLINED)


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction that somebody asked for and another person decides: of a payment, or of an invoice.

    `request` is what was asked, as billing was asked.
    """

    correction_id: str
    payment_id: str
    kind: str
    amount: Money
    reason: str
    request: str
    asked_by: str
    asked_at: datetime
    state: str = WAITING
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""
    invoice_id: str = ""


def corrected_in_all(kind: str, payment: Payment, amount: Money) -> Money:
    """What a limit is held against: with a refund all that has gone back of its payment, so that parts come to no more than the whole."""
    return amount + (payment.returned or Money.zero(amount.currency)) if kind == REFUND else amount


def check_possible(kind: str, payment: Payment, amount: Money, order_id: str) -> None:
    """Refused when a payment, as it stands, cannot be corrected so."""
    if kind == REVERSAL:
        check_reversible(payment)
    elif kind == REAPPLICATION:
        check_current(payment)
    else:
        check_refund(payment, amount, order_id)


def needs_second_person(amount: Money, limits: Mapping[str, Money]) -> bool:
    """Whether an amount is beyond its currency's limit; a currency that has none where others have one always is."""
    limit = limits.get(amount.currency)
    return bool(limits) and (limit is None or amount > limit)


def parse_limits(given: str) -> dict[str, Money]:
    """Currency → limit, from "10000.00 USD, 9000 EUR"; empty text means that nobody needs a second person."""
    limits = {}
    for part in filter(None, (one.strip() for one in given.split(","))):
        amount, _, currency = part.partition(" ")
        limits[currency] = Money.parse(amount, currency)
    return limits


def check_waiting(correction: Correction) -> None:
    """Refused once it is decided."""
    if correction.state != WAITING:
        raise Refused(
            "CORRECTION_DECIDED", f"the {correction.kind} is {correction.state} already: look at what became of it"
        )


def check_decision(correction: Correction, decided_by: str) -> None:
    """Refused by whoever asked for it, and once it is decided."""
    if not decided_by:
        raise InvalidArgument("FIELD_MISSING", "decided_by is missing: say who decides")
    check_waiting(correction)
    if decided_by == correction.asked_by:
        raise Refused("SECOND_PERSON_NEEDED", "you asked for it yourself: another person in accounting decides")
