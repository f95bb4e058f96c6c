"""Tables of billing: shape and constraints only. Amounts are whole minor units; days are ISO dates, which sort as days do."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.billing.domain.cards import KINDS, STATES
from services.billing.domain.ledger import ACCOUNTS, SOURCE_TYPES
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime
from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table

# what is open and what is left over are few rows of many: indexes of those alone, found by queries that say the same words
_IS_OPEN = text("total_minor - paid_minor > 0")
_HAS_CASH = text("unapplied_minor > 0")
_IS_ASKED = text("state = 'asked'")
_IS_NEW = text("NOT is_done")


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
        STRICT,
    )
    customer_id: str = Field(sa_type=Text, primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    limit_minor: int = Field(sa_type=Int64)
    committed_minor: int = Field(sa_type=Int64)
    receivable_minor: int = Field(sa_type=Int64)
    net_days: int = Field(sa_type=Int64)


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
    """A posted invoice; only `paid_minor` changes."""

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
    operation_id: str = Field(sa_type=Text)
    fee_minor: int = Field(sa_type=Int64)


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
    """Part of a payment that is held for one order until its invoices deduct it."""

    __tablename__ = "order_deposit"
    __table_args__ = (
        ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="order_deposit_payment"),
        CheckConstraint("amount_minor > 0", name="order_deposit_amount"),
        CheckConstraint("remaining_minor >= 0 AND remaining_minor <= amount_minor", name="order_deposit_remaining"),
        Index("order_deposit_of_order", "order_id", "payment_id"),
        STRICT,
    )
    payment_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, primary_key=True)
    amount_minor: int = Field(sa_type=Int64)
    remaining_minor: int = Field(sa_type=Int64)


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


class ProviderOperation(Table, table=True):
    """What a payment provider is asked to do: written before it is asked, never deleted; its id is the provider's key.

    `subject_id` is the invoice of a capture and the payment of a refund. The card's token is here while nobody knows the answer.
    """

    __tablename__ = "provider_operation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="provider_operation_account",
        ),
        CheckConstraint(_one_of("kind", KINDS), name="provider_operation_kind"),
        CheckConstraint(_one_of("state", STATES), name="provider_operation_state"),
        CheckConstraint("(answered_at IS NULL) = (state = 'asked')", name="provider_operation_answered"),
        CheckConstraint("state = 'asked' OR token = ''", name="provider_operation_token"),
        CheckConstraint("amount_minor >= 0", name="provider_operation_amount"),
        Index("provider_operation_of_order", "order_id", "kind"),
        Index("provider_operation_of_subject", "subject_id", "kind"),
        Index("provider_operation_asked", "next_at", sqlite_where=_IS_ASKED, postgresql_where=_IS_ASKED),
        STRICT,
    )
    operation_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    state: str = Field(sa_type=Text)
    authorization_id: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    token: str = Field(sa_type=Text)
    token_digest: str = Field(sa_type=Text)
    provider_id: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Int64)
    is_final: bool = Field(sa_type=Flag)
    is_abandoned: bool = Field(sa_type=Flag)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CardAuthorization(Table, table=True):
    """What a card is authorized for; `taken_minor` is what captures have of it, those without an answer included."""

    __tablename__ = "card_authorization"
    __table_args__ = (
        ForeignKeyConstraint(
            ["authorization_id"], ["provider_operation.operation_id"], name="card_authorization_operation"
        ),
        UniqueConstraint("provider_id", name="card_authorization_provider"),
        CheckConstraint("amount_minor > 0", name="card_authorization_amount"),
        CheckConstraint(
            "captured_minor >= 0 AND captured_minor <= taken_minor AND taken_minor <= amount_minor",
            name="card_authorization_taken",
        ),
        CheckConstraint("fee_minor >= 0", name="card_authorization_fee"),
        Index("card_authorization_of_order", "order_id", "authorization_id"),
        STRICT,
    )
    authorization_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    provider_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    taken_minor: int = Field(sa_type=Int64)
    captured_minor: int = Field(sa_type=Int64)
    fee_minor: int = Field(sa_type=Int64)
    is_open: bool = Field(sa_type=Flag)
    is_disputed: bool = Field(sa_type=Flag)
    authorized_at: datetime = Field(sa_type=UtcDateTime)


class ProviderEvent(Table, table=True):
    """An event of a payment provider, which says only that something is to be read there."""

    __tablename__ = "provider_event"
    __table_args__ = (
        Index("provider_event_new", "received_at", sqlite_where=_IS_NEW, postgresql_where=_IS_NEW),
        STRICT,
    )
    event_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    provider_id: str = Field(sa_type=Text)
    is_done: bool = Field(sa_type=Flag)
    received_at: datetime = Field(sa_type=UtcDateTime)
