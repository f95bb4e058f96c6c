"""Holds: many at once on one order, each released by its owner role alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.kernel.errors import NotFound, NotPermitted, Refused

CodedType = Literal["exchange_rate", "facts_changed", "manufacturing", "review_expired", "ship_to"]
"""The types of hold that are placed without a rule."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason why a version of an order must wait; released_at is None while it stands."""

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

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self.released_at is None


def check_release(hold: Hold, roles: frozenset[str], owners: Sequence[str] = ()) -> None:
    """Refuse the release by anybody but the owner role, or of a hold that is gone, as all are once their order has ended.

    `owners` are the roles that act for the owner now, itself among them; none is the owner alone.
    """
    if roles.isdisjoint(owners or (hold.owner_role,)):
        raise NotPermitted(
            "NOT_HOLD_OWNER",
            f"only {' or '.join(owners or (hold.owner_role,))} may release a {hold.hold_type} hold: ask somebody with that role",
            owner_role=hold.owner_role,
        )
    if not hold.is_open:
        raise Refused("HOLD_ALREADY_RELEASED", f"{hold.released_by} has already released this hold")


def remaining(holds: Sequence[Hold]) -> tuple[Hold, ...]:
    """The holds that still stand, oldest first."""
    return tuple(sorted((hold for hold in holds if hold.is_open), key=lambda hold: (hold.placed_at, hold.hold_id)))


def find_hold(holds: Sequence[Hold], hold_id: str) -> Hold:
    """The hold of this id among an order's; NotFound otherwise."""
    for hold in holds:
        if hold.hold_id == hold_id:
            return hold
    raise NotFound("HOLD_UNKNOWN", "the order has no such hold: reload it")
