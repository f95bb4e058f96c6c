"""Sales whose buyers paid elsewhere, and payouts."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from services.billing.models.base import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


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
