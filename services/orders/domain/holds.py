"""Holds: many at once on one order, each released by its owner role alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from services.kernel.errors import NotFound, NotPermitted, Refused
from services.kernel.money import Money

CodedType = Literal["exchange_rate", "facts_changed", "manufacturing", "payment", "review_expired", "ship_to", "tax"]
"""The types of hold that are placed without a rule."""

Subject = Literal["credit", "prices", "availability", "duplicates", "ship_to"]
"""What a hold is about, and so which facts its release rests on."""

_TYPES: Mapping[str, Subject] = {
    "credit": "credit",
    "payment": "credit",
    "price": "prices",
    "margin": "prices",
    "discount": "prices",
    "availability": "availability",
    "stock": "availability",
    "manufacturing": "availability",
    "duplicate": "duplicates",
    "ship_to": "ship_to",
}
_READS: tuple[tuple[Subject, re.Pattern[str]], ...] = (
    ("credit", re.compile(r"\bcredit\.")),
    ("prices", re.compile(r"margin|cost|price|discount|\bagreement\.|\border\.(total|merchandise|cumulative)")),
    ("duplicates", re.compile(r"\bduplicates\.")),
    ("ship_to", re.compile(r"ship_to")),
    ("availability", re.compile(r"quantity|requested_")),
)


def subjects(hold_type: str, when: str) -> frozenset[Subject]:
    """What a hold is about by its type and by what its rule looks at; every subject where neither says."""
    named = {_TYPES[hold_type]} if hold_type in _TYPES else set()
    found = named | {subject for subject, pattern in _READS if pattern.search(when)}
    return frozenset(found or {subject for subject, _ in _READS})


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason why a version of an order must wait; released_at is None while it stands.

    One on money may have been released for orders `up_to_minor` and for goods that leave until the end of a day.
    """

    hold_id: str
    order_id: str
    order_version: int
    code: str
    hold_type: str
    owner_role: str
    reason: str
    placed_at: datetime
    released_at: datetime | None = None
    released_by: str = ""
    released_role: str = ""
    note: str = ""
    up_to_minor: int | None = None
    valid_until: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self.released_at is None


def check_release(hold: Hold, roles: frozenset[str], owners: Sequence[str] = (), released_by: str = "somebody") -> None:
    """Refuse the release by anybody but the owner role, or of a hold that is gone, as all are once their order has ended.

    `owners` are the roles that act for the owner now, itself among them; none is the owner alone. `released_by` is the name of who
    was quicker.
    """
    if roles.isdisjoint(owners or (hold.owner_role,)):
        raise NotPermitted(
            "NOT_HOLD_OWNER",
            f"only {' or '.join(owners or (hold.owner_role,))} may release a {hold.hold_type} hold: ask somebody with that role",
            owner_role=hold.owner_role,
        )
    if not hold.is_open:
        raise Refused("HOLD_ALREADY_RELEASED", f"{released_by} has already released this hold")


def remaining(holds: Sequence[Hold]) -> tuple[Hold, ...]:
    """The holds that still stand, oldest first."""
    return tuple(sorted((hold for hold in holds if hold.is_open), key=lambda hold: (hold.placed_at, hold.hold_id)))


def find_hold(holds: Sequence[Hold], hold_id: str) -> Hold:
    """The hold of this id among an order's; NotFound otherwise."""
    for hold in holds:
        if hold.hold_id == hold_id:
            return hold
    raise NotFound("HOLD_UNKNOWN", "the order has no such hold: reload it")


_NUMBER = re.compile(r"_[0-9]+$")
"""What a second hold of the same rule has behind its code."""


def rule_of(code: str, rules: Collection[str]) -> str:
    """The rule that a hold of this code is of: a second one of the same rule has a number behind its code."""
    return code if code in rules else _NUMBER.sub("", code)


PAYMENT_REVERSED = "PAYMENT_REVERSED"
"""The code of a hold on goods whose payment was reversed."""

RELEASE_EXPIRED = "RELEASE_EXPIRED"
"""The code of a hold on goods whose release was until a day that has passed."""

TAX_UNDETERMINED = "TAX_UNDETERMINED"
"""The code of the hold on an order whose tax the engine has not said yet."""
TAX_HOLD: Final = "tax"
"""Its type."""

MONEY_TYPES = frozenset({"credit", "payment"})
"""The types of hold that wait for the order's money, whatever rule placed them."""


def is_on_money(hold: Hold, rules: Mapping[str, str]) -> bool:
    """Whether a hold waits for credit or cash: by its type, or because its rule asks for credit. `rules` is code → predicate."""
    when = rules.get(rule_of(hold.code, rules), "")
    return hold.hold_type in MONEY_TYPES or "credit.is_granted" in when


def is_let_go(hold: Hold) -> bool:
    """Whether somebody released a hold on the order's money; the money's coming releases it as a service does."""
    return hold.hold_type in MONEY_TYPES and not hold.is_open and hold.released_role != "service"


def asks_for_cash(hold: Hold) -> bool:
    """Whether a hold waits for the customer's payment: not where one came and was reversed, of which its own mail tells, nor where
    goods were let go without it until a day that is over, which is for its owner to decide again.
    """
    others = (PAYMENT_REVERSED, RELEASE_EXPIRED)
    return hold.hold_type == "payment" and rule_of(hold.code, others) not in others


def is_for_tax(hold: Hold) -> bool:
    """Whether a hold stands because nobody knows the order's tax."""
    return rule_of(hold.code, (TAX_UNDETERMINED,)) == TAX_UNDETERMINED


def is_unpaid(hold: Hold) -> bool:
    """Whether a hold stands because a payment was reversed."""
    return rule_of(hold.code, (PAYMENT_REVERSED,)) == PAYMENT_REVERSED


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a release on money is for: an order of this much at most, and goods that leave until the end of this day."""

    up_to: Money | None = None
    until: date | None = None

    def check(self, hold: Hold, total: Money, today: date) -> None:
        """Refused for a hold on something else, a day that has passed, another currency, and an order that is for more."""
        if self == NO_ALLOWANCE:
            return
        if hold.hold_type not in MONEY_TYPES:
            raise Refused(
                "RELEASE_NOT_ON_MONEY", f"a {hold.hold_type} hold is released as a whole: leave amount and day out"
            )
        if self.until is not None and self.until < today:
            raise Refused("RELEASE_DAY_PASSED", f"{self.until.isoformat()} has passed: name today or a later day")
        if self.up_to is not None and (self.up_to.currency != total.currency or self.up_to < total):
            raise Refused(
                "RELEASE_BELOW_TOTAL", f"the order comes to {total}, more than {self.up_to}: look at it again"
            )


NO_ALLOWANCE = Allowance()
"""A release of whatever the order is, for good."""


def expired_release(holds: Sequence[Hold], today: date) -> Hold | None:
    """The newest release on money, when it was for a time that is over."""
    released = [hold for hold in holds if not hold.is_open and hold.hold_type in MONEY_TYPES]
    newest = max(released, key=lambda hold: (hold.released_at or hold.placed_at, hold.hold_id), default=None)
    is_over = newest is not None and newest.valid_until is not None and newest.valid_until < today
    return newest if is_over else None
