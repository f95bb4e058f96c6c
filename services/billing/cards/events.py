"""What an event of the provider leads to: the truth is read there, and only what differs from what is known changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.cards import reading, recording
from services.billing.cards.desk import CardDesk
from services.billing.cards.provider import UNKNOWN, Intent, Provider, ProviderAway, ProviderRefused, Refund
from services.billing.domain.cards import ASKED, CAPTURE, REFUND, SUCCEEDED, Authorization
from services.billing.domain.facts import CARD_DISPUTED, CARD_MOVED_ELSEWHERE, CardProblem
from services.billing.store import authorizations, checkouts, credit, operations
from services.kernel.money import Money
from services.runtime.facts import emit_fact


def read_event(desk: CardDesk, event_id: str, provider_id: str) -> None:
    """Compare what an event is about with what the provider says, and ask soon for what its order has no answer of; once an event.

    ProviderAway when the provider does not answer, ProviderRefused when it will not say: the event waits. An authorization that is not known here is of an answer that is
    on its way, or none of ours.
    """
    if desk.provider is None:
        return
    if _is_of_page(desk, event_id, provider_id):
        return
    _take_failed_refunds_back(desk, desk.provider, provider_id)
    standing = _standing(desk.provider, provider_id)
    now = desk.clock()
    with desk.database.transaction() as session:
        if not authorizations.finish_event(session, event_id) or standing is None:
            return
        before = authorizations.of_provider(session, provider_id)
        made = operations.by_id(session, before.authorization_id if before else standing.operation_id)
        if made is None:
            return
        credit.take_or_open(session, made.customer_id, made.amount.currency)
        operations.hurry(session, made.order_id, now)
        if known := authorizations.of_provider(session, provider_id):
            _compare(session, known, standing, now)


def _is_of_page(desk: CardDesk, event_id: str, provider_id: str) -> bool:
    """Whether an event is about a page on which a card is entered; then that is read."""
    with desk.database.reading() as session:
        page = checkouts.of_provider(session, provider_id)
    if page is None:
        return False
    found = reading.read(desk, page.checkout_id)
    if found.is_away:
        raise ProviderAway("the page was not read")
    if found.is_refused:
        raise ProviderRefused("page_unread", "the page could not be read: it is read again")
    with desk.database.transaction() as session:
        authorizations.finish_event(session, event_id)
    return True


def _standing(provider: Provider, provider_id: str) -> Intent | None:
    """The authorization as it stands; None when the event is about none, or the provider knows it no more."""
    try:
        return provider.read(provider_id) if provider_id else None
    except ProviderRefused as refusal:
        if refusal.code != UNKNOWN:
            raise
        return None


def _take_failed_refunds_back(desk: CardDesk, provider: Provider, provider_id: str) -> None:
    """What was given back to a card may come back from there days later."""
    with desk.database.reading() as session:
        known = authorizations.of_provider(session, provider_id)
        of_order = operations.of_order(session, known.order_id) if known else []
    given = [one for one in of_order if known and one.authorization_id == known.authorization_id and one.is_refunded]
    refunds = _refunds(provider, provider_id) if given else {}
    for operation in given:
        refund = refunds.get(operation.operation_id)
        if refund and refund.is_failed:
            with desk.database.transaction() as session:
                recording.fail_refund(session, operation, refund.reason, desk.clock())


def _refunds(provider: Provider, provider_id: str) -> Mapping[str, Refund]:
    """The refunds of an authorization; none when the provider knows it no more."""
    try:
        return provider.refunds(provider_id)
    except ProviderRefused as refusal:
        if refusal.code != UNKNOWN:
            raise
        return {}


def _compare(session: Session, known: Authorization, standing: Intent, now: datetime) -> None:
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
