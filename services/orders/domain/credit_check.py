"""A credit check: how a customer's credit stands, and what an order makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class CreditCheck:
    """A customer's credit as billing tells it, and an order that counts, or will count, against it.

    `committed` is accepted orders not yet invoiced, `receivable` open invoices less unapplied cash, of which `overdue` is past its
    day, the oldest since `overdue_since`. `counted` is what the order has in `committed` already, `order_open` what it will have
    there: its total less what is invoiced of it.
    """

    limit: Money
    committed: Money
    receivable: Money
    overdue: Money
    overdue_since: date | None
    counted: Money
    order_open: Money

    @property
    def exposure(self) -> Money:
        """What the customer owes or will owe."""
        return self.committed + self.receivable

    @property
    def available(self) -> Money:
        """What is left of the limit; negative when over it."""
        return self.limit - self.exposure

    @property
    def exposure_after(self) -> Money:
        """The exposure once the order counts as it is to be: an order never counts twice."""
        return self.exposure - self.counted + self.order_open

    @property
    def available_after(self) -> Money:
        """What is left of the limit then; negative when over it."""
        return self.limit - self.exposure_after

    @property
    def share_percent(self) -> Decimal | None:
        """Its part of the exposure then, in percent; None where there is no exposure."""
        whole = self.exposure_after.minor
        if whole <= 0:
            return None
        return (Decimal(100) * self.order_open.minor / whole).quantize(Decimal("0.1"))


def open_amount(total: Money, invoiced: Money) -> Money:
    """What of an order is still to be invoiced."""
    return max(total - invoiced, Money.zero(total.currency))
