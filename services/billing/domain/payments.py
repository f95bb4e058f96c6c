"""Payments: cash that arrives, what it pays, and what is left of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.billing.domain.invoices import Invoice
from services.kernel.errors import Refused
from services.kernel.money import Money

APPLIED, HELD, UNAPPLIED, REFUNDED, REVERSED = "applied", "held", "unapplied", "refunded", "reversed"
STATES = (APPLIED, HELD, UNAPPLIED, REFUNDED, REVERSED)
"""What may be said of a payment: all of it pays invoices, some is held for orders, pays nothing, went back, or all was reversed."""


@dataclass(frozen=True, slots=True)
class Application:
    """Part of a payment that pays an invoice, and the discount for paying early that goes with it."""

    invoice_id: str
    amount: Money
    discount: Money | None = None


@dataclass(frozen=True, slots=True)
class ForOrder:
    """Part of a payment that its payer means for one order: it pays the order's invoices, and what is left waits for the next."""

    order_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Deposit:
    """Cash held for one order: `amount` was given, `remaining` is not deducted from an invoice yet."""

    order_id: str
    amount: Money
    remaining: Money


def with_held(deposits: Sequence[Deposit], order_id: str, part: Money) -> tuple[Deposit, ...]:
    """What a payment holds for orders, with so much more for one."""
    known = next((one for one in deposits if one.order_id == order_id), None)
    if known is None:
        return (*deposits, Deposit(order_id, part, part))
    more = replace(known, amount=known.amount + part, remaining=known.remaining + part)
    return tuple(more if one is known else one for one in deposits)


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a payer says that a payment is for. What it leaves pays what is open, oldest due first, unless it is on account."""

    applications: tuple[Application, ...] = ()
    orders: tuple[ForOrder, ...] = ()
    is_on_account: bool = False


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a payment is used for: invoices it pays, orders it is held for, and what is left."""

    applications: tuple[Application, ...]
    deposits: tuple[Deposit, ...]
    unapplied: Money


@dataclass(frozen=True, slots=True)
class Payment:
    """Cash of a customer. amount = sum of the applications + what deposits have left + unapplied + returned, always.

    `returned` went back to the payer: refunds, or all of it once it is reversed. `asked_digest` is of what the payer asked for;
    empty for a payment from before it was kept. `revision` counts how often it was applied anew. It was recorded at `received_at`;
    its cash came on `received_on`, by which discounts for paying early go. `operation_id` is the capture that brought it, empty for
    cash; the provider kept `fee_minor` of it.
    """

    payment_id: str
    customer_id: str
    amount: Money
    reference: str
    applications: tuple[Application, ...]
    unapplied: Money
    received_at: datetime
    asked_digest: str = ""
    deposits: tuple[Deposit, ...] = ()
    is_on_account: bool = False
    returned: Money | None = None
    reversed_at: datetime | None = None
    revision: int = 0
    received_on: date = date.min
    operation_id: str = ""
    fee_minor: int = 0

    @property
    def discounts(self) -> Money:
        """The discounts that its applications take."""
        taken = (one.discount for one in self.applications if one.discount)
        return Money.total(taken, self.amount.currency)

    @property
    def is_by_card(self) -> bool:
        """Whether it was captured from a card."""
        return bool(self.operation_id)

    @property
    def is_reversed(self) -> bool:
        """Whether the bank returned it, or it was recorded by mistake."""
        return self.reversed_at is not None


def asked_digest(amount: Money, instruction: Instruction) -> str:
    """What a payer asks for, in short: the amount, and the invoices and orders it names, in whatever order."""
    named = sorted((one.invoice_id, one.amount.minor) for one in instruction.applications)
    asked: tuple[object, ...] = (amount.minor, amount.currency, named)
    if instruction.orders or instruction.is_on_account:
        orders = sorted((one.order_id, one.amount.minor) for one in instruction.orders)
        asked = (*asked, orders, instruction.is_on_account)
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def settles(invoice: Invoice, amount: Money, received_on: date) -> Application | None:
    """What settles an invoice with its discount for paying early; None when there is none to be had, or the amount is too small."""
    pays, offer = invoice.pays_early(received_on), invoice.offer
    if pays is None or offer is None or amount < pays:
        return None
    return Application(invoice.invoice_id, pays, offer.amount)


def oldest_first(amount: Money, invoices: Sequence[Invoice], received_on: date) -> tuple[Application, ...]:
    """Pay what is open by due date, then number and share, as far as the amount goes; none gets zero, and each at most one application.

    An invoice that can be settled with its discount for paying early is.
    """
    dues = [
        (due.due_on, one.number, one.share, one, part)
        for one in invoices
        for due, part in one.open_installments()
        if part.minor
    ]
    left, paid = amount, dict[str, Application]()
    for _, _, _, invoice, part in sorted(dues, key=lambda due: due[:3]):
        earlier = paid.get(invoice.invoice_id)
        early = None if earlier else settles(invoice, left, received_on)
        now = early or Application(invoice.invoice_id, min(left, part))
        if now.amount.minor and not (earlier and earlier.discount):
            paid[invoice.invoice_id] = replace(now, amount=now.amount + earlier.amount) if earlier else now
            left = left - now.amount
    return tuple(paid.values())


def spread(
    asked: Instruction, invoices: Mapping[str, Invoice], received_on: date
) -> tuple[Instruction, dict[str, Invoice]]:
    """What is given to consolidated invoices, given to their shares, and invoice id → invoice or share of what is named then.

    The share that falls due first gets it first, then that of the oldest order. One that is settled with its discount for paying
    early takes no more.
    """
    applications: list[Application] = []
    found: dict[str, Invoice] = {}
    for one in asked.applications:
        invoice = invoices[one.invoice_id]
        shares = invoice.shares or (invoice,)
        found |= {share.invoice_id: share for share in shares}
        applications += oldest_first(one.amount, shares, received_on) if invoice.shares else [one]
    given = tuple(replace(one, discount=None) for one in applications)
    return replace(asked, applications=given), found


def allocate(amount: Money, instruction: Instruction, invoices: Mapping[str, Invoice], received_on: date) -> Allocation:
    """What a payment pays: the invoices it names, then the orders it names, then what else is open, oldest due first.

    `invoices` is invoice id → invoice before the payment: those it names, those of its orders, and unless it is on account all
    that are open. One application an invoice and one deposit an order; the applications are those that check_applications() gave.
    What is named beyond what settles an invoice with its discount is left over.
    """
    used: dict[str, Application] = {}
    _add(used, [settles(invoices[one.invoice_id], one.amount, received_on) or one for one in instruction.applications])
    deposits: dict[str, Deposit] = {}
    for asked in instruction.orders:
        own = [one for one in _after(invoices, used) if one.order_id == asked.order_id]
        paid = _add(used, oldest_first(asked.amount, own, received_on))
        left = asked.amount - Money.total(paid, amount.currency)
        if left.minor:
            deposits[asked.order_id] = Deposit(asked.order_id, left, left)
    held = Money.total((one.amount for one in deposits.values()), amount.currency)
    left = amount - held - Money.total((one.amount for one in used.values()), amount.currency)
    if not instruction.is_on_account:
        left = left - Money.total(_add(used, oldest_first(left, _after(invoices, used), received_on)), amount.currency)
    return Allocation(tuple(used.values()), tuple(deposits.values()), left)


def _after(invoices: Mapping[str, Invoice], used: Mapping[str, Application]) -> list[Invoice]:
    return [
        one.with_paid(used[key].amount, used[key].discount) if key in used else one for key, one in invoices.items()
    ]


def _add(used: dict[str, Application], more: Sequence[Application]) -> list[Money]:
    """Add applications to those of the same invoices; the amounts of the new ones."""
    for one in more:
        earlier = used.get(one.invoice_id)
        used[one.invoice_id] = replace(one, amount=one.amount + earlier.amount) if earlier else one
    return [one.amount for one in more]


def check_instruction(
    customer_id: str, amount: Money, asked: Instruction, invoices: Mapping[str, Invoice]
) -> Instruction:
    """What the payer asked for, one application an invoice and one part an order, in the order given, when it holds.

    `invoices` is invoice id → invoice and has every named one. Refused when an invoice is another customer's, when more is
    applied than is open on it, or when invoices and orders together come to more than was paid.
    """
    sums: dict[str, Money] = {}
    for application in asked.applications:
        earlier = sums.get(application.invoice_id, Money.zero(amount.currency))
        sums[application.invoice_id] = earlier + application.amount
    for invoice_id, applied in sums.items():
        _check_application(customer_id, invoices[invoice_id], applied)
    orders: dict[str, Money] = {}
    for one in asked.orders:
        orders[one.order_id] = orders.get(one.order_id, Money.zero(amount.currency)) + one.amount
    applied_in_all = Money.total([*sums.values(), *orders.values()], amount.currency)
    if applied_in_all > amount:
        raise Refused(
            "PAYMENT_OVERAPPLIED", f"{applied_in_all} is applied of a payment of {amount}: apply at most what was paid"
        )
    return Instruction(
        tuple(Application(invoice_id, applied) for invoice_id, applied in sums.items()),
        tuple(ForOrder(order_id, part) for order_id, part in orders.items()),
        asked.is_on_account,
    )


def _check_application(customer_id: str, invoice: Invoice, applied: Money) -> None:
    if invoice.customer_id != customer_id:
        raise Refused(
            "INVOICE_OF_ANOTHER_CUSTOMER",
            f"invoice {invoice.number} is not this customer's: apply to their own invoices",
        )
    if invoice.total.currency != applied.currency:
        raise Refused(
            "INVOICE_CURRENCY_DIFFERS",
            f"invoice {invoice.number} is in {invoice.total.currency}: pay it in its own currency",
        )
    if applied > invoice.open:
        raise Refused(
            "INVOICE_OVERPAID",
            f"invoice {invoice.number} has {invoice.open} open: apply at most that and leave the rest unapplied",
        )


def check_repeat(payment: Payment, amount: Money, asked: Instruction, received_on: date, order_id: str) -> None:
    """Refused when a bank reference of a customer comes back with another amount or day, or for other invoices or orders.

    It is another payment or a typing error. `order_id` is the order of an invoice that was paid, empty for none.
    """
    is_same = payment.asked_digest in ("", asked_digest(amount, asked))
    if payment.amount != amount or not is_same or received_on != payment.received_on:
        raise Refused(
            "PAYMENT_REFERENCE_REUSED",
            f"reference {payment.reference!r} is a payment of {payment.amount} of {payment.received_on} already: correct the "
            "reference, the amount, the day or what it pays, or reverse that payment and record it anew",
            order_id=order_id,
        )


def check_free_reference(payment: Payment, earlier: Payment | None) -> None:
    """Refused when the customer that a payment moves to has a payment under its bank reference: `earlier`."""
    if earlier is not None:
        raise Refused(
            "PAYMENT_REFERENCE_REUSED",
            f"the other customer has a payment of {earlier.amount} under reference {payment.reference!r}: reverse one that was "
            "recorded twice, or reverse this one and record it for that customer under a reference of its own",
            order_id="",
        )


def check_reversible(payment: Payment) -> None:
    """Refused once something of it was refunded, and for a card: what goes back to a payer goes back once, and to its card there."""
    if payment.is_by_card:
        raise Refused(
            "PAYMENT_BY_CARD",
            f"payment {payment.reference!r} came from a card: take it off its invoices and refund it instead",
        )
    if payment.returned is not None and payment.returned.minor and not payment.is_reversed:
        raise Refused(
            "PAYMENT_REFUNDED",
            f"{payment.returned} of payment {payment.reference!r} was refunded: record what the bank took as a payment of its own",
        )


def check_current(payment: Payment) -> None:
    """Refused for a payment that was reversed: there is nothing left of it to move or to refund."""
    if payment.is_reversed:
        raise Refused("PAYMENT_REVERSED", f"payment {payment.reference!r} was reversed: record the new one instead")


def check_refund(payment: Payment, amount: Money, order_id: str) -> None:
    """Refused when a refund exceeds what the payment has left: of the order's deposit when one is named, else unapplied."""
    check_current(payment)
    if amount.currency != payment.amount.currency:
        raise Refused(
            "REFUND_CURRENCY_DIFFERS", f"the payment is in {payment.amount.currency}: refund it in that currency"
        )
    left = next((one.remaining for one in payment.deposits if one.order_id == order_id), None)
    if not order_id:
        left = payment.unapplied
    if left is None or amount > left:
        raise Refused(
            "REFUND_EXCEEDS_CASH",
            f"{left or Money.zero(amount.currency)} of payment {payment.reference!r} is there to be refunded: "
            "take it off its invoices first, or refund less",
        )
