"""What a policy says of promises: how late a day may come before people are told."""

from __future__ import annotations

from dataclasses import dataclass

from services.orders.domain import policy_text as read

MAX_TOLERANCE_DAYS = 365


@dataclass(frozen=True, slots=True)
class PromisesRule:
    """What a policy says of promises: people are told of a day that is more than `slip_tolerance_days` later than they were told."""

    slip_tolerance_days: int = 0


USUAL_PROMISES = PromisesRule()


def parse_promises(value: object) -> PromisesRule:
    """The rule; InvalidArgument POLICY_INVALID names what is wrong."""
    row = read.members(value, "promises", ("slip_tolerance_days",))
    most = row.get("slip_tolerance_days", USUAL_PROMISES.slip_tolerance_days)
    return PromisesRule(read.whole(most, "promises: slip_tolerance_days", 0, MAX_TOLERANCE_DAYS))
