"""Receivables of all customers by age, one bar a currency and age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.console.accounting.values import ReceivableShown
from services.kernel.money import Money

AGES = (
    ("current", "not due", "moves"),
    ("days_30", "1–30 days late", "waits"),
    ("days_60", "31–60 days late", "waits"),
    ("older", "over 60 days late", "blocks"),
)
"""(member of a row, words, tone) of each age."""


@dataclass(frozen=True, slots=True)
class Age:
    """What is open of one age, all customers together."""

    words: str
    tone: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Aging:
    """The ages of one currency; `overdue` is what is late, `unapplied` cash that pays nothing yet."""

    currency: str
    ages: tuple[Age, ...]
    overdue: Money
    unapplied: Money

    @property
    def open(self) -> Money:
        """All ages together."""
        return Money.total((age.amount for age in self.ages), self.currency)

    @property
    def largest(self) -> int:
        """Minor units of the largest age: as long as a bar is."""
        return max(age.amount.minor for age in self.ages)


def aged(rows: Sequence[ReceivableShown]) -> list[Aging]:
    """One entry a currency, in the order of their codes."""
    found = []
    for currency in sorted({row.current.currency for row in rows}):
        of = [row for row in rows if row.current.currency == currency]
        ages = tuple(
            Age(words, tone, Money.total((getattr(row, name) for row in of), currency)) for name, words, tone in AGES
        )
        overdue = Money.total((row.overdue for row in of), currency)
        found.append(Aging(currency, ages, overdue, Money.total((row.unapplied for row in of), currency)))
    return found
