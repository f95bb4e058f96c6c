"""Credit: what a customer may owe, what is committed to accepted orders, and how an order counts once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.billing.domain.cards import CardMoney
from services.kernel.errors import Refused
from services.kernel.money import Money

TERMS, PREPAID, DEPOSIT, CARD = "terms", "prepaid", "deposit", "card"
CASH_ON_DELIVERY, SETTLED_ELSEWHERE, EXCHANGED = "cod", "settled_elsewhere", "exchange"
PAYMENT_METHODS = frozenset({TERMS, PREPAID, CARD, DEPOSIT, CASH_ON_DELIVERY, SETTLED_ELSEWHERE, EXCHANGED})


@dataclass(frozen=True, slots=True)
class OverdueRule:
    """A customer that owes at least `least` on invoices overdue by more than `days` gets no more credit."""

    days: int
    least: Money

    def stops(self, overdue: Money) -> bool:
        """Whether it stops credit with this much overdue."""
        return bool(overdue.minor) and overdue >= self.least


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """Whose limit an account counts in too, what overdue invoices stop, and whether what fits of an order ships, the rest waiting.

    `changed_by` put them last; empty when nobody did.
    """

    parent_id: str = ""
    overdue_rule: OverdueRule | None = None
    ships_what_fits: bool = False
    changed_by: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's credit in one currency.

    `receivable` is open invoices less unapplied cash and deposits, so it may be negative. `paid_ahead` is what is held for orders
    beyond what they have committed: it pays those orders and lets the customer owe no more for others.

    A customer with a parent counts in the parent's limit too. All accounts under one topmost parent are a family, named by it; one
    without a parent is its own.
    """

    customer_id: str
    limit: Money
    committed: Money
    receivable: Money
    paid_ahead: Money
    family_id: str = ""
    has_family: bool = False
    terms: CreditTerms = CreditTerms()

    @classmethod
    def unknown(cls, customer_id: str, currency: str) -> "Account":
        """A customer nobody has given credit: everything is zero."""
        zero = Money.zero(currency)
        return cls(customer_id, zero, zero, zero, zero)

    @property
    def exposure(self) -> Money:
        """What the customer owes or will owe: accepted orders not yet invoiced, and open invoices less cash that may pay them."""
        return self.committed + self.receivable + self.paid_ahead

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
    payment_method: str
    deposit: Money


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """What an order asks of its customer's money: `deposit` is what of its amount must be here before goods leave.

    `least` is the least part of it that is of use where only a part has room; None while nobody has said.
    """

    order_id: str
    customer_id: str
    amount: Money
    payment_method: str
    deposit: Money
    least: Money | None = None

    @property
    def counted(self) -> Money:
        """What of it is committed: nothing of an order whose goods are handed over for cash or for others, or that was paid elsewhere."""
        is_free = self.payment_method in (CASH_ON_DELIVERY, SETTLED_ELSEWHERE, EXCHANGED)
        return Money.zero(self.amount.currency) if is_free else self.amount


@dataclass(frozen=True, slots=True)
class OrderCash:
    """Cash of one order: `held` for it, and `paid` on its invoices, which what comes for the order pays first.

    `spared` is what need not come any more of what was invoiced: it is credited or given up.
    """

    held: Money
    paid: Money
    spared: Money

    @property
    def given(self) -> Money:
        """All that has come for the order."""
        return self.held + self.paid


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that no money covers yet, or only `is_in_part`, so that the rest waits: what it asked, and since when."""

    request: CreditRequest
    waiting_since: datetime
    is_in_part: bool = False

    @property
    def currency(self) -> str:
        """That of all its amounts."""
        return self.request.amount.currency


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to CommitCredit and AdjustCredit, with the account as it stood before it, and how the order's card stands.

    It `asks_for_order` where a part may be granted and nobody has said from what on it is of use.
    """

    is_granted: bool
    exposure: Money
    limit: Money
    card: str = ""
    asks_for_order: bool = False


def missing_cash(request: CreditRequest, cash: OrderCash) -> Money:
    """What must still come for an order before its goods leave: of its whole amount when it is prepaid, else of its deposit."""
    zero = Money.zero(request.amount.currency)
    wanted = {PREPAID: request.amount, DEPOSIT: request.deposit}.get(request.payment_method, zero)
    return max(wanted - cash.given - cash.spared, zero)


def is_on_terms(payment_method: str) -> bool:
    """Whether invoices fall due by the customer's terms: what a deposit leaves of one does, everything else is due at once."""
    return payment_method in (TERMS, DEPOSIT)


def counts_against_limit(payment_method: str) -> bool:
    """Whether an order needs room under the credit limit; one that is paid ahead in full or by card needs none."""
    return payment_method not in (PREPAID, CARD)


def counts_as_committed(payment_method: str) -> bool:
    """Whether what an order commits is part of its customer's exposure; what is authorized on a card is not."""
    return payment_method != CARD


def room(family: Sequence[Account], customer_id: str) -> Money:
    """How much more a customer's limit and those of all its parents let it owe: each counts all accounts under it. Negative when over.

    `family` has the account of every member in the currency, the customer's too.
    """
    members = {account.customer_id: account for account in family}
    exposed = {name: account.limit - account.limit for name, account in members.items()}
    for account in family:
        for name in chain(members, account.customer_id):
            exposed[name] += account.exposure
    return min(members[name].limit - exposed[name] for name in chain(members, customer_id))


def chain(members: Mapping[str, Account], customer_id: str) -> tuple[str, ...]:
    """A customer and its parents, up to the topmost one."""
    found = [customer_id]
    while parent := members[found[-1]].terms.parent_id:
        found.append(parent)
    return tuple(found)


def check_parent(customer_id: str, parent_id: str, family: Mapping[str, Account]) -> None:
    """Refused when a parent would be under its own customer, or has no account; `family` is the parent's."""
    if parent_id not in family:
        raise Refused(
            "PARENT_WITHOUT_CREDIT", f"{parent_id} has no credit account in this currency: give it a limit first"
        )
    if customer_id in chain(family, parent_id):
        raise Refused("PARENT_UNDER_ITSELF", f"{parent_id} is {customer_id} or under it: name another parent")


def check_account(held: Commitment | None, customer_id: str, currency: str) -> None:
    """Refuse what would move one customer's credit for an order that another one, or another currency, is committed for."""
    if held is not None and (held.customer_id, held.amount.currency) != (customer_id, currency):
        raise Refused(
            "ORDER_OF_ANOTHER_ACCOUNT",
            f"order {held.order_id} is committed to {held.customer_id} in {held.amount.currency}, "
            f"not to {customer_id} in {currency}: name its own account",
        )


def on_its_terms(request: CreditRequest, held: Commitment | None) -> CreditRequest:
    """A changed order by card that was committed to its customer's credit goes on so while that is in force, and one on a card there.

    What it has committed counts in the exposure or does not, and a change alters neither.
    """
    if held is None or held.is_released:
        return request
    is_alike = counts_as_committed(held.payment_method) == counts_as_committed(request.payment_method)
    return request if is_alike else replace(request, payment_method=held.payment_method)


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


CREDIT, REST, CASH, OVERDUE = "credit", "rest", "cash", "overdue"
"""What an order waits on before its goods leave; of one that waits for credit for the rest of it, what fits may."""


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order that waits, the cash that has come for it, and whether its customer gets no credit because of overdue invoices."""

    waiting: Waiting
    cash: OrderCash
    is_stopped: bool

    @property
    def missing(self) -> Money:
        """What of the order's own cash has not come yet; zero for one that waits for something else."""
        return missing_cash(self.waiting.request, self.cash)

    @property
    def waiting_on(self) -> str:
        """card, cash, overdue invoices of its customer, credit, or credit for the rest of it."""
        if self.waiting.request.payment_method == CARD:
            return CARD
        if self.missing.minor:
            return CASH
        if self.is_stopped:
            return OVERDUE
        return REST if self.waiting.is_in_part else CREDIT


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """One order's money, from what is committed to what is paid and given for paying early; `missing` is the cash that must still come for it.

    `is_stopped` says that its customer gets no credit because of overdue invoices.
    """

    committed: Money
    held: Money
    invoiced: Money
    paid: Money
    card: CardMoney
    waiting: Waiting | None = None
    is_stopped: bool = False
    discount_taken: Money | None = None
    credited: Money | None = None
    written_off: Money | None = None

    @property
    def missing(self) -> Money:
        """What of the order's own cash has not come yet; zero for an order that waits for credit alone, or for nothing."""
        if self.waiting is None:
            return Money.zero(self.held.currency)
        return missing_cash(self.waiting.request, self._cash)

    @property
    def waiting_on(self) -> str:
        """As WaitingOrder says it; empty for nothing."""
        if self.waiting is None:
            return ""
        return WaitingOrder(self.waiting, self._cash, self.is_stopped).waiting_on

    @property
    def _cash(self) -> OrderCash:
        zero = Money.zero(self.held.currency)
        return OrderCash(self.held, self.paid, (self.credited or zero) + (self.written_off or zero))
