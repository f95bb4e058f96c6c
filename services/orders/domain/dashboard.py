"""The figures above the overview, and those of one customer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many open orders wait: for each of the roles asked for, for stock, for the warehouse; with a day, and past it.

    `by_channel` has all of them: channel → status word → how many.
    """

    by_channel: dict[str, dict[str, int]]
    for_role: dict[str, int]
    backordered: int
    to_ship: int
    dated: int
    past_due: int
    held: int
    open: int


@dataclass(frozen=True, slots=True)
class Service:
    """Orders accepted since a day: how many, and how many of them never had to wait for stock."""

    accepted: int
    filled_at_once: int


@dataclass(frozen=True, slots=True)
class Margin:
    """What was sold in a currency, and what that cost by the catalog."""

    sold: Money
    cost: Money

    @property
    def percent(self) -> Decimal | None:
        """Margin in percent of what was sold; None when nothing was."""
        if not self.sold.minor:
            return None
        return (Decimal(100) * (self.sold.minor - self.cost.minor) / self.sold.minor).quantize(Decimal("0.1"))


@dataclass(frozen=True, slots=True)
class History:
    """A customer's orders since a day: how many, how many of them ended badly, and what the others came to."""

    placed: int
    refused: int
    cancelled: int
    sold: tuple[Money, ...]
