"""Payments: what they pay and whom they are held for."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.billing.models.base import Table
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime

# what is open and what is left over are few rows of many: indexes of those alone, found by queries that say the same words
_HAS_CASH = text("unapplied_minor > 0")
_IS_HELD = text("remaining_minor > 0")


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
