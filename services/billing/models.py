"""Tables of billing: shape and constraints only. Amounts are whole minor units; days are ISO dates, which sort as days do."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.billing.domain.ledger import ACCOUNTS, SOURCE_TYPES
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime
from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table

# what is open and what is left over are few rows of many: indexes of those alone, found by queries that say the same words
_IS_OPEN = text("total_minor - paid_minor - discount_taken_minor - settled_elsewhere_minor > 0")
_HAS_CASH = text("unapplied_minor > 0")
_IS_HELD = text("remaining_minor > 0")


class Table(SQLModel, registry=registry()):
    """Tables of billing."""


outbox = outbox_table(Table.metadata)
answers = answers_table(Table.metadata)


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class CreditAccount(Table, table=True):
    """A customer's credit in one currency; the row every change of a customer's money takes first."""

    __tablename__ = "credit_account"
    __table_args__ = (
        CheckConstraint("limit_minor >= 0", name="credit_account_limit"),
        CheckConstraint("committed_minor >= 0", name="credit_account_committed"),
        CheckConstraint("net_days >= 0", name="credit_account_net_days"),
        CheckConstraint("parent_id <> customer_id", name="credit_account_parent"),
        CheckConstraint("overdue_days >= 0 AND overdue_minor >= 0", name="credit_account_overdue"),
        Index("credit_account_family", "currency", "family_id"),
        STRICT,
    )
    customer_id: str = Field(sa_type=Text, primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    limit_minor: int = Field(sa_type=Int64)
    committed_minor: int = Field(sa_type=Int64)
    receivable_minor: int = Field(sa_type=Int64)
    net_days: int = Field(sa_type=Int64)
    parent_id: str = Field(sa_type=Text)
    family_id: str = Field(sa_type=Text)
    overdue_days: int | None = Field(default=None, sa_type=Int64)
    overdue_minor: int | None = Field(default=None, sa_type=Int64)


class Commitment(Table, table=True):
    """What one order has committed to its customer's credit."""

    __tablename__ = "commitment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="commitment_account",
        ),
        CheckConstraint("remaining_minor >= 0", name="commitment_remaining"),
        CheckConstraint("invoiced_minor >= 0 AND released_minor >= 0", name="commitment_parts"),
        CheckConstraint("amount_minor = remaining_minor + invoiced_minor + released_minor", name="commitment_sum"),
        Index("commitment_of_account", "customer_id", "currency"),
        STRICT,
    )
    order_id: str = Field(sa_type=Text, primary_key=True)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    remaining_minor: int = Field(sa_type=Int64)
    invoiced_minor: int = Field(sa_type=Int64)
    released_minor: int = Field(sa_type=Int64)
    is_released: bool = Field(sa_type=Flag)
    payment_method: str = Field(sa_type=Text)
    deposit_minor: int = Field(sa_type=Int64)


class CreditWait(Table, table=True):
    """An order that neither credit nor its own cash covers yet; it goes by itself when one of them does."""

    __tablename__ = "credit_wait"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="credit_wait_account",
        ),
        CheckConstraint("amount_minor >= 0", name="credit_wait_amount"),
        CheckConstraint("deposit_minor >= 0", name="credit_wait_deposit"),
        Index("credit_wait_of_account", "customer_id", "currency", "waiting_since"),
        STRICT,
    )
    order_id: str = Field(sa_type=Text, primary_key=True)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    payment_method: str = Field(sa_type=Text)
    deposit_minor: int = Field(sa_type=Int64)
    waiting_since: datetime = Field(sa_type=UtcDateTime)


class Counter(Table, table=True):
    """The last number given; a row and not a sequence, because a number must come back when its transaction does not commit."""

    __tablename__ = "counter"
    __table_args__ = (CheckConstraint("last_number >= 0", name="counter_last_number"), STRICT)
    name: str = Field(sa_type=Text, primary_key=True)
    last_number: int = Field(sa_type=Int64)


class Invoice(Table, table=True):
    """A posted invoice; only what is settled of it changes, and `due_on` of one that waits for its delivery (9999-12-31).

    `terms` and `calendar` are those of its order; `discount_until` is empty without a discount for paying early.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="invoice_account",
        ),
        UniqueConstraint("sequence", name="invoice_sequence"),
        UniqueConstraint("number", name="invoice_number"),
        UniqueConstraint("shipment_id", name="invoice_shipment"),
        CheckConstraint("sequence > 0", name="invoice_sequence_positive"),
        CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0",
            name="invoice_parts",
        ),
        CheckConstraint(
            "total_minor = merchandise_minor - discount_minor + freight_minor + tax_minor", name="invoice_total"
        ),
        CheckConstraint("discount_minor <= merchandise_minor", name="invoice_discount"),
        CheckConstraint("paid_minor >= 0 AND paid_minor <= total_minor", name="invoice_paid"),
        CheckConstraint("settled_elsewhere_minor >= 0", name="invoice_settled_elsewhere"),
        CheckConstraint(
            "discount_taken_minor >= 0 AND paid_minor + discount_taken_minor <= total_minor", name="invoice_settled"
        ),
        CheckConstraint("due_on >= invoiced_on", name="invoice_due"),
        Index("invoice_of_order", "order_id"),
        Index("invoice_of_customer", "customer_id", "currency", "due_on"),
        Index("invoice_open", "sequence", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        STRICT,
    )
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    sequence: int = Field(sa_type=Int64)
    number: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    shipment_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    invoiced_on: str = Field(sa_type=Text)
    due_on: str = Field(sa_type=Text)
    merchandise_minor: int = Field(sa_type=Int64)
    discount_minor: int = Field(sa_type=Int64)
    freight_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    total_minor: int = Field(sa_type=Int64)
    paid_minor: int = Field(sa_type=Int64)
    settled_elsewhere_minor: int = Field(sa_type=Int64)
    terms: str = Field(sa_type=Text)
    calendar: str = Field(sa_type=Text)
    early_discount_minor: int = Field(sa_type=Int64)
    discount_until: str = Field(sa_type=Text)
    discount_taken_minor: int = Field(sa_type=Int64)
    issued_at: datetime = Field(sa_type=UtcDateTime)


class InvoiceLine(Table, table=True):
    """A line of an invoice."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_line_invoice"),
        CheckConstraint("quantity > 0", name="invoice_line_quantity"),
        CheckConstraint("extended_minor >= 0", name="invoice_line_extended"),
        STRICT,
    )
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64)
    sku: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    unit_price: str = Field(sa_type=Text)
    extended_minor: int = Field(sa_type=Int64)


class InvoiceInstallment(Table, table=True):
    """A part of an invoice that falls due on a day of its own; an invoice that falls due at once has none."""

    __tablename__ = "invoice_installment"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_installment_invoice"),
        CheckConstraint("amount_minor >= 0", name="invoice_installment_amount"),
        STRICT,
    )
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    due_on: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)


class Delivery(Table, table=True):
    """The day a shipment arrived; empty while an invoice waits for it."""

    __tablename__ = "delivery"
    __table_args__ = (STRICT,)
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    delivered_on: str = Field(sa_type=Text)


class Payment(Table, table=True):
    """Cash that arrived, and where it is: on invoices, held for orders, unapplied, or returned.

    A reversed payment gives its reference back: `reference` then has a second line with the payment's id, which nobody reads.
    """

    __tablename__ = "payment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="payment_account",
        ),
        UniqueConstraint("customer_id", "reference", name="payment_reference"),
        Index("payment_reference_key", "customer_id", "reference_key", unique=True),
        CheckConstraint("amount_minor > 0", name="payment_amount"),
        CheckConstraint("unapplied_minor >= 0 AND unapplied_minor <= amount_minor", name="payment_unapplied"),
        Index(
            "payment_with_cash_left",
            "customer_id",
            "currency",
            "payment_id",
            sqlite_where=_HAS_CASH,
            postgresql_where=_HAS_CASH,
        ),
        STRICT,
    )
    payment_id: str = Field(sa_type=Text, primary_key=True)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    unapplied_minor: int = Field(sa_type=Int64)
    reference: str = Field(sa_type=Text)
    reference_key: str = Field(sa_type=Text)
    asked_digest: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UtcDateTime)
    is_on_account: bool = Field(sa_type=Flag)
    returned_minor: int = Field(sa_type=Int64)
    reversed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revision: int = Field(sa_type=Int64)
    received_on: str = Field(sa_type=Text)


class PaymentApplication(Table, table=True):
    """Part of a payment that pays an invoice."""

    __tablename__ = "payment_application"
    __table_args__ = (
        ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="payment_application_payment"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="payment_application_invoice"),
        CheckConstraint("amount_minor > 0", name="payment_application_amount"),
        Index("payment_application_of_invoice", "invoice_id"),
        STRICT,
    )
    payment_id: str = Field(sa_type=Text, primary_key=True)
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    amount_minor: int = Field(sa_type=Int64)
    applied_at: datetime = Field(sa_type=UtcDateTime)


class OrderDeposit(Table, table=True):
    """Part of a payment that is held for one order until its invoices deduct it; whose it is and its currency are the payment's."""

    __tablename__ = "order_deposit"
    __table_args__ = (
        ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="order_deposit_payment"),
        CheckConstraint("amount_minor > 0", name="order_deposit_amount"),
        CheckConstraint("remaining_minor >= 0 AND remaining_minor <= amount_minor", name="order_deposit_remaining"),
        Index("order_deposit_of_order", "order_id", "payment_id"),
        Index(
            "order_deposit_held",
            "customer_id",
            "currency",
            "order_id",
            sqlite_where=_IS_HELD,
            postgresql_where=_IS_HELD,
        ),
        STRICT,
    )
    payment_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, primary_key=True)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    remaining_minor: int = Field(sa_type=Int64)


class MarketplaceSale(Table, table=True):
    """What a marketplace or a till owes, before its fees, for what was shipped of the orders that it gave one reference."""

    __tablename__ = "marketplace_sale"
    __table_args__ = (
        CheckConstraint("due_minor >= 0", name="marketplace_sale_due"),
        STRICT,
    )
    channel: str = Field(sa_type=Text, primary_key=True)
    reference_key: str = Field(sa_type=Text, primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    reference: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    due_minor: int = Field(sa_type=Int64)
    announced_fees_minor: int | None = Field(default=None, sa_type=Int64)
    sold_at: datetime = Field(sa_type=UtcDateTime)


class Payout(Table, table=True):
    """Cash that a marketplace or a till paid out: the sum of its lines less fees that belong to no sale."""

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("channel", "reference_key", name="payout_reference"),
        CheckConstraint("amount_minor >= 0", name="payout_amount"),
        CheckConstraint("fees_minor >= 0", name="payout_fees"),
        STRICT,
    )
    payout_id: str = Field(sa_type=Text, primary_key=True)
    channel: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    reference_key: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    fees_minor: int = Field(sa_type=Int64)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class PayoutLine(Table, table=True):
    """What a payout pays of one sale, and the fees it keeps of it; the sale may not be shipped yet."""

    __tablename__ = "payout_line"
    __table_args__ = (
        ForeignKeyConstraint(["payout_id"], ["payout.payout_id"], name="payout_line_payout"),
        CheckConstraint("amount_minor >= 0 AND fees_minor >= 0", name="payout_line_amounts"),
        CheckConstraint("amount_minor + fees_minor > 0", name="payout_line_something"),
        Index("payout_line_of_sale", "channel", "reference_key"),
        STRICT,
    )
    payout_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    channel: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    reference_key: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    fees_minor: int = Field(sa_type=Int64)


class JournalEntry(Table, table=True):
    """One transfer between two accounts; entries are only ever added."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("source_type", "source_id", "event", name="journal_entry_source"),
        CheckConstraint("amount_minor > 0", name="journal_entry_amount"),
        CheckConstraint("debit <> credit", name="journal_entry_sides"),
        CheckConstraint(_one_of("debit", ACCOUNTS), name="journal_entry_debit"),
        CheckConstraint(_one_of("credit", ACCOUNTS), name="journal_entry_credit"),
        CheckConstraint(_one_of("source_type", SOURCE_TYPES), name="journal_entry_source_type"),
        Index("journal_entry_of_order", "order_id"),
        STRICT,
    )
    entry_id: int | None = Field(default=None, sa_type=Int64, primary_key=True)
    debit: str = Field(sa_type=Text)
    credit: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    currency: str = Field(sa_type=Text)
    source_type: str = Field(sa_type=Text)
    source_id: str = Field(sa_type=Text)
    event: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    memo: str = Field(sa_type=Text)
    posted_at: datetime = Field(sa_type=UtcDateTime)
