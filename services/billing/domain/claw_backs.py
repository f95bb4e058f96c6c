"""Discounts that an order gets from so much of goods on, and that are taken back when what its customer keeps does not come to that any more."""

from dataclasses import dataclass

from services.billing.domain.credit_notes import CreditAsked, Credited, CreditFigures
from services.billing.domain.invoices import Invoice, Threshold
from services.kernel.money import Money

RETURNED = "returned"
"""The reason of credit notes of goods that come back; others are about goods that were not as agreed."""


@dataclass(frozen=True, slots=True)
class DiscountKept:
    """How an order stands before a credit note: goods that came back by their customer's choice, discount that its invoices give on what
    is kept, and what of it is taken back.
    """

    threshold: Threshold
    came_back: Money
    discount: Money
    claw_back: Money

    def to_take_back(self, now: Credited) -> Money:
        """What is taken back with goods that are credited now. An order that was below its minimum before anything came back keeps all."""
        kept = self.threshold.ordered - self.came_back - now.merchandise
        zero = Money.zero(kept.currency)
        if not kept < self.threshold.minimum <= self.threshold.ordered:
            return zero
        return max(self.discount - now.discount - self.claw_back - now.claw_back, zero)

    @property
    def to_give_back(self) -> Money:
        """What is taken back beyond what is kept of the discount."""
        return max(self.claw_back - self.discount, Money.zero(self.discount.currency))


def has_goods_back(invoice: Invoice, asked: CreditAsked) -> bool:
    """Whether a credit note says that goods of a discount with a minimum came back."""
    return invoice.threshold is not None and asked.reason_code == RETURNED and (asked.is_all or bool(asked.lines))


def taken_of(found: CreditFigures, due: Money) -> Money:
    """What of it the note bears: it credits a cent of goods at least, and what it does not bear waits for the next."""
    return min(due, max(found.parts.net - Money(1, due.currency), Money.zero(due.currency)))
