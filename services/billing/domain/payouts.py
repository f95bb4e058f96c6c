"""Payouts: what marketplaces and tills owe for sales whose buyers have paid them, and what they pay of it after their fees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.charging import Charges
from services.billing.domain.invoices import Settlement
from services.billing.domain.ledger import CASH, MARKETPLACE_CLEARING, MARKETPLACE_FEES, PAYOUT, Posting
from services.kernel.errors import Refused
from services.kernel.money import Money

OPEN, SETTLED, OVERPAID = "open", "settled", "overpaid"
SALE_STATUSES = frozenset({OPEN, SETTLED, OVERPAID})


@dataclass(frozen=True, slots=True)
class Sale:
    """What a channel owes for what was shipped under its reference, and what it has paid of that and kept.

    The order is the first one under the reference.
    """

    order_id: str
    order_number: str
    customer_id: str
    channel: str
    reference: str
    due: Money
    paid_out: Money
    fees: Money
    announced_fees: Money | None
    sold_at: datetime

    @property
    def open(self) -> Money:
        """What is still to come, before fees; negative when more came than was shipped."""
        return self.due - self.paid_out - self.fees

    @property
    def status(self) -> str:
        """open while something is to come, settled when nothing is, overpaid when more came than was shipped."""
        if not self.open.minor:
            return SETTLED
        return OPEN if self.open.minor > 0 else OVERPAID


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """What a payout pays of the sale with this reference, and the fees it keeps of it."""

    reference: str
    amount: Money
    fees: Money


@dataclass(frozen=True, slots=True)
class Payout:
    """Cash that a channel paid out. amount = sum of the lines - fees, which belong to no sale."""

    payout_id: str
    channel: str
    reference: str
    amount: Money
    fees: Money
    lines: tuple[PayoutLine, ...]
    recorded_at: datetime


def due_from_channel(charges: Charges, settlement: Settlement) -> Money:
    """What the channel owes for an invoice, before its fees: all of it but the tax that it remits itself."""
    return charges.total - charges.tax if settlement.is_tax_remitted else charges.total


def check_sum(amount: Money, fees: Money, lines: Sequence[PayoutLine]) -> None:
    """Refused when what the lines pay, less the fees of no sale, is not what was paid out."""
    paid = Money.total((line.amount for line in lines), amount.currency)
    if paid - fees != amount:
        raise Refused(
            "PAYOUT_SUM_WRONG",
            f"the sales come to {paid} and other fees to {fees}, which is not the {amount} paid out: check the statement",
        )


def check_repeat(earlier: Payout, asked: Payout) -> None:
    """Refused when a channel's payout reference comes back with other figures: it is another payout or a typing error."""
    same = (earlier.amount, earlier.fees, earlier.lines) == (asked.amount, asked.fees, asked.lines)
    if not same:
        raise Refused(
            "PAYOUT_REFERENCE_REUSED",
            f"payout {earlier.reference!r} of {earlier.channel} is recorded already, of {earlier.amount}: "
            "correct the reference or the figures",
        )


def payout_postings(payout: Payout, order_ids: Sequence[str]) -> tuple[Posting, ...]:
    """Cash in and fees kept, out of what the channel owes; fees of no sale are taken off the cash. Parts of zero post nothing.

    `order_ids` has the order of each line, empty for a sale that is not shipped yet.
    """
    postings = []
    for position, (line, order_id) in enumerate(zip(payout.lines, order_ids, strict=True), start=1):
        words = f"payout {payout.reference} of {payout.channel}: {line.reference}"
        sale = (PAYOUT, payout.payout_id)
        postings += [
            Posting(CASH, MARKETPLACE_CLEARING, line.amount, *sale, f"paid/{position}", order_id, words),
            Posting(MARKETPLACE_FEES, MARKETPLACE_CLEARING, line.fees, *sale, f"fees/{position}", order_id, words),
        ]
    words = f"payout {payout.reference} of {payout.channel}: other fees"
    postings.append(Posting(MARKETPLACE_FEES, CASH, payout.fees, PAYOUT, payout.payout_id, "fees", "", words))
    return tuple(posting for posting in postings if posting.amount.minor)
