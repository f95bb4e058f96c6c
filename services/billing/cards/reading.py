"""Reading at the provider what became of a page, and recording it, once; ending one that is not to be paid on any more.

Only what the provider says of the page itself ends it here: one read that is refused, or gets no answer, says nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog
from sqlmodel import Session

from services.billing.cards import payable, recording
from services.billing.cards.provider import UNKNOWN, Intent, Page, Provider, ProviderAway, ProviderRefused
from services.billing.domain import cards
from services.billing.domain.checkouts import ASKED, COMPLETE, EXPIRED, OPEN, SETUP, Checkout
from services.billing.store import checkouts as store
from services.billing.store import credit
from services.kernel.clock import Clock
from services.runtime.db import Database

log = structlog.get_logger()


class Reader(Protocol):
    """Who reads pages: the card desk."""

    database: Database
    provider: Provider | None
    clock: Clock


@dataclass(frozen=True, slots=True)
class CheckoutRead:
    """A page as it stands; the card that was entered on it; whether the provider did not answer, or would not say."""

    checkout: Checkout
    token: str = ""
    is_away: bool = False
    is_refused: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows more than before."""
        return self.is_away or self.is_refused


def by_id(reader: Reader, checkout_id: str) -> Checkout:
    """A page that was written down."""
    with reader.database.reading() as session:
        known = store.by_id(session, checkout_id)
    assert known is not None, "pages are never deleted"
    return known


def read(reader: Reader, checkout_id: str) -> CheckoutRead:
    """A page as the provider has it, however long that takes; what it says is recorded, once.

    An open one that asks for something else than what settles its invoice today is ended first.
    """
    return _read(reader, checkout_id, is_to_end=False)


def end(reader: Reader, checkout_id: str) -> CheckoutRead:
    """A page that is to be used no more, as the provider has it then: open only when that was not to be."""
    return _read(reader, checkout_id, is_to_end=True)


def _read(reader: Reader, checkout_id: str, *, is_to_end: bool) -> CheckoutRead:
    known = by_id(reader, checkout_id)
    if known.state == ASKED or known.is_over:
        return CheckoutRead(known)
    if reader.provider is None:
        return CheckoutRead(known, is_away=True)
    try:
        if known.state == OPEN and (is_to_end or not _is_wanted(reader, known)):
            _end(reader.provider, known)
        page, intent = _found(reader.provider, known)
    except ProviderAway as away:
        log.warning("provider.away", checkout_id=checkout_id, error=str(away))
        return CheckoutRead(known, is_away=True)
    except ProviderRefused as refusal:
        log.warning("checkout.unread", checkout_id=checkout_id, code=refusal.code)
        return CheckoutRead(known, is_refused=True)
    with reader.database.transaction() as session:
        _record(session, known, page, intent, reader.clock())
    return CheckoutRead(by_id(reader, checkout_id), page.token)


def record_paid(session: Session, intent: Intent, now: datetime) -> None:
    """What was paid on a page of ours, as its payment says it, unless that is recorded."""
    known = store.by_id(session, intent.checkout_id) if intent.checkout_id and intent.received else None
    if known is not None:
        _record(session, known, Page(known.provider_id, COMPLETE, intent_id=intent.provider_id), intent, now)


def _is_wanted(reader: Reader, known: Checkout) -> bool:
    with reader.database.reading() as session:
        return payable.is_wanted(session, known, reader.clock())


def _end(provider: Provider, known: Checkout) -> None:
    """Have a page shown no more; what the provider says of one that it does not end is read all the same."""
    try:
        provider.end_page(known.provider_id)
    except ProviderRefused as refusal:
        log.warning("checkout.not_ended", checkout_id=known.checkout_id, code=refusal.code)


def _found(provider: Provider, known: Checkout) -> tuple[Page, Intent | None]:
    """What the provider says of a page, and what was paid on it. One for a card that it does not know has ended: nothing is paid there."""
    try:
        page = provider.read_page(known.provider_id)
    except ProviderRefused as refusal:
        if refusal.code != UNKNOWN or known.kind != SETUP:
            raise
        return Page(known.provider_id, EXPIRED), None
    return page, provider.read(page.intent_id) if page.state == COMPLETE and page.intent_id else None


def _record(session: Session, known: Checkout, page: Page, intent: Intent | None, now: datetime) -> None:
    """What became of a page, once; what was paid on it is a payment."""
    if page.state == EXPIRED:
        store.expire(session, known.checkout_id)
    received = intent.received if intent else 0
    if page.state != COMPLETE or not (received or page.token):
        return
    credit.take_or_open(session, known.customer_id, known.amount.currency)
    if not store.complete(session, known.checkout_id, cards.digest(page.token)):
        return
    if intent is not None:
        recording.record_payment(session, known, replace(known.amount, minor=received), intent, now)
    log.info("checkout.complete", checkout_id=known.checkout_id, kind=known.kind)
