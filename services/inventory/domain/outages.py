"""A warehouse that is closed for a while, and why orders are sourced again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel.errors import InvalidArgument

LONGEST = timedelta(days=366)
OUTAGE, RATE = "outage", "rate"


@dataclass(frozen=True, slots=True)
class Outage:
    """A warehouse sends nothing until it ends; `ended_at` None while it lasts. `order_count` orders had units there."""

    outage_id: str
    warehouse_id: str
    reason: str
    declared_by: str
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    order_count: int = 0


@dataclass(frozen=True, slots=True)
class SourcingRequest:
    """What is open of an order is to be planned again; `warehouse_id` is the one to be left, empty where any may stay."""

    sourcing_request_id: str
    order_id: str
    cause: str
    warehouse_id: str
    why: str


def check_end(ends_at: datetime, now: datetime) -> None:
    """Refuse OUTAGE_END_INVALID: an end that is no later than now, or too far away."""
    if ends_at <= now:
        raise InvalidArgument("OUTAGE_END_INVALID", "the outage would be over already: name an end in the future")
    if ends_at - now > LONGEST:
        days = LONGEST.days
        raise InvalidArgument(
            "OUTAGE_END_INVALID",
            f"an outage lasts {days} days at most: name an earlier end, or close the warehouse by its master data",
        )


def why(outage: Outage, name: str) -> str:
    """Why an order is sourced again, in words: for its history and for whoever opens its workflow."""
    until = outage.ends_at.strftime("%Y-%m-%d %H:%M")
    return f"{name} is closed until {until} UTC: {outage.reason}"
