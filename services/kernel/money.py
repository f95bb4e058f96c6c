"""Money: whole minor units of one currency, unit prices, and shares that sum to the whole."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Self

from services.kernel.currencies import DECIMALS
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import non_negative

MAX_MINOR = 10**15
"""The largest amount in minor units: exact even where a reader stores numbers as doubles (2^53 is nine times larger)."""

PRICE_DECIMALS = 6
MAX_PRICE = Decimal(10**12)
_DECIMAL_TEXT = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units of a currency; |minor| <= MAX_MINOR. Mixed currencies raise CURRENCY_MIXED."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        _decimals(self.currency)
        if type(self.minor) is not int:
            raise TypeError(f"money counts whole minor units, not {self.minor!r}")
        if abs(self.minor) > MAX_MINOR:
            raise InvalidArgument("AMOUNT_TOO_LARGE", f"an amount must not exceed {MAX_MINOR} minor units")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in a currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read "12.34"; refuses an exponent, a sign other than "-", and more decimals than the currency has."""
        decimals = _decimals(currency)
        amount = _parse_decimal(text, decimals, currency)
        return cls(int(amount.scaleb(decimals)), currency)

    @classmethod
    def total(cls, amounts: Iterable["Money"], currency: str) -> "Money":
        """The sum; zero of the currency for none."""
        return sum(amounts, start=Money.zero(currency))

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact: 1234 minor units of USD are Decimal("12.34")."""
        return Decimal(self.minor).scaleb(-_decimals(self.currency))

    @property
    def text(self) -> str:
        """The amount with exactly its currency's decimals: "12.34", "-0.05", "500" for JPY."""
        return f"{self.amount:f}"

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise InvalidArgument("CURRENCY_MIXED", f"{self.currency} and {other.currency} do not add or compare")
        return other.minor


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """The price of one unit, never negative, with at most six decimals: rounded only when it is extended."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        _decimals(self.currency)
        if not self.amount.is_finite() or not 0 <= self.amount <= MAX_PRICE:
            raise InvalidArgument("PRICE_OUT_OF_RANGE", f"a unit price must be from 0 to {MAX_PRICE}")
        exponent = self.amount.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -PRICE_DECIMALS:
            raise InvalidArgument("TOO_MANY_DECIMALS", f"a unit price has at most {PRICE_DECIMALS} decimals")

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read "0.125"; refuses an exponent, a negative price and more than six decimals."""
        return cls(_parse_decimal(text, PRICE_DECIMALS, "a unit price"), currency)

    @property
    def text(self) -> str:
        """The price with at least its currency's decimals and no needless zeros after them: "129.00", "0.125"."""
        whole, _, fraction = f"{self.amount:.{PRICE_DECIMALS}f}".partition(".")
        fraction = fraction.rstrip("0").ljust(_decimals(self.currency), "0")
        return f"{whole}.{fraction}" if fraction else whole

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"


def extend(price: UnitPrice, quantity: int) -> Money:
    """Price times quantity, rounded half up, once."""
    units = non_negative(quantity, "quantity")
    exact = Fraction(price.amount) * units * 10 ** _decimals(price.currency)
    return Money(_half_up(exact), price.currency)


def tax_on(net: Money, rate: Decimal) -> Money:
    """Tax at a fraction (0.0825 is 8.25 %), rounded half up; the tax on -net is minus the tax on net.

    To tax parts of an order so that they sum to its tax, take the differences of the tax on the running net.
    """
    if not rate.is_finite() or not 0 <= rate <= 1:
        raise InvalidArgument("TAX_RATE_OUT_OF_RANGE", "a tax rate is a fraction from 0 to 1, such as 0.0825")
    return Money(_half_up(net.minor * Fraction(rate)), net.currency)


def share(total: Money, part: int, whole: int, *, before: int, given: Money) -> Money:
    """What of a total falls on the next `part` of `whole`, when `given` of it fell on the `before` that came earlier.

    The part is rounded half up on its own value and then kept so that the running sum stays between floor and ceiling, in minor
    units, of the exact running share: no sum is ever off by a minor unit, and no rounding gathers on the last. The part that
    reaches the whole takes the rest. A total that shrank meanwhile gives nothing, never a part of the other sign. The parts of
    -total are minus the parts of total.
    """
    if part < 0 or before < 0 or before + part > whole:
        raise ValueError(f"{part} after {before} of {whole} is no share")
    sign = -1 if total.minor < 0 or given.minor < 0 else 1
    due, had = sign * (total - Money.zero(given.currency)).minor, sign * given.minor
    if before + part == whole:
        return Money(sign * max(due - had, 0), total.currency)
    running = Fraction(due * (before + part), whole)
    own = _half_up(Fraction(due * part, whole))
    return Money(sign * max(min(max(own, floor(running) - had), ceil(running) - had), 0), total.currency)


def exact_share(total: Money, part: int, whole: int) -> Money:
    """What `part` of `whole` is of a total, rounded half up on its own: for one figure, where no sum must come out."""
    return Money(_half_up(Fraction(total.minor * part, whole)), total.currency)


def exchanged(minor: int, from_currency: str, to_currency: str, factor: Fraction) -> int:
    """Minor units of one currency in those of another, one unit of the first being worth `factor` of the second; half up."""
    return _half_up(minor * factor * Fraction(10) ** (_decimals(to_currency) - _decimals(from_currency)))


def _half_up(exact: Fraction) -> int:
    """The nearest whole number, a half away from zero."""
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return magnitude if exact >= 0 else -magnitude


def _decimals(currency: str) -> int:
    if currency not in DECIMALS:
        raise InvalidArgument("CURRENCY_UNKNOWN", f"{currency[:12]!r} is no ISO 4217 currency code")
    return DECIMALS[currency]


def _parse_decimal(text: str, decimals: int, what: str) -> Decimal:
    if not _DECIMAL_TEXT.fullmatch(text):
        raise InvalidArgument("NOT_AN_AMOUNT", f"{text[:40]!r} is no amount: write digits with a point, such as 12.34")
    if len(text.partition(".")[2]) > decimals:
        raise InvalidArgument("TOO_MANY_DECIMALS", f"{text!r} has too many decimals: {what} has at most {decimals}")
    return Decimal(text)
