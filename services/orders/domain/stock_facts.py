"""Facts of inventory: where an order stands with its stock, and that what is open of it is to be sourced again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineStanding:
    """Units of a line that inventory holds or shipped, units that wait, the day the last of those is expected, and of which document.

    `lead_days` are the working days from then until the customer has them.
    """

    allocated: int
    backordered: int
    expected_on: str
    lead_days: int = 0
    expected_reference: str = ""


@dataclass(frozen=True, slots=True)
class StockStanding:
    """Where the order stands with inventory, by line id."""

    lines: Mapping[str, LineStanding]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class SourcingAsked:
    """What is open of the order is to be sourced again, and why."""

    why: str
