"""Who comes first when goods are too few: classes, urgency, tiers and days, as one number that sorts a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

WIN, GAIN, REDISTRIBUTE, IMPROVE, FILL, LOSE = CLASSES = ("win", "gain", "redistribute", "improve", "fill", "lose")
"""As SAP's available-to-promise has them, first to be served first."""
GIVES_UP_TO: Mapping[str, frozenset[str]] = {
    REDISTRIBUTE: frozenset({WIN, REDISTRIBUTE}),
    FILL: frozenset({WIN}),
    LOSE: frozenset({WIN}),
}
"""Class → classes that may take what it holds without using it; the others keep what they have."""

PARTIAL, LINE_COMPLETE, ORDER_COMPLETE = "partial", "line_complete", "order_complete"
OF_TIERS = (PARTIAL, LINE_COMPLETE)
"""How a tier's lines may be filled; that an order ships complete is the order's to say."""

_DAYS = 10**8
_TIERS = 1000
UNRANKED = -1
"""The policy version of a backorder that no policy has ranked yet."""


@dataclass(frozen=True, slots=True)
class TierTerms:
    """What customers of one tier get; what waits for them is filled by itself unless `is_manual`."""

    tier: str
    allocation_class: str = GAIN
    delivery: str = PARTIAL
    is_manual: bool = False


@dataclass(frozen=True, slots=True)
class AllocationPolicy:
    """Who gets goods first: tiers from the first on, and for how many days stock may wait for the rest of its order.

    `freeze_days` None is any number. `version` counts what was stored of it.
    """

    tiers: tuple[TierTerms, ...] = ()
    usual_class: str = GAIN
    is_fair_share: bool = False
    freeze_days: int | None = None
    version: int = field(default=0, compare=False)

    def terms(self, tier: str) -> TierTerms:
        """The terms of a tier; the usual ones where it is not named."""
        return next((one for one in self.tiers if one.tier == tier), TierTerms(tier, self.usual_class))

    def tier_rank(self, tier: str) -> int:
        """The place of a tier from 0 on; behind all that are named where it is not."""
        return next((place for place, one in enumerate(self.tiers) if one.tier == tier), len(self.tiers))

    @property
    def may_take(self) -> bool:
        """Whether anybody may ever take what a waiting order holds."""
        classes = {self.usual_class, *(one.allocation_class for one in self.tiers)}
        return self.freeze_days is not None or any(GIVES_UP_TO.get(one, frozenset()) & classes for one in classes)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an order brings to a queue: whose it is, when it wants its goods (ISO date or empty), and how."""

    customer_tier: str = ""
    requested_on: str = ""
    is_order_complete: bool = False
    is_expedited: bool = False

    def wanted_on(self, placed_on: date) -> str:
        """The day that counts: the one asked for, and of who wants it as soon as possible that of the order."""
        return self.requested_on or placed_on.isoformat()

    def delivery(self, policy: AllocationPolicy) -> str:
        """Partial, line_complete or order_complete."""
        return ORDER_COMPLETE if self.is_order_complete else policy.terms(self.customer_tier).delivery


@dataclass(frozen=True, slots=True)
class Rank:
    """A place in a queue, before those who placed their order later: class, urgency, tier and wanted day."""

    allocation_class: str
    is_expedited: bool
    tier_rank: int
    wanted_on: str

    @property
    def priority(self) -> int:
        """The same as a number: less is sooner."""
        day = int(self.wanted_on.replace("-", ""))
        urgency = CLASSES.index(self.allocation_class) * 2 + (not self.is_expedited)
        return (urgency * _TIERS + min(self.tier_rank, _TIERS - 1)) * _DAYS + day

    @classmethod
    def of(cls, priority: int) -> Rank:
        """What a number stands for."""
        group, day = divmod(priority, _DAYS)
        urgency, tier_rank = divmod(group, _TIERS)
        text = f"{day:08}"
        wanted_on = f"{text[:4]}-{text[4:6]}-{text[6:]}" if day else ""
        return cls(CLASSES[urgency // 2], urgency % 2 == 0, tier_rank, wanted_on)


def rank(policy: AllocationPolicy, claim: Claim, placed_on: date) -> Rank:
    """The place of an order under the policy."""
    terms = policy.terms(claim.customer_tier)
    tier_rank = policy.tier_rank(claim.customer_tier)
    return Rank(terms.allocation_class, claim.is_expedited, tier_rank, claim.wanted_on(placed_on))


def class_of(priority: int) -> str:
    """The class that a priority stands for."""
    return Rank.of(priority).allocation_class


def peers(priority: int) -> int:
    """What backorders of the same class, urgency and tier have in common."""
    return priority // _DAYS
