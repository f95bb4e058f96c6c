"""Checkouts: pages of the payment provider on which a person enters a card, and when one may be used further."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel.money import Money

SETUP, PAYMENT = "setup", "payment"
KINDS = (SETUP, PAYMENT)
ASKED, OPEN, COMPLETE, EXPIRED = "asked", "open", "complete", "expired"
STATES = (ASKED, OPEN, COMPLETE, EXPIRED)
TRANSITIONS: Mapping[str, frozenset[str]] = {
    ASKED: frozenset({OPEN, COMPLETE, EXPIRED}),
    OPEN: frozenset({COMPLETE, EXPIRED}),
    EXPIRED: frozenset({COMPLETE}),
}
"""State → what may follow it: what is complete stays so, and what was paid counts whatever was known of its page."""

LASTS = timedelta(hours=1)
"""How long a page is open from when it was asked for."""
_ASKED_AGAIN = timedelta(minutes=25)
"""How long it may be asked for under its key: Stripe opens no page that ends within half an hour."""
_WORTHWHILE = timedelta(minutes=5)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page at the provider, for an order that waits for a card or for what an invoice has open.

    `amount` is zero where only a card is entered; `invoice_id` is empty there. `url` is where the page is while it is open, and
    `token_digest` tells the card that was entered.
    """

    checkout_id: str
    kind: str
    order_id: str
    customer_id: str
    amount: Money
    state: str
    asked_at: datetime
    invoice_id: str = ""
    provider_id: str = ""
    url: str = ""
    token_digest: str = ""
    attempts: int = 0

    @property
    def expires_at(self) -> datetime:
        """When the page ends."""
        return self.asked_at + LASTS

    @property
    def is_over(self) -> bool:
        """Whether all is known that is ever to be known of it: the card of a complete one for a card is read again."""
        return self.state == EXPIRED or (self.state == COMPLETE and self.kind == PAYMENT)

    @property
    def subject_id(self) -> str:
        """The order that waits for a card, or the invoice."""
        return self.invoice_id or self.order_id


def serves(known: Checkout, amount: Money, now: datetime, *, is_used: bool) -> bool:
    """Whether a page serves for an amount, so that no other one is needed; `is_used` says so of the card that was entered on it."""
    if known.state == COMPLETE:
        return known.kind == SETUP and not is_used
    if known.state == EXPIRED or known.amount != amount:
        return False
    return now < known.asked_at + _ASKED_AGAIN if known.state == ASKED else now < known.expires_at - _WORTHWHILE


def next_read(known: Checkout, now: datetime) -> datetime:
    """When to read again what became of a page: half a minute at first, doubled each time, five minutes at most."""
    return now + min(_FIRST_PAUSE * (1 << min(known.attempts, 10)), _LONGEST_PAUSE)
