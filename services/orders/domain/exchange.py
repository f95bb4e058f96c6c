"""Exchange rates: what an amount of one currency is in another, by the latest rate up to a business day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from services.kernel.currencies import DECIMALS
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, exchanged

MAX_RATE = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """From a day on, one unit of `from_currency` is worth `rate` units of `to_currency`; `version` counts what was stored of it."""

    from_currency: str
    to_currency: str
    rate: Decimal
    valid_from: date
    version: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        for code in (self.from_currency, self.to_currency):
            Money.zero(code)
        if self.from_currency == self.to_currency:
            raise InvalidArgument("EXCHANGE_RATE_OF_ITSELF", "name two currencies: one is worth itself")
        if not self.rate.is_finite() or not 0 < self.rate <= MAX_RATE:
            raise InvalidArgument("EXCHANGE_RATE_OUT_OF_RANGE", f"a rate is above 0 and at most {MAX_RATE}")


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates that are known on a day."""

    known: tuple[ExchangeRate, ...] = ()

    def factor(self, from_currency: str, to_currency: str) -> Fraction | None:
        """What to multiply by; None when no rate is known.

        The latest rate counts, whichever way it was given; of the same day the one given this way.
        """
        if from_currency == to_currency:
            return Fraction(1)
        found = [
            (one.valid_from, (one.from_currency, one.to_currency) == (from_currency, to_currency), Fraction(one.rate))
            for one in self.known
            if {one.from_currency, one.to_currency} == {from_currency, to_currency}
        ]
        if not found:
            return None
        _, is_direct, rate = max(found)
        return rate if is_direct else 1 / rate

    def limit_in(self, limits: Mapping[str, int], currency: str) -> int:
        """What limits (currency → minor units) reach to in a currency: its own, else the highest that a rate tells; else 0."""
        if currency in limits:
            return limits[currency]
        reach = [
            exchanged(minor, held_in, currency, factor)
            for held_in, minor in limits.items()
            if held_in in DECIMALS and (factor := self.factor(held_in, currency)) is not None
        ]
        return max(reach, default=0)


NO_RATES = Rates()
