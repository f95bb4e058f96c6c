"""What an event of the provider leads to: the truth is read there, and only what differs from what is known changes anything."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.cards.desk import CardDesk
from services.billing.cards.provider import Intent, ProviderRefused
from services.billing.domain.cards import ASKED, CAPTURE, REFUND, SUCCEEDED, Authorization
from services.billing.domain.facts import CARD_DISPUTED, CARD_MOVED_ELSEWHERE, CardProblem
from services.billing.store import authorizations, credit, operations
from services.kernel.money import Money
from services.runtime.facts import emit_fact


def read_event(desk: CardDesk, provider_id: str) -> None:
    """Ask at once for what has no answer, then compare the authorization with what the provider says. ProviderAway if it does not.

    An authorization that is not known here is of an answer that is on its way, or none of ours.
    """
    with desk.database.transaction() as session:
        operations.hurry(session, desk.clock())
        known = authorizations.of_provider(session, provider_id)
    if known is None or desk.provider is None:
        return
    try:
        standing = desk.provider.read(provider_id)
    except ProviderRefused:
        return
    with desk.database.transaction() as session:
        _compare(session, known.authorization_id, standing, desk.clock())


def _compare(session: Session, authorization_id: str, standing: Intent, now: datetime) -> None:
    operation = operations.by_id(session, authorization_id)
    assert operation is not None, "an authorization has the id of its operation"
    credit.take_or_open(session, operation.customer_id, operation.amount.currency)
    known = authorizations.by_id(session, authorization_id)
    assert known is not None, "authorizations are never deleted"
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
        if there > here:
            more = Money(there - here, known.amount.currency)
            reason = f"{_words(more)} of {known.provider_id} was {what} at the provider and not here."
            _notify(session, known, CARD_MOVED_ELSEWHERE, more, reason, now)


def _notify(session: Session, known: Authorization, kind: str, amount: Money, reason: str, now: datetime) -> None:
    detail = fact_wire.card_problem_fact(CardProblem(kind, known.authorization_id, amount, reason))
    emit_fact(session, detail, order_id=known.order_id, subject_id=known.authorization_id, now=now)


def _words(amount: Money) -> str:
    return f"{amount.amount:,f} {amount.currency}"
