"""Facts of billing about how an order is paid: its credit and its card."""

from __future__ import annotations

from dataclasses import dataclass

from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class CreditGranted:
    """What the order commits now, after it waited for credit or for its cash."""

    amount: Money


@dataclass(frozen=True, slots=True)
class CreditRestChanged:
    """What of the order waits for room under its customer's limit, while what fits may ship; zero when all is covered."""

    rest: Money


@dataclass(frozen=True, slots=True)
class CardProblem:
    """Something that went wrong with the order's card: the kind of exception that it is, of what, and in words."""

    kind: str
    subject_id: str
    reason: str
