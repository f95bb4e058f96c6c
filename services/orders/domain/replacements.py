"""Exchanges: how many units replace what came back, and the orders that bring them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

ADVANCE = "advance"
"""What an order replaces that was placed before any goods came, instead of an inspection."""
PLACER = "returns"
"""Who places orders that replace goods of returns."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """An order in place of goods of a return: of one inspection, or of all of it in ADVANCE.

    One `is_documented` replaces another SKU: it is invoiced, and what it replaces is credited. `units` is line id of the return → units that
    come in its place, `charged` line id of the order → units of them that are invoiced because theirs did not come: known from `settled_at` on.
    """

    order_id: str
    order_number: str
    subject: str
    is_documented: bool
    units: Mapping[str, int]
    order_lines: Mapping[str, str]
    settled_at: datetime | None = None

    @property
    def is_advance(self) -> bool:
        """Whether its goods leave before those that they replace have come."""
        return self.subject == ADVANCE

    @property
    def is_unsettled(self) -> bool:
        """Whether nobody has said yet what of it is charged."""
        return self.is_advance and not self.is_documented and self.settled_at is None


def units_for(replaced: int, announced: int, counted: int) -> int:
    """Of `replaced` units for `announced` ones, those that `counted` ones earn: whole units alone, and all for all."""
    return replaced * counted // announced


@dataclass(frozen=True, slots=True)
class Replaced:
    """The return whose goods an order replaces, and the order they had come with."""

    return_id: str
    number: str
    order_number: str
    is_documented: bool
