"""The port to a payment provider: what billing asks of it, and what it may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.kernel.money import Money

UNKNOWN = "resource_missing"
"""The provider's word for what it knows nothing of."""


class ProviderAway(Exception):  # not an error of ours: nobody knows yet whether it was done
    """No answer: it may have been done or not. Asking again under the same key is safe."""


class ProviderRefused(Exception):  # an answer
    """The provider will not do it, now or later; `code` is its word for programs, the message its sentence.

    `about` is the parameter that it refuses, empty when it names none.
    """

    def __init__(self, code: str, message: str, about: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.about = about


class CardDeclined(ProviderRefused):
    """The cardholder's bank says no; `code` says why, such as insufficient_funds."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An authorization as the provider has it, in minor units of its currency.

    `capturable` may still be captured; `received` was, of which `refunded` went back; `fees` is what the provider keeps of all of
    it. `operation_id` is the operation that made it, or `checkout_id` the page on which it was paid, at `paid_at`. `is_open` while
    something may be captured; `is_disputed` once the cardholder's bank took the money back.
    """

    provider_id: str
    operation_id: str
    amount: int
    capturable: int
    received: int
    refunded: int
    fees: int
    is_open: bool
    is_disputed: bool
    checkout_id: str = ""
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the provider has it; `is_failed` once it is sure, or as good as, that it does not reach its card, for `reason`."""

    provider_id: str
    is_failed: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the provider's on which a person enters a card, as it stands: open, complete or expired.

    `url` is where it is while it is open. Once it is complete, `token` is the card that was entered on one that takes only a card,
    and `intent_id` what was paid on one that takes a payment.
    """

    provider_id: str
    state: str
    url: str = ""
    token: str = ""
    intent_id: str = ""


@dataclass(frozen=True, slots=True)
class PageTerms:
    """Under which key a page is asked for, for which order, where its person comes back to, and when it ends.

    `label` says on the page what is paid.
    """

    key: str
    order_id: str
    label: str
    return_url: str
    expires_at: datetime


class Provider(Protocol):
    """Each call under an operation's id is done once, however often it is asked; ProviderAway when nobody knows.

    Amounts are positive; ProviderRefused (CardDeclined for `authorize`) when it will not be done.
    """

    def authorize(self, operation_id: str, amount: Money, token: str, order_id: str) -> Intent:
        """Reserve an amount on the card."""

    def capture(self, operation_id: str, provider_id: str, amount: Money, *, is_final: bool) -> Intent:
        """Take some of what is authorized; `is_final` lets the rest go, as does a card that can be captured once only."""

    def void(self, operation_id: str, provider_id: str) -> Intent:
        """Let go what is authorized and not captured."""

    def refund(self, operation_id: str, provider_id: str, amount: Money) -> Refund:
        """Give some of what was captured back to the card."""

    def read(self, provider_id: str) -> Intent:
        """An authorization as it stands."""

    def find_authorization(self, operation_id: str, since: datetime) -> Intent | None:
        """What an `authorize` that was asked no earlier than `since` has made; None when it has made nothing."""

    def refunds(self, provider_id: str) -> Mapping[str, Refund]:
        """The refunds of an authorization as they stand, by the operation that made each; those that none of ours made are left out."""

    def open_page(self, terms: PageTerms, amount: Money) -> Page:
        """Show a page that takes a payment of an amount at once; of zero, one that takes a card to be charged later."""

    def read_page(self, page_id: str) -> Page:
        """A page as it stands."""

    def end_page(self, page_id: str) -> None:
        """Show a page no more; one that is at its end already is as wanted."""
