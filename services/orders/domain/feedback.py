"""Feedback on an order: once, after something of it has been delivered; a discontented customer gets a support case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import InvalidArgument, Refused
from services.orders.domain.projection import LineQuantities

LOW_RATING = 2
"""The best rating that still opens a support case."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the customer says: a rating from 1 to 5, a wish for support, or both."""

    rating: int | None = None
    comment: str = ""
    wants_support: bool = False

    @property
    def opens_case(self) -> bool:
        """Whether support must take care of it."""
        return self.wants_support or (self.rating is not None and self.rating <= LOW_RATING)


@dataclass(frozen=True, slots=True)
class Feedback:
    """An opinion that was given; case_number is None when nobody needs to act on it."""

    order_id: str
    opinion: Opinion
    case_number: str | None
    given_by: str
    given_role: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class SupportCase:
    """A support case: the order it is about, and the feedback that opened it."""

    number: str
    order_number: str
    customer_name: str
    feedback: Feedback


def check(opinion: Opinion, lines: Mapping[str, LineQuantities], *, is_given: bool) -> None:
    """Refuse an opinion that says nothing, comes too early, or is the second on its order."""
    if opinion.rating is None and not opinion.wants_support:
        raise InvalidArgument("FEEDBACK_EMPTY", "give a rating from 1 to 5, or ask for support")
    if opinion.rating is not None and not 1 <= opinion.rating <= 5:
        raise InvalidArgument("RATING_OUT_OF_RANGE", "a rating is a whole number from 1 to 5")
    if is_given:
        raise Refused("FEEDBACK_GIVEN", "feedback on this order was given already: for anything new, write to support")
    if not any(line.delivered for line in lines.values()):
        raise Refused("NOTHING_DELIVERED", "nothing of this order has been delivered yet: give feedback once it has")
