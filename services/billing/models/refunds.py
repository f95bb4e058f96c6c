"""Refunds that are owed to cards."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.billing.domain.refunds import STATES
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime

_IS_OPEN = text("state = 'open'")


class OwedRefundRow(Table, table=True):
    """A liability to a card: `amount_minor` of a payment has left it and is not paid yet. `operation_id` is its newest try."""

    __tablename__ = "owed_refund"
    __table_args__ = (
        ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="owed_refund_payment"),
        UniqueConstraint("operation_id", name="owed_refund_operation"),
        CheckConstraint("amount_minor > 0", name="owed_refund_amount"),
        CheckConstraint(one_of("state", STATES), name="owed_refund_state"),
        CheckConstraint("(settled_at IS NULL) = (state = 'open')", name="owed_refund_settled"),
        CheckConstraint(
            "failed_count >= 0 AND failed_count <= asked_count AND asked_count >= 1", name="owed_refund_tries"
        ),
        Index("owed_refund_open", "refund_id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index("owed_refund_of_order", "order_id", "refund_id"),
        STRICT,
    )
    refund_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    payment_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    state: str = Field(sa_type=Text)
    operation_id: str = Field(sa_type=Text)
    asked_count: int = Field(sa_type=Int64)
    failed_count: int = Field(sa_type=Int64)
    reason: str = Field(sa_type=Text)
    is_escalated: bool = Field(sa_type=Flag)
    proposed_by: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    owed_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str = Field(sa_type=Text)
