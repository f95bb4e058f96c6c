"""The ledger: which transfer between which two accounts each business event posts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money

CASH = "cash"
RECEIVABLE = "accounts_receivable"
INVENTORY = "inventory"
GRNI = "goods_received_not_invoiced"
TAX_PAYABLE = "tax_payable"
UNAPPLIED_CASH = "unapplied_cash"
REVENUE = "revenue"
FREIGHT_REVENUE = "freight_revenue"
COGS = "cost_of_goods_sold"
SHRINKAGE = "shrinkage"

ACCOUNTS = (
    CASH,
    RECEIVABLE,
    INVENTORY,
    GRNI,
    TAX_PAYABLE,
    UNAPPLIED_CASH,
    REVENUE,
    FREIGHT_REVENUE,
    COGS,
    SHRINKAGE,
)
"""Every account, assets first."""

INVOICE, PAYMENT, STOCK_MOVEMENT = "invoice", "payment", "stock_movement"
SOURCE_TYPES = (INVOICE, PAYMENT, STOCK_MOVEMENT)


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


def invoice_postings(invoice: Invoice) -> tuple[Posting, ...]:
    """What the customer owes, by what it is owed for; parts of zero post nothing."""
    parts = (
        (REVENUE, invoice.charges.net, "revenue", "goods and services"),
        (FREIGHT_REVENUE, invoice.charges.freight, "freight", "freight"),
        (TAX_PAYABLE, invoice.charges.tax, "tax", "tax"),
    )
    return tuple(
        Posting(
            RECEIVABLE,
            account,
            amount,
            INVOICE,
            invoice.invoice_id,
            event,
            invoice.order_id,
            f"{invoice.number} for {invoice.order_number}: {words}",
        )
        for account, amount, event, words in parts
        if amount.minor
    )


def payment_postings(payment: Payment, invoices: Mapping[str, Invoice]) -> tuple[Posting, ...]:
    """Cash in: one transfer an invoice it pays, and one for what is left. `invoices` is invoice id → invoice."""
    applied = tuple(
        _application(CASH, payment, invoices[application.invoice_id], application.amount, "applied")
        for application in payment.applications
    )
    if not payment.unapplied.minor:
        return applied
    rest = Posting(
        CASH,
        UNAPPLIED_CASH,
        payment.unapplied,
        PAYMENT,
        payment.payment_id,
        "unapplied",
        "",
        f"payment {payment.reference}: not applied to an invoice",
    )
    return (*applied, rest)


def drawn_posting(payment: Payment, invoice: Invoice, amount: Money) -> Posting:
    """Cash that lay unapplied pays an invoice issued after it came."""
    return _application(UNAPPLIED_CASH, payment, invoice, amount, "drawn")


def _application(debit: str, payment: Payment, invoice: Invoice, amount: Money, event: str) -> Posting:
    return Posting(
        debit,
        RECEIVABLE,
        amount,
        PAYMENT,
        payment.payment_id,
        f"{event}/{invoice.invoice_id}",
        invoice.order_id,
        f"payment {payment.reference} for {invoice.number}",
    )


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
    ("stock_adjusted", True): (SHRINKAGE, INVENTORY, "counted short"),
    ("stock_adjusted", False): (INVENTORY, SHRINKAGE, "counted over"),
}
"""(kind, whether the value is negative) → debit, credit, words."""
