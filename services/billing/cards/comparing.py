"""What moved at the provider and not here: accounting is notified of it, once, inside the caller's transaction."""

from datetime import datetime

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.cards.provider import Intent
from services.billing.domain.cards import ASKED, CAPTURE, REFUND, SUCCEEDED, Authorization
from services.billing.domain.facts import CARD_DISPUTED, CARD_MOVED_ELSEWHERE, CardProblem
from services.billing.store import authorizations, operations
from services.kernel.money import Money
from services.runtime.facts import emit_fact


def compare(session: Session, known: Authorization, standing: Intent, now: datetime) -> None:
    """Compare an authorization with how it stands there; its account is taken."""
    authorization_id = known.authorization_id
    of_it = [one for one in operations.of_order(session, known.order_id) if one.authorization_id == authorization_id]
    pending = [one for one in of_it if one.state == ASKED]
    if not standing.is_open and known.is_open and not pending:
        authorizations.close_unless_taken(session, authorization_id)
    if standing.is_disputed and authorizations.dispute(session, authorization_id):
        reason = f"The cardholder's bank has taken {_words(known.captured)} back: {known.provider_id} is disputed."
        _notify(session, known, CARD_DISPUTED, known.captured, reason, now)
    refunded = sum([one.amount.minor for one in of_it if one.kind == REFUND and one.state in (ASKED, SUCCEEDED)])
    captured = sum([one.amount.minor for one in of_it if one.kind == CAPTURE and one.state in (ASKED, SUCCEEDED)])
    for what, there, here in (("refunded", standing.refunded, refunded), ("captured", standing.received, captured)):
        more = Money(max(there - here, 0), known.amount.currency)
        if authorizations.notify_moved(session, authorization_id, what, more):
            reason = f"{_words(more)} of {known.provider_id} was {what} at the provider and not here."
            _notify(session, known, CARD_MOVED_ELSEWHERE, more, reason, now)
        elif not pending:  # what is asked for counts here already, and at the provider not yet
            authorizations.note_less_moved(session, authorization_id, what, more)


def _notify(session: Session, known: Authorization, kind: str, amount: Money, reason: str, now: datetime) -> None:
    detail = fact_wire.card_problem_fact(CardProblem(kind, known.authorization_id, amount, reason))
    emit_fact(session, detail, order_id=known.order_id, subject_id=known.authorization_id, now=now)


def _words(amount: Money) -> str:
    return f"{amount.amount:,f} {amount.currency}"
