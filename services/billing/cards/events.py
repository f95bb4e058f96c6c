"""What an event of the provider leads to: the truth is read there, and only what differs from what is known changes anything."""

from __future__ import annotations

from collections.abc import Mapping

from services.billing.cards import comparing, reading, recording
from services.billing.cards.desk import CardDesk
from services.billing.cards.provider import UNKNOWN, Intent, Provider, ProviderAway, ProviderRefused, Refund
from services.billing.store import authorizations, checkouts, credit, operations


def read_event(desk: CardDesk, event_id: str, provider_id: str) -> None:
    """Compare what an event is about with what the provider says, and ask soon for what its order has no answer of; once an event.

    ProviderAway when the provider does not answer, ProviderRefused when it will not say: the event waits. What was paid on a page of
    ours is recorded first, whatever comes first. Another authorization that is not known here is of an answer that is on its way, or
    none of ours.
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
        reading.record_paid(session, standing, now)
        before = authorizations.of_provider(session, provider_id)
        made = operations.by_id(session, before.authorization_id if before else standing.operation_id)
        if made is None:
            return
        credit.take_or_open(session, made.customer_id, made.amount.currency)
        operations.hurry(session, made.order_id, now)
        if known := authorizations.of_provider(session, provider_id):
            comparing.compare(session, known, standing, now)


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
