"""Credit accounts, what orders have committed to them, and orders that wait."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, false
from sqlmodel import Field

from services.billing.models.base import Table
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime


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
    ships_what_fits: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    terms_changed_by: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    terms_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


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
    """An order that neither credit nor its own cash covers yet; it goes by itself when one of them does.

    Of one `is_in_part` something is committed and may ship meanwhile.
    """

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
    least_minor: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    is_in_part: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
