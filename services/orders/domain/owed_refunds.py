"""What billing tells of money that is owed back to a card, and how that reads."""

from __future__ import annotations

from dataclasses import dataclass

from services.kernel.formats import amount
from services.kernel.money import Money

OWED_REFUND = "owed_refund"


@dataclass(frozen=True, slots=True)
class OwedRefund:
    """What is owed back to a card: open, paid, or paid_otherwise; `is_escalated` where accounting must act, for `reason`."""

    refund_id: str
    amount: Money
    state: str
    reason: str
    is_escalated: bool
    reference: str

    @property
    def is_open(self) -> bool:
        """Whether it is not paid yet."""
        return self.state == "open"

    @property
    def words(self) -> str:
        """How it stands."""
        if self.is_open:
            return f"{self.value} {'could not be paid yet' if self.reason else 'is owed'}"
        return f"{self.value} is paid{self.under}"

    @property
    def value(self) -> str:
        """How much, as people read it."""
        return f"{amount(self.amount)} {self.amount.currency}"

    @property
    def under(self) -> str:
        """Under which reference it was paid otherwise."""
        return f" under {self.reference}" if self.reference else ""
