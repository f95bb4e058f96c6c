"""What an order that is placed says of its days and its discount, checked."""

from __future__ import annotations

from datetime import date
from typing import TypedDict

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, Refused
from services.orders.domain.order import PlaceOrder, Totals
from services.orders.policies import versions


class DiscountTerms(TypedDict):
    """Members of an order."""

    discount_minimum_minor: int
    claws_back: bool


def discount_terms(session: Session, command: PlaceOrder, sums: Totals) -> DiscountTerms:
    """From what of goods on it has its discount, and whether the policy in force takes it back when less is kept."""
    minimum = command.discount_minimum
    if minimum is None:
        return DiscountTerms(discount_minimum_minor=0, claws_back=False)
    if not (sums.discount.minor and minimum.minor):
        raise InvalidArgument(
            "DISCOUNT_MINIMUM_ALONE", "discount_minimum is a positive amount, and of a discount: send both, or neither"
        )
    if sums.merchandise < minimum:
        raise Refused(
            "DISCOUNT_NOT_EARNED",
            f"the goods come to {sums.merchandise} and the discount is given from {minimum} on: leave it out, or order more",
        )
    claws_back = versions.policy_in_force(session).returns.claw_back
    return DiscountTerms(discount_minimum_minor=minimum.minor, claws_back=claws_back)


def check_days(command: PlaceOrder, today: date) -> None:
    """Refuse a last day to ship that is over, or before the day asked for."""
    last = command.cancel_after
    if last is not None and last < today:
        raise InvalidArgument(
            "CANCEL_AFTER_PAST", f"cancel_after is {last} and today is {today}: nothing could ship by then"
        )
    if last is not None and command.requested_on is not None and last < command.requested_on:
        raise InvalidArgument(
            "CANCEL_AFTER_BEFORE_REQUESTED", f"cancel_after is {last}, before the requested day {command.requested_on}"
        )
