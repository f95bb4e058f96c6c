"""The ledger: which transfer between which two accounts each business event posts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.invoices import Invoice, Settlement
from services.billing.domain.payments import Application, Payment
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money

CASH = "cash"
RECEIVABLE = "accounts_receivable"
INVENTORY = "inventory"
GRNI = "goods_received_not_invoiced"
TAX_PAYABLE = "tax_payable"
UNAPPLIED_CASH = "unapplied_cash"
MARKETPLACE_CLEARING = "marketplace_clearing"
MARKETPLACE_FEES = "marketplace_fees"
CUSTOMER_DEPOSITS = "customer_deposits"
TAX_ON_DEPOSITS = "tax_on_deposits"
DEFERRED_REVENUE = "deferred_revenue"
FEE_INCOME = "fee_income"
REVENUE = "revenue"
FREIGHT_REVENUE = "freight_revenue"
SALES_DISCOUNTS = "sales_discounts"
SALES_RETURNS = "sales_returns"
BAD_DEBT = "bad_debt"
COGS = "cost_of_goods_sold"
SHRINKAGE = "shrinkage"
CARD_FEES = "card_fees"
REFUNDS_PAYABLE = "refunds_payable"
QUARANTINED = "inventory_in_quarantine"
INVENTORY_WRITE_OFFS = "inventory_write_offs"
VENDOR_CLAIMS = "vendor_claims"

ACCOUNTS = (
    CASH,
    RECEIVABLE,
    MARKETPLACE_CLEARING,
    INVENTORY,
    QUARANTINED,
    VENDOR_CLAIMS,
    GRNI,
    TAX_PAYABLE,
    UNAPPLIED_CASH,
    CUSTOMER_DEPOSITS,
    TAX_ON_DEPOSITS,
    REFUNDS_PAYABLE,
    DEFERRED_REVENUE,
    REVENUE,
    FREIGHT_REVENUE,
    FEE_INCOME,
    SALES_DISCOUNTS,
    SALES_RETURNS,
    COGS,
    INVENTORY_WRITE_OFFS,
    MARKETPLACE_FEES,
    SHRINKAGE,
    CARD_FEES,
    BAD_DEBT,
)
"""Every account, assets first."""

INVOICE, PAYMENT, STOCK_MOVEMENT, PAYOUT = "invoice", "payment", "stock_movement", "payout"
CREDIT_NOTE, WRITE_OFF, SHIPMENT, DEPOSIT_INVOICE = "credit_note", "write_off", "shipment", "deposit_invoice"
SOURCE_TYPES = (INVOICE, PAYMENT, STOCK_MOVEMENT, PAYOUT, CREDIT_NOTE, WRITE_OFF, SHIPMENT, DEPOSIT_INVOICE)


@dataclass(frozen=True, slots=True)
class Posting:
    """One transfer: debit one account, credit another, by a positive amount.

    (source_type, source_id, event) is unique in the books, so a replay posts nothing.
    """

    debit: str
    credit: str
    amount: Money
    source_type: str
    source_id: str
    event: str
    order_id: str
    memo: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A posting in the books; entry ids rise."""

    entry_id: int
    posting: Posting
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """All debits and all credits of an account in one currency."""

    account: str
    debit: Money
    credit: Money


@dataclass(frozen=True, slots=True)
class Movement:
    """A stock movement's value as inventory tells it: positive, but for stock_adjusted, which carries its sign."""

    fact_id: str
    kind: str
    order_id: str
    warehouse_id: str
    sku: str
    quantity: int
    value: Money


def invoice_postings(invoice: Invoice, settlement: Settlement | None = None) -> tuple[Posting, ...]:
    """What the customer owes, by what it is owed for; parts of zero post nothing.

    Where a marketplace or a till has the money, it owes that, less the tax that it remits itself, which is not ours. What is invoiced
    at order is no revenue before it ships. A fee is income of its own.
    """
    goods = DEFERRED_REVENUE if invoice.is_at_order else FEE_INCOME if invoice.fee_id else REVENUE
    words = "cancellation fee" if invoice.fee_id else "goods and services"
    is_tax_ours = settlement is None or not settlement.is_tax_remitted
    parts = (
        (goods, invoice.charges.net, "revenue", words),
        (DEFERRED_REVENUE if invoice.is_at_order else FREIGHT_REVENUE, invoice.charges.freight, "freight", "freight"),
        (TAX_PAYABLE, invoice.charges.tax if is_tax_ours else Money.zero(invoice.total.currency), "tax", "tax"),
    )
    return tuple(
        Posting(
            RECEIVABLE if settlement is None else MARKETPLACE_CLEARING,
            account,
            amount,
            INVOICE,
            invoice.invoice_id,
            event,
            invoice.order_id,
            f"{invoice.number} for {invoice.order_number}: {what}",
        )
        for account, amount, event, what in parts
        if amount.minor
    )


def payment_postings(payment: Payment, invoices: Mapping[str, Invoice]) -> tuple[Posting, ...]:
    """Cash in: one transfer an invoice it pays, one an order it is held for, one for what is left, and one a discount it takes.

    `invoices` is invoice id → invoice.
    """
    return (*_postings(payment, invoices, CASH, "applied", is_taken=False), *_discounts(payment, invoices))


def taken_postings(payment: Payment, invoices: Mapping[str, Invoice], to: str, event: str) -> tuple[Posting, ...]:
    """Everything a payment was used for, taken back into an account: cash when it is reversed, unapplied cash when it moves.

    The discount that was taken on an invoice goes with whatever paid it.
    """
    lost = tuple(
        _discount_posting(payment, invoice, invoice.discount_taken, event, is_lost=True)
        for invoice in (invoices[one.invoice_id] for one in payment.applications)
        if invoice.discount_taken and invoice.discount_taken.minor
    )
    rows = _postings(payment, invoices, to, event, is_taken=True)
    return (*(each for each in rows if each.debit != each.credit), *lost)


def moved_postings(payment: Payment, invoices: Mapping[str, Invoice]) -> tuple[Posting, ...]:
    """Unapplied cash put to another use."""
    rows = _postings(payment, invoices, UNAPPLIED_CASH, "applied", is_taken=False)
    return (*(each for each in rows if each.debit != each.credit), *_discounts(payment, invoices))


def refund_posting(payment: Payment, amount: Money, order_id: str, request_id: str) -> Posting:
    """Cash that goes back to its payer."""
    debit = CUSTOMER_DEPOSITS if order_id else UNAPPLIED_CASH
    memo = f"payment {payment.reference}: refunded"
    return Posting(debit, CASH, amount, PAYMENT, payment.payment_id, f"refunded/{request_id}", order_id, memo)


def freed_posting(payment: Payment, amount: Money, order_id: str, request_id: str) -> Posting:
    """Cash that was held for an order which comes to less by now: it is the customer's, for nothing in particular."""
    memo = f"payment {payment.reference}: the order comes to less"
    return Posting(
        CUSTOMER_DEPOSITS, UNAPPLIED_CASH, amount, PAYMENT, payment.payment_id, f"freed/{request_id}", order_id, memo
    )


def netted_posting(payment: Payment, amount: Money, order_id: str, request_id: str) -> Posting:
    """Cash on account that a return left: it is held for the order that replaces the goods."""
    memo, event = f"payment {payment.reference}: held for what replaces returned goods", f"netted/{request_id}"
    return Posting(UNAPPLIED_CASH, CUSTOMER_DEPOSITS, amount, PAYMENT, payment.payment_id, event, order_id, memo)


def owed_posting(payment: Payment, amount: Money, held_for: str, order_id: str, refund_id: str) -> Posting:
    """Cash that is owed back to the card it came from: what was `held_for` an order, or on account where that is empty."""
    debit = CUSTOMER_DEPOSITS if held_for else UNAPPLIED_CASH
    memo, event = f"payment {payment.reference}: owed back to its card", f"refund owed/{refund_id}"
    return Posting(debit, REFUNDS_PAYABLE, amount, PAYMENT, payment.payment_id, event, order_id, memo)


def refund_paid_posting(payment: Payment, amount: Money, order_id: str, event: str) -> Posting:
    """What was owed back is paid; `event` is by what, once."""
    memo, key = f"payment {payment.reference}: the refund is paid", f"refund paid/{event}"
    return Posting(REFUNDS_PAYABLE, CASH, amount, PAYMENT, payment.payment_id, key, order_id, memo)


def refund_came_back_posting(payment: Payment, amount: Money, order_id: str, operation_id: str) -> Posting:
    """What was paid back to a card has come back from there, and is owed again."""
    memo, key = f"payment {payment.reference}: the refund came back from its card", f"refund back/{operation_id}"
    return Posting(CASH, REFUNDS_PAYABLE, amount, PAYMENT, payment.payment_id, key, order_id, memo)


def fee_posting(payment: Payment, fee: Money, order_id: str) -> Posting:
    """What the provider keeps of a capture: the cash that comes is less by it."""
    memo = f"payment {payment.reference}: the provider's fee"
    return Posting(CARD_FEES, CASH, fee, PAYMENT, payment.payment_id, "fee", order_id, memo)


def refund_taken_back_posting(payment: Payment, amount: Money, order_id: str, request_id: str) -> Posting:
    """Cash that could not go back to its card is here again, for nothing in particular."""
    memo = f"payment {payment.reference}: its refund did not reach the card"
    event = f"refund failed/{request_id}"
    return Posting(CASH, UNAPPLIED_CASH, amount, PAYMENT, payment.payment_id, event, order_id, memo)


def drawn_postings(payment: Payment, invoice: Invoice, application: Application) -> tuple[Posting, ...]:
    """Cash that lay unapplied pays an invoice issued after it came."""
    return _application(UNAPPLIED_CASH, payment, invoice, application, f"drawn/{payment.unapplied.minor}")


def deducted_postings(payment: Payment, invoice: Invoice, application: Application) -> tuple[Posting, ...]:
    """Cash held for an order is deducted from its invoice."""
    held = next(one.remaining for one in payment.deposits if one.order_id == invoice.order_id)
    return _application(CUSTOMER_DEPOSITS, payment, invoice, application, f"deducted/{held.minor}")


def _discounts(payment: Payment, invoices: Mapping[str, Invoice]) -> tuple[Posting, ...]:
    """The discounts for paying early that go with what a payment pays."""
    return tuple(
        _discount_posting(payment, invoices[one.invoice_id], one.discount, "applied")
        for one in payment.applications
        if one.discount
    )


def _discount_posting(
    payment: Payment, invoice: Invoice, amount: Money, event: str, *, is_lost: bool = False
) -> Posting:
    """A discount that is given with a payment, or that goes when the payment is taken back."""
    debit, credit = (RECEIVABLE, SALES_DISCOUNTS) if is_lost else (SALES_DISCOUNTS, RECEIVABLE)
    words = f"payment {payment.reference}, {event}: discount for paying {invoice.number} early"
    key = _event(payment, f"discount/{event}", invoice.invoice_id)
    return Posting(debit, credit, amount, PAYMENT, payment.payment_id, key, invoice.order_id, words)


def _postings(
    payment: Payment, invoices: Mapping[str, Invoice], account: str, event: str, *, is_taken: bool
) -> tuple[Posting, ...]:
    """What a payment is used for, against an account: out of it, or back into it."""
    parts = [
        *(
            (RECEIVABLE, one.amount, invoices[one.invoice_id].order_id, one.invoice_id, invoices[one.invoice_id].number)
            for one in payment.applications
        ),
        *(
            (CUSTOMER_DEPOSITS, one.remaining, one.order_id, one.order_id, "an order's deposit")
            for one in payment.deposits
        ),
        (UNAPPLIED_CASH, payment.unapplied, "", "rest", "not applied to an invoice"),
    ]
    return tuple(
        Posting(
            other if is_taken else account,
            account if is_taken else other,
            amount,
            PAYMENT,
            payment.payment_id,
            _event(payment, event, subject),
            order_id,
            f"payment {payment.reference}, {event}: {words}",
        )
        for other, amount, order_id, subject, words in parts
        if amount.minor
    )


def _application(
    debit: str, payment: Payment, invoice: Invoice, application: Application, event: str
) -> tuple[Posting, ...]:
    paid = Posting(
        debit,
        RECEIVABLE,
        application.amount,
        PAYMENT,
        payment.payment_id,
        _event(payment, event, invoice.invoice_id),
        invoice.order_id,
        f"payment {payment.reference} for {invoice.number}",
    )
    if not application.discount:
        return (paid,)
    return (paid, _discount_posting(payment, invoice, application.discount, event))


def _event(payment: Payment, event: str, subject: str) -> str:
    """Unique of a payment; one that was moved posts the like again, under its revision.

    Between two revisions cash only goes out: what was left before tells two drawings for one invoice apart.
    """
    return f"{event}/{payment.revision}/{subject}" if payment.revision else f"{event}/{subject}"


def movement_posting(movement: Movement) -> Posting | None:
    """Goods in, goods out or a count that differed; None when it has no value. Raises for a kind or sign that cannot be."""
    debit, credit, words = _sides(movement)
    amount = movement.value if movement.value.minor > 0 else -movement.value
    if not amount.minor:
        return None
    return Posting(
        debit,
        credit,
        amount,
        STOCK_MOVEMENT,
        movement.fact_id,
        movement.kind,
        movement.order_id,
        f"{words}: {abs(movement.quantity)} {movement.sku} at {movement.warehouse_id}",
    )


def _sides(movement: Movement) -> tuple[str, str, str]:
    """Debit, credit and the words of a movement."""
    is_negative = movement.value.minor < 0
    if (movement.kind, is_negative) in _SIDES:
        return _SIDES[movement.kind, is_negative]
    kinds = sorted({kind for kind, _ in _SIDES})
    if movement.kind not in kinds:
        raise InvalidArgument(
            "MOVEMENT_KIND_UNKNOWN", f"the ledger posts {', '.join(kinds)}, not {movement.kind[:40]!r}"
        )
    raise InvalidArgument(
        "MOVEMENT_VALUE_NEGATIVE", f"a {movement.kind} has a value of {movement.value}: send it positive"
    )


_SIDES: Mapping[tuple[str, bool], tuple[str, str, str]] = {
    ("stock_received", False): (INVENTORY, GRNI, "received"),
    ("stock_issued", False): (COGS, INVENTORY, "issued"),
    ("stock_issue_reversed", False): (INVENTORY, COGS, "had not left"),
    ("stock_adjusted", True): (SHRINKAGE, INVENTORY, "counted short"),
    ("stock_adjusted", False): (INVENTORY, SHRINKAGE, "counted over"),
    ("stock_returned", False): (INVENTORY, COGS, "came back"),
    ("stock_scrapped", False): (INVENTORY_WRITE_OFFS, COGS, "came back to scrap"),
    ("stock_quarantined", False): (QUARANTINED, COGS, "came back into quarantine"),
    ("damage_quarantined", False): (QUARANTINED, SHRINKAGE, "damaged, kept in quarantine"),
    ("stock_returned_to_vendor", False): (VENDOR_CLAIMS, COGS, "came back and went to the vendor"),
    ("quarantine_released", False): (INVENTORY, QUARANTINED, "left quarantine for stock"),
    ("quarantine_scrapped", False): (INVENTORY_WRITE_OFFS, QUARANTINED, "left quarantine for scrap"),
    ("quarantine_returned_to_vendor", False): (VENDOR_CLAIMS, QUARANTINED, "left quarantine for the vendor"),
}
"""(kind, whether the value is negative) → debit, credit, words."""
