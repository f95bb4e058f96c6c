"""Cards of orders: one that was given takes the place of the one before once it is known to be good."""

from __future__ import annotations

from dataclasses import dataclass, field

ASKED, DECLINED = "asked", "declined"
"""What billing answers of a card while nobody knows, and of one that is not good."""


@dataclass(frozen=True, slots=True)
class GivenCard:
    """A card that was given for an order: under which request, and its token, which no log shows."""

    request_id: str
    token: str = field(repr=False)
