"""Amounts as Stripe counts them, which is not always as ISO 4217 does, and its fees in the currency of the payment."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.billing.cards.provider import ProviderRefused
from services.kernel.currencies import DECIMALS
from services.kernel.money import Money, exchanged

_COUNTED = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Currency → decimals that Stripe counts in, where they are others than ours: two for krónur and Ugandan shillings, both
always 00, and none for ariary."""
_ENDS_IN_ZERO = 3
"""With so many decimals, an amount ends in 0."""

TOO_FINE = "amount_too_fine"


@dataclass(frozen=True, slots=True)
class Fee:
    """What Stripe keeps of `amount`, both in minor units of the currency in which it pays out, as Stripe counts them."""

    amount: int
    fee: int
    currency: str


def counted(money: Money) -> int:
    """An amount as Stripe counts it. ProviderRefused amount_too_fine when Stripe takes no amount as fine as this one."""
    exact = money.minor * _factor(money.currency)
    if exact.denominator != 1 or (DECIMALS[money.currency] == _ENDS_IN_ZERO and exact % 10):
        raise ProviderRefused(TOO_FINE, f"Cards are not charged as finely as {money}: round it.")
    return int(exact)


def ours(amount: int, currency: str) -> int:
    """An amount of Stripe in our minor units, rounded half up where it counts more finely."""
    return exchanged(amount, currency.upper(), currency.upper(), 1 / _factor(currency))


def fees_of(received: int, currency: str, fees: Sequence[Fee]) -> int:
    """What Stripe keeps of what an intent has received, in our minor units of its currency.

    Where Stripe pays out in another currency, it keeps its fee in that one: both are worth what was received. That ratio says so
    to the minor unit, which a rate with a few digits does not.
    """
    kept = sum(one.fee for one in fees)
    settled = sum(one.amount for one in fees if one.amount > 0)
    if not settled or all(one.currency == currency for one in fees):
        return ours(kept, currency)
    return exchanged(kept * received, currency.upper(), currency.upper(), 1 / (_factor(currency) * settled))


def _factor(currency: str) -> Fraction:
    """How many of Stripe's minor units one of ours is."""
    code = currency.upper()
    return Fraction(10) ** (_COUNTED.get(code, DECIMALS[code]) - DECIMALS[code])
