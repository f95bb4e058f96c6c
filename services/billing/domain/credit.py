"""Credit: what a customer may owe, what is committed to accepted orders, and how an order counts once."""

from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.cards import CardMoney
from services.kernel.errors import Refused
from services.kernel.money import Money

TERMS, PREPAID, DEPOSIT, CARD = "terms", "prepaid", "deposit", "card"
PAYMENT_METHODS = frozenset({TERMS, PREPAID, CARD, DEPOSIT})


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's credit in one currency. `receivable` is open invoices less unapplied cash, so it may be negative."""

    customer_id: str
    limit: Money
    committed: Money
    receivable: Money

    @classmethod
    def unknown(cls, customer_id: str, currency: str) -> "Account":
        """A customer nobody has given credit: everything is zero."""
        zero = Money.zero(currency)
        return cls(customer_id, zero, zero, zero)

    @property
    def exposure(self) -> Money:
        """What the customer owes or will owe: accepted orders not yet invoiced, and open invoices less unapplied cash."""
        return self.committed + self.receivable

    @property
    def headroom(self) -> Money:
        """What is left of the limit; negative when over it."""
        return self.limit - self.exposure


@dataclass(frozen=True, slots=True)
class Commitment:
    """What one order has committed. amount = remaining + invoiced + released, always."""

    order_id: str
    customer_id: str
    amount: Money
    remaining: Money
    invoiced: Money
    released: Money
    is_released: bool
    payment_method: str = TERMS
    deposit: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """What an order asks of its customer's money: `deposit` is what of its amount must be here before goods leave."""

    order_id: str
    customer_id: str
    amount: Money
    payment_method: str
    deposit: Money


@dataclass(frozen=True, slots=True)
class OrderCash:
    """Cash that names one order: `given` in all, `held` of it not deducted from an invoice yet."""

    given: Money
    held: Money


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that no money covers yet: what it asked, and since when."""

    request: CreditRequest
    waiting_since: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to CommitCredit and AdjustCredit, with the account as it stood before it, and how the order's card stands."""

    is_granted: bool
    exposure: Money
    limit: Money
    card: str = ""


def is_paid_ahead(request: CreditRequest, adding: Money, cash: OrderCash) -> bool:
    """Whether the cash that names the order is what its payment method wants before goods leave.

    A prepaid order is paid in full by it, `adding` being what is not invoiced yet; a deposit is down once it was given.
    """
    if request.payment_method == PREPAID:
        return cash.held >= adding
    return request.payment_method != DEPOSIT or cash.given >= request.deposit


def counts_against_limit(payment_method: str) -> bool:
    """Whether an order needs room under the credit limit; one that is paid ahead in full or by card needs none."""
    return payment_method not in (PREPAID, CARD)


def counts_as_committed(payment_method: str) -> bool:
    """Whether what an order commits is part of its customer's exposure; what is authorized on a card is not."""
    return payment_method != CARD


def check_account(held: Commitment | None, customer_id: str, currency: str) -> None:
    """Refuse what would move one customer's credit for an order that another one, or another currency, is committed for."""
    if held is not None and (held.customer_id, held.amount.currency) != (customer_id, currency):
        raise Refused(
            "ORDER_OF_ANOTHER_ACCOUNT",
            f"order {held.order_id} is committed to {held.customer_id} in {held.amount.currency}, "
            f"not to {customer_id} in {currency}: name its own account",
        )


def amount_to_commit(asked: Money, earlier: Commitment | None) -> Money | None:
    """How much an order is still to commit; None when it has an active commitment already and must not count twice.

    After a release (the order was reopened) what was invoiced of it counts as receivable already, so only the rest commits.
    """
    if earlier is None:
        return asked
    if not earlier.is_released:
        return None
    return max(asked - earlier.invoiced, Money.zero(asked.currency))


def amount_to_adjust(total: Money, invoiced: Money, earlier: Commitment | None) -> Money:
    """What a changed order commits more (negative: less), so that its new total less what is invoiced remains committed."""
    zero = Money.zero(total.currency)
    return max(total - invoiced, zero) - (earlier.remaining if earlier else zero)


def moved_by_invoice(commitment: Commitment | None, invoice_total: Money) -> Money:
    """How much of an order's commitment turns into receivable with an invoice, so that the order counts once."""
    if commitment is None:
        return Money.zero(invoice_total.currency)
    return min(commitment.remaining, invoice_total)


CREDIT, CASH = "credit", "cash"  # and CARD
"""What an order waits on before its goods leave."""


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """One order's money, from what is committed to what is paid; `missing` is the cash that must still come for it."""

    committed: Money
    held: Money
    invoiced: Money
    paid: Money
    card: CardMoney
    waiting: Waiting | None = None

    @property
    def missing(self) -> Money:
        """What of the order's own cash has not come yet; zero for an order that waits for credit alone, or for nothing."""
        zero = Money.zero(self.held.currency)
        if self.waiting is None:
            return zero
        asked = self.waiting.request
        wanted = asked.amount - self.invoiced if asked.payment_method == PREPAID else asked.deposit
        return max(wanted - self.held, zero)

    @property
    def waiting_on(self) -> str:
        """cash, credit, card, or nothing."""
        if self.waiting is None:
            return ""
        if self.waiting.request.payment_method == CARD:
            return CARD
        return CASH if self.missing.minor else CREDIT
