"""Cards: operations that a payment provider is asked for, what they have authorized, and what is to be asked next."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel.money import Money

AUTHORIZE, CAPTURE, VOID, REFUND = "authorize", "capture", "void", "refund"
KINDS = (AUTHORIZE, CAPTURE, VOID, REFUND)
ASKED, SUCCEEDED, DECLINED, FAILED = "asked", "succeeded", "declined", "failed"
STATES = (ASKED, SUCCEEDED, DECLINED, FAILED)
TRANSITIONS: Mapping[str, frozenset[str]] = {
    ASKED: frozenset({SUCCEEDED, DECLINED, FAILED}),
    SUCCEEDED: frozenset({FAILED}),
}
"""State → what may follow it: an answer is the last word, but for a refund that comes back from its card."""

AUTHORIZED, MISSING, UNAVAILABLE = "authorized", "missing", "unavailable"
"""How an order's card stands, beside declined and asked."""

LASTS = timedelta(days=7)
"""How long an authorization lasts."""
_MARGIN = timedelta(hours=1)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)
NOTHING_OPEN = "its invoice has nothing open any more"
"""Why a capture ended that nobody needs any more: nothing was charged, and nothing went wrong."""
OVERDUE = timedelta(days=1)
"""How long an operation may stay asked until somebody must look."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that the provider is asked to do once, under this id.

    `authorization_id` is the authorization that it takes from, empty while a capture has none yet; `subject_id` the invoice of a
    capture, the payment of a refund. An `is_final` capture lets the rest go; an `is_abandoned` authorization is let go when it comes.
    `reason` says why it was declined or failed.
    """

    operation_id: str
    kind: str
    order_id: str
    customer_id: str
    amount: Money
    state: str
    asked_at: datetime
    authorization_id: str = ""
    subject_id: str = ""
    token: str = ""
    token_digest: str = ""
    provider_id: str = ""
    reason: str = ""
    attempts: int = 0
    is_final: bool = False
    is_abandoned: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether nobody knows yet what became of it."""
        return self.state == ASKED

    @property
    def is_refused(self) -> bool:
        """Whether the bank or the provider said no."""
        return self.state in (DECLINED, FAILED)

    @property
    def is_of_page(self) -> bool:
        """Whether it was paid on a page of the provider's, and takes from no authorization of the order's card."""
        return self.kind == CAPTURE and self.authorization_id == self.operation_id

    @property
    def is_card_capture(self) -> bool:
        """Whether it takes from an authorization of the order's card, or is to."""
        return self.kind == CAPTURE and not self.is_of_page

    @property
    def is_needless(self) -> bool:
        """Whether it is a capture that ended because nothing was left to be charged."""
        return self.state == FAILED and self.reason == NOTHING_OPEN

    @property
    def is_refunded(self) -> bool:
        """Whether it is a refund that went to its card."""
        return self.kind == REFUND and self.state == SUCCEEDED


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a card is authorized for: `taken` by captures, answered or not, of which `captured` are; `fee_minor` was kept of these.

    One that was captured when it was made, on a page of the provider's, has its capture's id.
    """

    authorization_id: str
    order_id: str
    provider_id: str
    amount: Money
    taken: Money
    captured: Money
    fee_minor: int
    is_open: bool
    is_disputed: bool
    authorized_at: datetime

    @property
    def free(self) -> Money:
        """What may still be captured."""
        return self.amount - self.taken if self.is_open else Money.zero(self.amount.currency)

    @property
    def is_paid_at_once(self) -> bool:
        """Whether it was paid on a page of the provider's, and takes the place of no other."""
        return self.authorization_id.startswith(f"{CAPTURE}/")

    def is_fresh(self, now: datetime) -> bool:
        """Whether it will last a while yet."""
        return self.is_open and now < self.authorized_at + LASTS - _MARGIN


def operation_id(kind: str, subject: str, earlier: int) -> str:
    """The key of an operation: the kind, whom it is for, and the how-manieth of its kind it is; `earlier` were before."""
    return f"{kind}/{subject}/{earlier + 1}"


def payment_reference(provider_id: str, invoice_number: str, operation_id: str) -> str:
    """What the payment of a capture is called: each further capture of an invoice is another payment."""
    how_manieth = operation_id.rpartition("/")[2]
    return "/".join([provider_id, invoice_number, *([how_manieth] if how_manieth != "1" else [])])


def usable(authorizations: Sequence[Authorization], amount: Money, now: datetime) -> Authorization | None:
    """The oldest authorization from which all of an amount can be captured."""
    return next((one for one in authorizations if one.is_fresh(now) and one.free >= amount), None)


def pause(attempts: int) -> timedelta:
    """How long to wait before the provider is asked again: a second at first, doubled each time, a minute at most."""
    return min(_FIRST_PAUSE * (1 << min(attempts, 10)), _LONGEST_PAUSE)


def digest(token: str) -> str:
    """By which a card is known again without its token; empty for none."""
    return hashlib.sha256(token.encode()).hexdigest() if token else ""


@dataclass(frozen=True, slots=True)
class CardMoney:
    """An order's card: what is authorized and not captured, captured, and given back; how it stands, and why it was declined."""

    authorized: Money
    captured: Money
    refunded: Money
    standing: str
    decline_reason: str


def card_money(
    authorizations: Sequence[Authorization], operations: Sequence[Operation], currency: str, *, is_by_card: bool
) -> CardMoney:
    """The money of an order's card, from what was authorized for it and all operations on it, oldest first."""
    refunds = [one.amount for one in operations if one.kind == REFUND and one.state in (ASKED, SUCCEEDED)]
    tries = [one for one in operations if one.kind == AUTHORIZE and not one.is_abandoned]
    last = tries[-1] if tries else None
    standing = {ASKED: ASKED, SUCCEEDED: AUTHORIZED, DECLINED: DECLINED, FAILED: DECLINED}.get(
        last.state if last else "", MISSING
    )
    return CardMoney(
        Money.total((one.free for one in authorizations), currency),
        Money.total((one.captured for one in authorizations), currency),
        Money.total(refunds, currency),
        standing if tries or is_by_card else "",
        last.reason if last and last.is_refused else "",
    )
